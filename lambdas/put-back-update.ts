import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import type { BeforeRollout } from './shared/before-rollout.ts';
import { databaseBack } from './shared/database-back.ts';
import {
  DatabaseNotRestored,
  DatabaseStillBeingRestored,
  HoldLost,
  NodesStillBeingReplaced,
  TaskStillRunning,
  UpdateUnfinished,
  UpgradeFailed,
  Wait,
} from './shared/errors.ts';
import {
  type FailedExecution,
  type FailedRollout,
  type FailureReport,
  failureReport,
  type Kind,
  type NoSteps,
  type Step,
} from './shared/failure-report.ts';
import { asPhaseError, makeHandler } from './shared/handler.ts';
import { type Rollout, releaseHold, takeHoldAgain } from './shared/hold.ts';
import { heldPerhaps, notHeld, nothingOfSite, readHoldAfter } from './shared/hold-after-failure.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { describeService, readReplacement, replaceNodes, updateService } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { writeParameters } from './shared/parameters.ts';
import { endLeftExchange } from './shared/rds/left-exchange.ts';
import { findRestored } from './shared/rds/put-back-database.ts';
import { putScalingBack, readCapacity } from './shared/scaling.ts';
import { readLogin } from './shared/secrets.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { runTask, stopTasks } from './shared/tasks.ts';
import { adoptRun, finishRun, hasTouchedSite, readOpenRun, setStage, type UpdateRun } from './shared/update-run.ts';
import { upgradeTasks, wayBackPurposes } from './shared/update-words.ts';

export interface PutBackUpdateClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly rds: RDSClient;
  readonly secrets: SecretsManagerClient;
  readonly settings: Settings;
}

interface FailedUpdate extends FailedExecution {
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
 * @throws DatabaseNotRestored, UpgradeFailed (still in maintenance), UpdateUnfinished, HoldLost: the site stays held
 */
export async function putBackUpdate(
  clients: PutBackUpdateClients,
  { site, execution, input, rollout: given, unfinished }: FailedUpdate,
): Promise<FailureReport | PutBackBefore> {
  const rollout = { site, execution };
  const failed = { ...rollout, input };
  const state = approvalInWords(given);
  const kind = kindOf(state);
  // While no database has the site's name, nothing can be asked of it, and only this can be done.
  const login = () => readLogin(clients.secrets, clients.settings.databaseSecretArn);
  await endLeftExchange(clients.rds, clients.settings, login);
  await holdRestoredSite(clients, rollout, state);
  const hold = await readHoldAfter(clients.database, site, state);
  if (hold === 'not to be read') return failureReport(kind, failed, state, heldPerhaps);
  if (hold?.execution !== execution) return failureReport(kind, failed, state, notHeld(state, hold));

  const run = await readOpenRun(clients.database, site);
  const touched = run !== undefined && (await isTouched(clients, rollout, run));
  const origin = originOf(rollout, state);
  if (touched && run.execution !== execution && run.execution !== origin) throw notTakenOver(run);
  // A restored database has the update as that of the execution that began it.
  if (origin !== execution) await adoptRun(clients.database, rollout, origin);
  const steps = touched ? await allBack(clients, rollout, run, hold.before) : [];
  await finishRun(clients.database, rollout, 'put back');
  if (unfinished) return { putBack: steps.map(({ what }) => what).join('; ') || 'nothing had to be' };
  await releaseHold(clients.database, rollout);
  return failureReport(kind, failed, state, touched ? steps : untouched(state));
}

/** Before it took the update over that another execution left: the next one has what there is to put back. */
function notTakenOver({ execution, stage }: UpdateRun): UpdateUnfinished {
  return new UpdateUnfinished(
    `This rollout failed before it took over the update that ${execution} left (${stage}). That stays as it is, and the site ` +
      'is held, so that nothing of what it was before is lost. Start a plugin update, which puts that one back or finishes it.',
  );
}

/** Before *Upgrade* a rollout changes nothing of the site; but it may have put back what another had left. */
function untouched({ putBackBefore }: FailedRollout): NoSteps {
  if (putBackBefore === undefined || putBackBefore === null) return nothingOfSite;
  const { putBack } = putBackBefore as PutBackBefore;
  return {
    words: `Of this update nothing was changed. The unfinished one was put back before it: ${putBack}.\nThe site is released.`,
    outcome: 'put back',
  };
}

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
  const hours = approvalSeconds / 3600;
  const Cause = `Nobody approved or refused within ${hours} ${hours === 1 ? 'hour' : 'hours'}.`;
  return { ...state, failure: { Error: 'ApprovalExpired', Cause } };
}

