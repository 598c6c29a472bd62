import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { readAcknowledgements, type TaskReport } from './shared/acknowledgements.ts';
import { stopCron } from './shared/cron-service.ts';
import {
  MaintenanceWindowClosed,
  NodeStillStarting,
  NodesNotHealthy,
  OlderThanDatabase,
  TaskStillRunning,
  UpgradeFailed,
} from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout } from './shared/hold.ts';
import { minutesUntilOpen, wallClock } from './shared/maintenance-window.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import {
  describeService,
  describeTaskDefinition,
  failedTasks,
  nodeId,
  requestReplacement,
  revisionWithImage,
  runningNodes,
  tooManyStoppedTasks,
  whyStopped,
} from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { writeParameters } from './shared/parameters.ts';
import { setCapacity } from './shared/scaling.ts';
import { fingerprintSchema } from './shared/schema-fingerprint.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import type { PageKind, SiteLook } from './shared/site-look.ts';
import { runTask, taskNode } from './shared/tasks.ts';
import type { UpdatePhaseInput, UpdatePlan } from './shared/update-plan.ts';
import { beginUpgrading, readOwnRun, setStage, type UpdateRun } from './shared/update-run.ts';
import { rollPurpose, upgradeTasks } from './shared/update-words.ts';

export interface UpgradeSiteClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly settings: Settings;
}

export interface UpgradedSite {
  /** `none`, or why it was needed and how long it stood. */
  readonly maintenance: string;
  /** Seconds. */
  readonly maintenanceSeconds: number;
  /** Seconds of Moodle's own upgrade. */
  readonly upgradeSeconds: number;
  readonly plugins: readonly string[];
}

/** What `plan-upgrade` reports. */
interface UpgradeNeeds {
  readonly pending: boolean;
  readonly maintenanceRequired: boolean;
  readonly why?: string;
  readonly older: readonly string[];
}

/**
 * Brings the database to the new image: asks Moodle what it needs, has the new nodes wait for it, and runs the upgrade
 * once. Only one task ever upgrades, and a call that comes again finds it.
 *
 * @throws MaintenanceWindowClosed before anything of the site was changed
 * @throws NodeStillStarting, TaskStillRunning with the upgrade's progress
 * @throws OlderThanDatabase, UpgradeFailed, NodesNotHealthy, HoldLost
 */
export async function upgradeSite(
  clients: UpgradeSiteClients,
  { site, execution, plan }: UpdatePhaseInput,
): Promise<UpgradedSite> {
  const { database, ecs, ssm, scaling, settings } = clients;
  const rollout = { site, execution };
  const { before } = await assertHeld(database, rollout);
  const run = await readOwnRun(database, rollout);
  const service = await describeService(ecs, settings, settings.webServiceName);
  const taskDefinition = await revisionWithImage(ecs, settings, service, settings.taskDefinitionFamily, plan.image);
  const needs = await askMoodle(clients, rollout, taskDefinition);
  const upgrades = needs.pending || plan.deleteData.length > 0;
  if (!upgrades) await assertPages(clients, rollout, taskDefinition, before.look);
  const maintenance = needs.maintenanceRequired || plan.deleteData.length > 0;
  if (run.stage === 'planned') {
    if (maintenance) await assertWindowOpen(plan);
    const schemaBefore = await fingerprintSchema(database, settings.databasePrefix);
    await beginUpgrading(database, rollout, { schemaBefore, maintenanceRequired: maintenance });
  }

  const crons = await stopCron(ecs, settings);
  if (crons.length > 0)
    throw new NodeStillStarting(`Cron finishes what it runs, before the upgrade (${nodeId(crons[0] ?? '')}).`);
  await setCapacity(scaling, settings, { ...before.capacity, suspended: true });
  // The parameter first: a deploy in this moment then brings the new image, and not the old one.
  await writeParameters(ssm, settings, { 'image-tag': plan.image });
  const { deploymentId } = await requestReplacement(clients, rollout, rollPurpose, {
    taskDefinition,
    // A node that waits for the upgrade serves nothing yet, which must not count as ill.
    healthCheckGracePeriodSeconds: settings.installHealthGraceSeconds,
  });
  if (!upgrades) {
    await setStage(database, rollout, 'upgraded');
    return { maintenance: 'none', maintenanceSeconds: 0, upgradeSeconds: 0, plugins: ['no upgrade was pending'] };
  }
  await awaitWaitingNodes(clients, site, deploymentId);

  if (plan.deleteData.length > 0) {
    const words = ['uninstall-plugins', ...plan.deleteData];
    const report = await upgradeTask(clients, rollout, 'uninstall plugins', words, before.taskDefinition);
    if (!report.ok) throw await upgradeFailed(clients, report, before.taskDefinition, 'uninstall plugins');
  }
  const words = ['upgrade', maintenance ? '--maintenance' : '--no-maintenance'];
  const report = await upgradeTask(clients, rollout, 'upgrade', words, taskDefinition);
  if (!report.ok) throw await upgradeFailed(clients, report, taskDefinition, 'upgrade');
  await setStage(database, rollout, 'upgraded');
  return evidence(
    report,
    maintenance ? (needs.why ?? 'data of plugins is deleted') : undefined,
    await readOwnRun(database, rollout),
  );
}

