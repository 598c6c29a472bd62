import { ECSClient, type Service } from '@aws-sdk/client-ecs';
import { readAcknowledgements, readServing, type Serving } from './shared/acknowledgements.ts';
import { InstallFailed, InstallStillRunning, UnfinishedInstall } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld } from './shared/hold.ts';
import { secondsWithoutProgress } from './shared/install-progress.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import {
  describeService,
  failedTasks,
  nodeId,
  primaryDeployment,
  runningNodes,
  tooManyStoppedTasks,
  whyStopped,
} from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import type { PhaseInput, Plan } from './shared/plan.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { readSiteState, type SiteState } from './shared/site-state.ts';

export interface WaitForInstallClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly settings: Settings;
}

export interface FinishedInstall {
  readonly install: string;
  readonly release: string;
  readonly tables: number;
  readonly seconds?: number;
  readonly attempts?: number;
  readonly clearedTables?: number;
  readonly moodle: string;
}

/**
 * How long nothing may move: some forty times the longest pause of a real install on a busy machine. Before it begins, and
 * after its end, the node starts and proves itself without a sign in the database.
 */
const stillMinutes = 20;

/**
 * Waits until Moodle is installed by every sign, and its nodes have said so too; for as long as something moves.
 *
 * @throws InstallStillRunning with tables made of those expected, and time against the expected
 * @throws UnfinishedInstall when the node refused to touch what it found
 * @throws InstallFailed when nothing moves any more, the node keeps stopping, or its code does not fit the database
 */
export async function waitForInstall(
  { database, ecs, settings }: WaitForInstallClients,
  { site, execution, plan }: PhaseInput,
): Promise<FinishedInstall> {
  await assertHeld(database, { site, execution });
  const state = await readSiteState(database, site, settings.databasePrefix);
  const { marker } = state;
  if (plan.install && marker?.refused) {
    throw new UnfinishedInstall(
      `The node would not install, and touched nothing: ${marker.refused}. Mend what it says, or empty the database once ` +
        'you know that its data is not needed, and start the rollout again.',
    );
  }
  if (plan.install && plan.finish === 'unattended' && state.name === 'pending-administrator') {
    throw new UnfinishedInstall(
      `The tables are made, but for a wizard in the browser (${state.why}): an earlier rollout asked for it. Nothing was ` +
        'cleared. Start again with {"finish": "browser", "adminIp": "…"} to complete it.',
    );
  }
  const service = await describeService(ecs, settings, settings.webServiceName);
  const still = await secondsWithoutProgress(database, { site, execution }, state, settings.databasePrefix);
  const complete = state.name === (plan.finish === 'browser' && plan.install ? 'pending-administrator' : 'installed');
  if (!complete && state.name !== 'installed') {
    await assertNodeGoesOn({ ecs, settings }, service, state);
    assertMoves(still, progress(state, plan));
    throw new InstallStillRunning(progress(state, plan));
  }
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  const serving = await readServing(database, site, nodes);
  const silent = nodes.filter((node) => !serving.has(node));
  if (nodes.length === 0 || silent.length > 0) {
    await assertNoneAwaitsUpgrade(database, site, silent);
    await assertNodeGoesOn({ ecs, settings }, service, state);
    const words = `Moodle is installed; ${silent.length || 'no'} node has yet to say that it serves.`;
    assertMoves(still, words);
    throw new InstallStillRunning(words);
  }
  assertCodeFits(serving, settings.siteUrl);
  const [first] = serving.values();
  return {
    install: installWords(plan, state),
    release: state.release ?? '',
    tables: state.tables,
    ...(plan.install && marker?.duration ? { seconds: Math.round(marker.duration) } : {}),
    ...(plan.install && marker ? { attempts: marker.attempt } : {}),
    ...(plan.install && marker?.clearedTables ? { clearedTables: marker.clearedTables } : {}),
    moodle: first?.moodle ?? 'the node does not say which',
  };
}

function installWords(plan: Plan, state: SiteState): string {
  if (!plan.install) return 'was there already';
  return state.name === 'pending-administrator' ? 'tables made, the wizard is yours to complete' : 'done';
}

function progress({ tables, marker, why }: SiteState, { expectedSeconds }: Plan): string {
  if (!marker?.started || marker.finished) return `The node has not begun to install (${why}).`;
  const of = marker.expectedTables ? ` of ${marker.expectedTables}` : '';
  const attempt = marker.attempt > 1 ? `, attempt ${marker.attempt}` : '';
  return `${tables}${of} tables, ${Math.round(marker.elapsed ?? 0)} s of about ${expectedSeconds} s${attempt}.`;
}

/** An install that takes long is waited for; one that stands still is not. */
function assertMoves(seconds: number, where: string): void {
  if (seconds < stillMinutes * 60) return;
  throw new InstallFailed(
    `Nothing has moved in the install for ${Math.round(seconds / 60)} minutes. Last: ${where} The unfinished tables were left; the ` +
      'next rollout clears and installs again. Read the node’s log, mend the cause and start it.',
  );
}

/** ECS starts a stopped node again, and a new one clears and repeats our own install; but not for ever. */
async function assertNodeGoesOn(
  { ecs, settings }: Pick<WaitForInstallClients, 'ecs' | 'settings'>,
  service: Service,
  state: SiteState,
): Promise<void> {
  const deployment = primaryDeployment(service);
  const failed = await failedTasks(ecs, settings, settings.webServiceName, deployment?.id ?? '');
  if (deployment?.rolloutState !== 'FAILED' && failed.length < tooManyStoppedTasks) return;
  const reasons = failed.slice(0, 3).map(whyStopped).join('; ') || deployment?.rolloutStateReason || 'no reason given';
  throw new InstallFailed(
    `The node that installs keeps stopping at ${state.tables} tables (${state.why}): ${reasons}. The unfinished tables ` +
      'were left; the next rollout clears and installs again. Read the node’s log, mend the cause and start it.',
  );
}

/** A node whose code is newer than the database waits for an upgrade, which is not this rollout's to make. */
async function assertNoneAwaitsUpgrade(
  database: MoodleDatabase,
  site: string,
  nodes: readonly string[],
): Promise<void> {
  const [awaiting] = await readAcknowledgements(database, site, 'waiting-for-upgrade', nodes);
  if (!awaiting) return;
  const [node, { reason }] = awaiting;
  throw new InstallFailed(
    `Node ${node.slice(0, 8)} does not serve: ${reason}. This rollout never upgrades. Deploy with the Moodle and the ` +
      'plugins that the database was made with, and update with the rollout plugin-update once the site stands.',
  );
}

function assertCodeFits(serving: ReadonlyMap<string, Serving>, siteUrl: string): void {
  const newer = [...serving].find(([, value]) => value.upgradePending);
  if (!newer) return;
  const [node, { moodleVersion, databaseVersion }] = newer;
  throw new InstallFailed(
    `The code of node ${node.slice(0, 8)} (version ${moodleVersion}) and the database of ${siteUrl} (${databaseVersion}) ` +
      'differ: an upgrade is pending. This rollout never upgrades. Run admin/cli/upgrade.php in a task of the new image, then start it again.',
  );
}

export const handler = makeHandler(
  'Wait for install',
  (): WaitForInstallClients => {
    const settings = settingsFrom();
    return { settings, database: openDatabase(settings), ecs: new ECSClient({}) };
  },
  waitForInstall,
);
