import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { RDSClient } from '@aws-sdk/client-rds';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { BeforeRollout } from './shared/before-rollout.ts';
import { databaseBack } from './shared/database-back.ts';
import {
  DatabaseNotRestored,
  DatabaseStillBeingRestored,
  HoldLost,
  NodesStillBeingReplaced,
  TaskStillRunning,
  Wait,
} from './shared/errors.ts';
import {
  type FailedRollout,
  type FailureReport,
  failureReport,
  type Kind,
  type Step,
} from './shared/failure-report.ts';
import { asPhaseError, makeHandler } from './shared/handler.ts';
import { type Rollout, releaseHold } from './shared/hold.ts';
import { heldPerhaps, readHoldAfter } from './shared/hold-after-failure.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { describeService, readReplacement, replaceNodes, updateService } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { writeParameters } from './shared/parameters.ts';
import { isBeingExchanged } from './shared/rds/exchange.ts';
import { namesOf } from './shared/rds/names.ts';
import { exchangeDatabase } from './shared/rds/put-back-database.ts';
import { readCapacity, setCapacity } from './shared/scaling.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { runTask, stopTasks } from './shared/tasks.ts';
import { finishRun, hasTouchedSite, readOpenRun, setStage, type UpdateRun } from './shared/update-run.ts';
import { upgradeTasks } from './shared/update-words.ts';

export interface PutBackUpdateClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly rds: RDSClient;
  readonly settings: Settings;
}

interface FailedUpdate extends Rollout {
  readonly rollout: FailedRollout;
  /** Whether this is about an update that another execution left, before the rollout does its own work. */
  readonly unfinished: boolean;
}

/** What the phase that puts an unfinished update back gives, where the way back gives its report. */
export interface PutBackBefore {
  readonly putBack: string;
}

/**
 * Brings image and database back as the pair that they were, whatever of the update was done, and releases the site.
 *
 * The database comes first, as no node may run older code on a newer database; and only when Moodle's upgrade had
 * begun. Every call finds out anew how far it is: from the update's row, and, while no database has the site's name, from
 * RDS alone. A restored database holds the row as it was before the upgrade, so after a restore what is left to do
 * follows from it as if the upgrade had never begun.
 *
 * @throws TaskStillRunning, NodesStillBeingReplaced, DatabaseStillBeingRestored until it is done
 * @throws DatabaseNotRestored, HoldLost: the site stays held
 */
export async function putBackUpdate(
  clients: PutBackUpdateClients,
  { site, execution, rollout: given, unfinished }: FailedUpdate,
): Promise<FailureReport | PutBackBefore> {
  const rollout = { site, execution };
  const state = approvalInWords(given);
  const kind = kindOf(state);
  await goOnExchanging(clients, rollout, state);
  const hold = await readHoldAfter(clients.database, site, state);
  if (hold === 'not to be read') return failureReport(kind, rollout, state, heldPerhaps);
  if (hold?.execution !== execution) return failureReport(kind, rollout, state, nothingHeld);

  const run = await readOpenRun(clients.database, site);
  const own = run?.execution === execution ? run : undefined;
  const steps = own && hasTouchedSite(own) ? await allBack(clients, rollout, own, hold.before) : [];
  if (own) await finishRun(clients.database, rollout, 'put back');
  if (unfinished) return { putBack: steps.map(({ what }) => what).join('; ') || 'nothing had to be' };
  await releaseHold(clients.database, rollout);
  return failureReport(kind, rollout, state, steps);
}

const nothingHeld = 'This rollout did not hold the site, so there was nothing to put back.';
/** Phases in their order, without those that this rollout never comes to: the first without an output is the one that failed. */
function kindOf(state: FailedRollout): Kind {
  const { unfinished } = (state.checked ?? {}) as { unfinished?: string };
  const { outcome, approval } = (state.found ?? {}) as { outcome?: string; approval?: boolean };
  const whole = outcome !== 'finish';
  const all: [string, string, boolean][] = [
    ['checked', 'Check the site', true],
    ['putBackBefore', 'Put back the unfinished update', unfinished === 'put back'],
    ['found', 'Find updates', true],
    ['image', 'Build image', whole],
    ['snapshot', 'Take snapshot', whole],
    ['approval', 'Wait for approval', approval === true],
    ['upgrade', 'Upgrade', whole],
    ['rolled', 'Roll nodes', true],
    ['verified', 'Verify the site', true],
    ['released', 'Release the site', true],
  ];
  return {
    title: 'plugin update',
    phases: all.filter(([, , comesTo]) => comesTo).map(([output, title]) => [output, title] as const),
  };
}

/** Step Functions gives the end of the waiting no cause of its own. */
function approvalInWords(state: FailedRollout): FailedRollout {
  const { approval, approvalSeconds = 0 } = (state.found ?? {}) as { approval?: boolean; approvalSeconds?: number };
  const waited = approval && 'snapshot' in state && !('approval' in state) && state.failure?.Error === 'States.Timeout';
  if (!waited) return state;
  const Cause = `Nobody approved or refused within ${approvalSeconds / 3600} hours. The site was not touched.`;
  return { ...state, failure: { Error: 'States.Timeout', Cause } };
}