async function askMoodle(clients: UpgradeSiteClients, rollout: Rollout, taskDefinition: string): Promise<UpgradeNeeds> {
  const report = await runTask(clients, rollout, 'plan upgrade', ['plan-upgrade'], { taskDefinition });
  if (!report.ok) throw await upgradeFailed(clients, report, taskDefinition, 'plan upgrade');
  const older = componentsOf(report.older);
  if (older.length > 0) {
    throw new OlderThanDatabase(
      `The new image has older code than the database: ${older.join(', ')}. Moodle cannot run that. The site was not touched. ` +
        'Update to at least the versions that the database has.',
    );
  }
  return {
    pending: report.pending === true,
    maintenanceRequired: report.maintenanceRequired === true,
    older,
    ...(typeof report.why === 'string' ? { why: report.why } : {}),
  };
}

/**
 * Code that needs no upgrade can make pages before any node has it. Where there is an upgrade, its task looks at them at its
 * end, before it ends maintenance.
 */
async function assertPages(
  clients: UpgradeSiteClients,
  rollout: Rollout,
  taskDefinition: string,
  look: SiteLook | undefined,
): Promise<void> {
  const purpose = 'look at pages';
  const report = await runTask(clients, rollout, purpose, ['inspect', 'pages'], { taskDefinition });
  if (!report.ok) throw await upgradeFailed(clients, report, taskDefinition, purpose);
  const pages = Object.entries(
    (report.pages ?? {}) as Readonly<Record<string, { kind: PageKind } & Partial<TaskReport>>>,
  );
  for (const [looker, { kind, status, ...page }] of pages) {
    if (kind !== 'broken' || look?.pages[looker] === 'broken') continue;
    const problem = `With this code a page for the ${looker} answers HTTP ${status}: ${page.problem}`;
    throw await upgradeFailed(clients, { ...page, ok: false, problem }, taskDefinition, purpose);
  }
}

async function assertWindowOpen({ maintenanceWindow }: UpdatePlan): Promise<void> {
  if (!maintenanceWindow) return;
  const { start, end, timeZone } = maintenanceWindow;
  const now = new Date();
  const minutes = minutesUntilOpen(maintenanceWindow, now);
  if (minutes === 0) return;
  throw new MaintenanceWindowClosed(
    `The upgrade needs maintenance mode, which may begin from ${start} to ${end} ${timeZone}. There it is ${wallClock(now, timeZone)}: ` +
      `${Math.floor(minutes / 60)} h ${minutes % 60} min are left. The site was not touched.`,
  );
}

/**
 * New nodes wait for the upgrade before they start a server, so that they serve seconds after it, and a node that ECS
 * has to replace meanwhile has the new code too.
 */
