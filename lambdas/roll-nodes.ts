import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { readServing } from './shared/acknowledgements.ts';
import { NodesNotHealthy, NodesNotYetHealthy, UpgradeFailed } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Hold, type Rollout } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import {
  describeService,
  failedTasks,
  nodeId,
  primaryDeployment,
  replaceNodes,
  revisionWithImage,
  serviceTasks,
  tooManyStoppedTasks,
  updateService,
  whyStopped,
} from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { writeParameters } from './shared/parameters.ts';
import { putScalingBack } from './shared/scaling.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { runTask } from './shared/tasks.ts';
import type { UpdatePhaseInput } from './shared/update-plan.ts';
import { setStage } from './shared/update-run.ts';
import { rollPurpose } from './shared/update-words.ts';

export interface RollNodesClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly settings: Settings;
}

export interface RolledNodes {
  /** Web nodes that serve with the new image. */
  readonly nodes: number;
  readonly image: string;
  readonly cron: string;
  /** When cron's node was started, in seconds since 1970; null where the site had no cron. */
  readonly cronSince: number | null;
}

/**
 * Waits until the site consists of nodes of the new image, then ends what only the upgrade needed: Moodle's lock, old
 * entries in caches, the stopped cron and the suspended automatic scaling.
 *
 * @throws NodesStillBeingReplaced, TaskStillRunning, NodesNotYetHealthy until it is done
 * @throws NodesNotHealthy, UpgradeFailed, HoldLost
 */
export async function rollNodes(
  clients: RollNodesClients,
  { site, execution, plan }: UpdatePhaseInput,
): Promise<RolledNodes> {
  const { database, ecs, ssm, scaling, settings } = clients;
  const rollout = { site, execution };
  const { before } = await assertHeld(database, rollout);
  const service = await describeService(ecs, settings, settings.webServiceName);
  const taskDefinition = await revisionWithImage(ecs, settings, service, settings.taskDefinitionFamily, plan.image);
  await writeParameters(ssm, settings, { 'image-tag': plan.image });
  const nodes = await replaceNodes(clients, rollout, rollPurpose, { taskDefinition });
  await assertUpgraded(database, site, nodes.map(nodeId));

  const ended = await runTask(clients, rollout, 'end maintenance', ['end-maintenance'], { taskDefinition });
  if (!ended.ok || ended.pending === true) {
    throw new UpgradeFailed(
      `Maintenance and locks of the upgrade could not be ended: ${ended.problem ?? 'an upgrade is still pending'}. What was ` +
        'there before is put back. Read the task’s log, and start the rollout again.',
    );
  }
  const cronSince = await startCron(clients, before, plan.image);
  await putScalingBack({ scaling, ssm, settings }, before.capacity);
  await updateService(ecs, settings, settings.webServiceName, {
    healthCheckGracePeriodSeconds: settings.normalHealthGraceSeconds,
  });
  await setStage(database, rollout, 'rolled');
  return {
    nodes: nodes.length,
    image: plan.image,
    cron: cronSince === null ? 'as before: none' : 'running with the new image',
    cronSince,
  };
}

async function assertUpgraded(
  database: MoodleDatabase,
  site: Rollout['site'],
  nodes: readonly string[],
): Promise<void> {
  const serving = await readServing(database, site, nodes);
  const others = nodes.filter((node) => serving.get(node)?.upgradePending !== false);
  if (others.length === 0) return;
  throw new NodesNotHealthy(
    `New nodes say that code and database differ, or nothing: ${others.map((node) => node.slice(0, 8)).join(', ')}. Read their ` +
      'logs. What was there before is put back.',
  );
}

/** @returns when its node was created */
async function startCron(
  { ecs, settings }: RollNodesClients,
  before: Hold['before'],
  image: string,
): Promise<number | null> {
  const { cronServiceName } = settings;
  const service = await describeService(ecs, settings, cronServiceName);
  const taskDefinition = await revisionWithImage(ecs, settings, service, settings.cronTaskDefinitionFamily, image);
  const wanted = await updateService(ecs, settings, cronServiceName, {
    taskDefinition,
    desiredCount: before.cronDesired,
  });
  if (before.cronDesired === 0) return null;
  const deployment = primaryDeployment(wanted);
  const tasks = await serviceTasks(ecs, settings, cronServiceName, 'RUNNING');
  const running = tasks.find((task) => task.startedBy === deployment?.id && task.lastStatus === 'RUNNING');
  if (running) return Math.floor((running.createdAt?.getTime() ?? Date.now()) / 1000);
  const failed = await failedTasks(ecs, settings, cronServiceName, deployment?.id ?? '');
  if (failed.length >= tooManyStoppedTasks) {
    throw new NodesNotHealthy(
      `Cron does not start with the new image (${failed.slice(0, 3).map(whyStopped).join('; ')}). What was there before is put ` +
        'back. Read its log, mend the cause and start the rollout again.',
    );
  }
  throw new NodesNotYetHealthy('All nodes have the new image; cron’s node is starting.');
}

export const handler = makeHandler(
  'Roll nodes',
  (): RollNodesClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
    };
  },
  rollNodes,
);