/** While no database has the site's name, nothing can be asked of it, and only this can be done. */
async function goOnExchanging(
  { rds, settings }: PutBackUpdateClients,
  rollout: Rollout,
  state: FailedRollout,
): Promise<void> {
  const { origin = rollout.execution } = (state.checked ?? {}) as { origin?: string };
  const update = { site: rollout.site, execution: origin };
  if (!(await isBeingExchanged(rds, settings, namesOf(update)))) return;
  const { snapshotRetentionDays = 14 } = (state.found ?? {}) as { snapshotRetentionDays?: number };
  await exchangeDatabase(rds, settings, update, snapshotRetentionDays);
}

async function allBack(
  clients: PutBackUpdateClients,
  rollout: Rollout,
  run: UpdateRun,
  before: BeforeRollout,
): Promise<Step[]> {
  const { database, ecs, settings } = clients;
  await setStage(database, rollout, 'putting back');
  // Before the row is believed: a task that still works would go on changing it, and the database.
  await stopTasks({ ecs, settings }, upgradeTasks, `The update ${rollout.execution} is put back`);
  const stopped = (await readOpenRun(database, rollout.site)) ?? run;
  const back = await databaseBack(clients, rollout, stopped, before);

  const steps: Step[] = back.words ? [{ what: back.words }] : [];
  const passing: Error[] = [];
  const attempt = async (what: string, work: () => Promise<boolean>) => {
    try {
      if (await work()) steps.push({ what });
    } catch (thrown) {
      const error = asPhaseError(thrown, 'Put back');
      // What follows relies on these; other trouble does not keep the rest from being put back.
      const ends = [
        HoldLost,
        TaskStillRunning,
        NodesStillBeingReplaced,
        DatabaseStillBeingRestored,
        DatabaseNotRestored,
      ];
      if (ends.some((kind) => error instanceof kind)) throw error;
      if (error instanceof Wait) passing.push(error);
      steps.push({ what, problem: error.message });
    }
  };
  await attempt(`nodes with the image ${before.parameters['image-tag']}`, () => nodesBack(clients, rollout, before));
  if (back.mayBeInMaintenance) await attempt('maintenance ended', () => endMaintenance(clients, rollout, before));
  await attempt(`${before.cronDesired} cron nodes`, () => cronBack(clients, before));
  await attempt('automatic scaling', () => scalingBack(clients, before));
  if (passing[0]) throw passing[0];
  return steps;
}

const nodesPurpose = 'put back nodes';

/** @returns whether anything had to change */
async function nodesBack(
  clients: PutBackUpdateClients,
  rollout: Rollout,
  { taskDefinition, parameters }: BeforeRollout,
): Promise<boolean> {
  const { database, ecs, ssm, settings } = clients;
  await writeParameters(ssm, settings, { 'image-tag': parameters['image-tag'] });
  const service = await describeService(ecs, settings, settings.webServiceName);
  const asked = await readReplacement(database, rollout, nodesPurpose);
  if (service.taskDefinition === taskDefinition && !asked) return false;
  await replaceNodes(clients, rollout, nodesPurpose, { taskDefinition });
  return true;
}

async function endMaintenance(
  clients: PutBackUpdateClients,
  rollout: Rollout,
  { taskDefinition }: BeforeRollout,
): Promise<boolean> {
  const report = await runTask(clients, rollout, 'put back: end maintenance', ['end-maintenance'], { taskDefinition });
  if (report.ok) return true;
  throw new TypeError(`the task could not end it: ${report.problem}`);
}

async function cronBack({ ecs, settings }: PutBackUpdateClients, before: BeforeRollout): Promise<boolean> {
  const { cronServiceName } = settings;
  const { desiredCount, taskDefinition } = await describeService(ecs, settings, cronServiceName);
  if (desiredCount === before.cronDesired && taskDefinition === before.cronTaskDefinition) return false;
  await updateService(ecs, settings, cronServiceName, {
    desiredCount: before.cronDesired,
    taskDefinition: before.cronTaskDefinition,
  });
  return true;
}

/** The node count is left alone: an update does not change it. */
async function scalingBack({ ecs, scaling, settings }: PutBackUpdateClients, before: BeforeRollout): Promise<boolean> {
  const { suspended } = await readCapacity(scaling, settings);
  await setCapacity(scaling, settings, before.capacity);
  await updateService(ecs, settings, settings.webServiceName, {
    healthCheckGracePeriodSeconds: before.healthGraceSeconds,
  });
  return suspended !== before.capacity.suspended;
}

export const handler = makeHandler(
  'Put back',
  (): PutBackUpdateClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
      rds: new RDSClient({}),
    };
  },
  putBackUpdate,
);