async function awaitWaitingNodes(
  { database, ecs, settings }: UpgradeSiteClients,
  site: string,
  deploymentId: string,
): Promise<void> {
  const { desiredCount = 0 } = await describeService(ecs, settings, settings.webServiceName);
  const fresh = (await runningNodes(ecs, settings)).filter((task) => task.startedBy === deploymentId).map(nodeId);
  const waiting = await readAcknowledgements(database, site, 'waiting-for-upgrade', fresh);
  // After the upgrade the same nodes serve, and a call that comes again finds no waiting one.
  const serving = await readAcknowledgements(database, site, 'serving', fresh);
  const there = new Set([...waiting.keys(), ...serving.keys()]).size;
  if (there >= desiredCount) return;
  const failed = await failedTasks(ecs, settings, settings.webServiceName, deploymentId);
  if (failed.length >= tooManyStoppedTasks) {
    throw new NodesNotHealthy(
      `New nodes do not start (${failed.slice(0, 3).map(whyStopped).join('; ')}). The database was not touched, and the old ` +
        'nodes serve. Read the nodes’ log, mend the cause and start the rollout again.',
    );
  }
  throw new NodeStillStarting(`${there} of ${desiredCount} new nodes are started and wait for the upgrade.`);
}

/** @throws TaskStillRunning with what the task says of its progress */
async function upgradeTask(
  clients: UpgradeSiteClients,
  rollout: Rollout,
  purpose: string,
  words: readonly string[],
  taskDefinition: string,
): Promise<TaskReport> {
  try {
    return await runTask(clients, rollout, purpose, words, { taskDefinition, startedBy: upgradeTasks });
  } catch (error) {
    if (!(error instanceof TaskStillRunning)) throw error;
    const node = await taskNode(clients.database, rollout, purpose);
    const progress = await readAcknowledgements(clients.database, rollout.site, 'upgrade-progress', node ? [node] : []);
    const [latest] = [...progress.values()];
    if (!latest?.stage) throw error;
    const plugin = latest.plugin ? ` (${latest.plugin})` : '';
    throw new TaskStillRunning(`${latest.stage}${plugin}, ${latest.seconds ?? 0} s.`);
  }
}

async function upgradeFailed(
  { ecs, settings }: UpgradeSiteClients,
  { problem, plugin, line }: TaskReport,
  taskDefinition: string,
  purpose: string,
): Promise<UpgradeFailed> {
  const named = typeof plugin === 'string' && !problem?.includes(plugin) ? `${plugin}: ` : '';
  const quoted = typeof line === 'string' && line && !problem?.includes(line) ? ` Moodle says: ${line}.` : '';
  const definition = await describeTaskDefinition(ecs, taskDefinition);
  const { options } =
    definition.containerDefinitions?.find((one) => one.name === settings.containerName)?.logConfiguration ?? {};
  const log = options?.['awslogs-group'] ? ` Log: ${options['awslogs-group']}.` : '';
  return new UpgradeFailed(
    `${purpose[0]?.toUpperCase()}${purpose.slice(1)}: ${named}${problem ?? 'no reason was given'}.${quoted} What was there before is put back. ` +
      `Leave the plugin out by plugins, or mend it, and start the rollout again.${log}`,
  );
}

function componentsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.map((one) => (typeof one === 'string' ? one : String((one as { component?: unknown }).component)));
}

function evidence(report: TaskReport, why: string | undefined, run: UpdateRun): UpgradedSite {
  const seconds = (from: number | null, to: number | null) => (from && to ? Number((to - from).toFixed(1)) : 0);
  // The task knows from when on visitors saw maintenance; the row, since when no request of before was left.
  const stood = Number(report.maintenanceSeconds ?? seconds(run.maintenanceSince, run.maintenanceEndedAt));
  const changed = Array.isArray(report.plugins)
    ? (report.plugins as { component?: unknown; from?: unknown; to?: unknown }[])
    : [];
  return {
    maintenance: why === undefined ? 'none: Moodle needs none' : `${stood} s: ${why}`,
    maintenanceSeconds: why === undefined ? 0 : stood,
    upgradeSeconds: Number(report.upgradeSeconds ?? seconds(run.upgradeStartedAt, run.upgradeEndedAt)),
    plugins: changed.map(({ component, from, to }) => `${component} ${from ?? 'new'} → ${to ?? 'removed'}`),
  };
}

export const handler = makeHandler(
  'Upgrade',
  (): UpgradeSiteClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
    };
  },
  upgradeSite,
);