/** The execution that began the update which this one took over; this one where it took none over. */
function originOf({ execution }: Rollout, { checked }: FailedRollout): string {
  return (checked as { origin?: string } | undefined)?.origin ?? execution;
}

/**
 * A restored database shows the site held by the execution that was at its upgrade then: by another, where this one had
 * taken the update over.
 */
async function holdRestoredSite(
  { database, rds, settings }: PutBackUpdateClients,
  rollout: Rollout,
  state: FailedRollout,
): Promise<void> {
  const origin = originOf(rollout, state);
  if (origin === rollout.execution) return;
  const restored = await findRestored(rds, settings, { site: rollout.site, execution: origin });
  if (restored) await takeHoldAgain(database, rollout, origin);
}

/** A row that was restored from the snapshot says that nothing of the site was changed yet. */
async function isTouched({ rds, settings }: PutBackUpdateClients, { site }: Rollout, run: UpdateRun): Promise<boolean> {
  return hasTouchedSite(run) || (await findRestored(rds, settings, { site, execution: run.origin })) !== undefined;
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

  const steps: Step[] = back.words ? [{ what: back.words, of: ['Upgrade'] }] : [];
  const passing: Error[] = [];
  const purposes = wayBackPurposes(run.origin);
  const attempt = async (what: string, work: () => Promise<boolean>, of: readonly string[] = []) => {
    try {
      if (await work()) steps.push({ what, of });
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
      steps.push({ what, problem: error.message, of });
    }
  };
  await attempt(
    `nodes with the image ${before.parameters['image-tag']}`,
    () => nodesBack(clients, rollout, purposes.nodes, before),
    ['Upgrade', 'Roll nodes'],
  );
  let maintenance: Error | undefined;
  if (back.mayBeInMaintenance) {
    await attempt('maintenance ended', async () => {
      maintenance = await endMaintenance(clients, rollout, purposes.endMaintenance, before);
      return maintenance === undefined;
    });
  }
  await attempt(`${before.cronDesired} cron nodes`, () => cronBack(clients, before));
  await attempt('automatic scaling', () => scalingBack(clients, before));
  if (passing[0]) throw passing[0];
  if (maintenance) throw maintenance;
  return steps;
}

/** @returns whether anything had to change */
async function nodesBack(
  clients: PutBackUpdateClients,
  rollout: Rollout,
  purpose: string,
  { taskDefinition, parameters }: BeforeRollout,
): Promise<boolean> {
  const { database, ecs, ssm, settings } = clients;
  await writeParameters(ssm, settings, { 'image-tag': parameters['image-tag'] });
  const service = await describeService(ecs, settings, settings.webServiceName);
  const asked = await readReplacement(database, rollout, purpose);
  if (service.taskDefinition === taskDefinition && !asked) return false;
  await replaceNodes(clients, rollout, purpose, { taskDefinition });
  return true;
}

/** @returns why the site is still in maintenance: so it is not released, and the next update goes on from here */
async function endMaintenance(
  clients: PutBackUpdateClients,
  rollout: Rollout,
  purpose: string,
  { taskDefinition }: BeforeRollout,
): Promise<Error | undefined> {
  const report = await runTask(clients, rollout, purpose, ['end-maintenance'], { taskDefinition });
  if (report.ok) return undefined;
  const problem = report.problem ?? 'no reason was given';
  // The task says of maintenance how it is, when it came so far.
  if (typeof report.maintenance === 'string') throw new UpgradeFailed(`${problem}. Purge the caches by hand`);
  return new UpgradeFailed(
    `The site is still in maintenance: the task that was to end it could not (${problem}). All else was put back. Read the ` +
      'task’s log, mend the cause and start a plugin update, which ends it before anything else.',
  );
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

/** The node count is left alone, as an update does not change it; but the exam day of this moment has its nodes. */
async function scalingBack(
  { ecs, scaling, ssm, settings }: PutBackUpdateClients,
  before: BeforeRollout,
): Promise<boolean> {
  const { suspended } = await readCapacity(scaling, settings);
  await putScalingBack({ scaling, ssm, settings }, before.capacity);
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
      secrets: new SecretsManagerClient({}),
    };
  },
  putBackUpdate,
);
