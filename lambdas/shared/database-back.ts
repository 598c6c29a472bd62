import type { ECSClient } from '@aws-sdk/client-ecs';
import type { RDSClient } from '@aws-sdk/client-rds';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { BeforeRollout } from './before-rollout.ts';
import { DatabaseNotRestored } from './errors.ts';
import type { Rollout } from './hold.ts';
import type { MoodleDatabase } from './moodle-database.ts';
import { findRestored, isRestoring, putBackDatabase, type RestoredDatabase } from './rds/put-back-database.ts';
import { putRowsBack } from './rows-back.ts';
import { fingerprintSchema } from './schema-fingerprint.ts';
import { readLogin } from './secrets.ts';
import type { Settings } from './settings.ts';
import { runTask, taskAge } from './tasks.ts';
import { setStage, type UpdateRun } from './update-run.ts';
import { wayBackPurposes } from './update-words.ts';

interface BackClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly rds: RDSClient;
  readonly secrets: SecretsManagerClient;
  readonly settings: Settings;
}

export interface DatabaseBack {
  /** What was put back; undefined when the upgrade had not begun. */
  readonly words: string | undefined;
  /** Whether maintenance, Moodle's lock or caches of the upgrade are left, which a task has to end. */
  readonly mayBeInMaintenance: boolean;
}

/**
 * How long after the end of the upgrade the database still goes back by itself: users write again from then on, and
 * that would be lost. The phases after the upgrade take minutes.
 */
const lossLimitSeconds = 3600;

/**
 * The database as it was before Moodle's upgrade.
 *
 * An upgrade for which Moodle needs no maintenance changes no schema, and of rows the versions and settings of its
 * plugins: those go back, and nobody notices. Any other goes back as a whole, to the instant at which maintenance stood.
 *
 * @throws TaskStillRunning, DatabaseStillBeingRestored until it is done
 * @throws DatabaseNotRestored, HoldLost
 */
export async function databaseBack(
  clients: BackClients,
  rollout: Rollout,
  run: UpdateRun,
  before: BeforeRollout,
): Promise<DatabaseBack> {
  const { database, rds, secrets, settings } = clients;
  const update = { site: rollout.site, execution: run.origin };
  if (run.upgradeStartedAt === null) {
    const restored = await findRestored(rds, settings, update);
    if (!restored) return { words: undefined, mayBeInMaintenance: run.maintenanceSince !== null };
    // The restored database's own row: before the upgrade, and after maintenance began.
    await purgeCaches(clients, rollout, run, before);
    return { words: restoredWords(run, restored), mayBeInMaintenance: true };
  }
  if (run.databaseBack !== null) return { words: run.databaseBack, mayBeInMaintenance: true };
  const unchanged =
    !run.maintenanceRequired &&
    run.schemaBefore !== null &&
    run.schemaBefore === (await fingerprintSchema(database, settings.databasePrefix));
  if (unchanged) {
    const words = 'versions and settings of the plugins in the database';
    await putRowsBack(database, settings, rollout, words);
    return { words, mayBeInMaintenance: true };
  }
  await assertLittleIsLost(clients, rollout, run);
  await inMaintenance(clients, rollout, run, before);
  const restored = await putBackDatabase(rds, settings, update, {
    at: instantToRestore(run),
    snapshot: run.snapshot ?? undefined,
    keepDays: run.plan.snapshotRetentionDays,
    readLogin: () => readLogin(secrets, settings.databaseSecretArn),
  });
  return { words: restoredWords(run, restored), mayBeInMaintenance: true };
}

/**
 * RDS restores to whole seconds. The image waits for two of them between the moment at which maintenance stood and
 * the first change of the upgrade, so the next whole one is after the last change of a user and before that. Without maintenance there is no such
 * moment, and the last one before the upgrade is taken.
 */
export function instantToRestore({ maintenanceSince, upgradeStartedAt }: UpdateRun): Date {
  const seconds = maintenanceSince === null ? Math.floor(upgradeStartedAt ?? 0) : Math.ceil(maintenanceSince);
  return new Date(seconds * 1000);
}

function restoredWords({ plan }: UpdateRun, { restoredTo, kept }: RestoredDatabase): string {
  // Date.parse() takes some names of snapshots for moments.
  const what = /^\d{4}-\d\d-\d\dT/.test(restoredTo)
    ? `at ${restoredTo}`
    : `in the snapshot ${restoredTo}, without what users wrote after that was taken`;
  return (
    `the database as ${what} (the one that the upgrade changed, with all that was written since, is kept as ${kept} for ` +
    `${plan.snapshotRetentionDays} days)`
  );
}

/** Not asked any more once the way back has begun: users write nothing in maintenance, however long a restore takes. */
async function assertLittleIsLost(
  { database, rds, settings }: BackClients,
  rollout: Rollout,
  run: UpdateRun,
): Promise<void> {
  const open = run.maintenanceEndedAt ?? run.upgradeEndedAt;
  if (open === null || Date.now() / 1000 - open < lossLimitSeconds) return;
  if ((await taskAge(database, rollout, wayBackPurposes(run.origin).beginMaintenance)) !== undefined) return;
  if (await isRestoring(rds, settings, { site: rollout.site, execution: run.origin })) return;
  // So that the next update finishes this one, as the message says.
  await setStage(database, rollout, 'upgraded');
  throw new DatabaseNotRestored(
    `The upgrade ended at ${new Date(open * 1000).toISOString()}, and users have written since. Going back to before it would lose ` +
      'that, so the database was left as it is, with the new image. Mend what fails and start a plugin update, which finishes ' +
      `this one; or restore it by hand to ${instantToRestore(run).toISOString()}` +
      `${run.snapshot ? ` or from the snapshot ${run.snapshot}` : ''}.`,
  );
}

/** So that nobody writes what would be lost. A failed upgrade has left maintenance on, a finished one has ended it. */
async function inMaintenance(
  clients: BackClients,
  rollout: Rollout,
  { origin }: UpdateRun,
  { taskDefinition }: BeforeRollout,
): Promise<void> {
  const { beginMaintenance } = wayBackPurposes(origin);
  const report = await runTask(clients, rollout, beginMaintenance, ['begin-maintenance'], { taskDefinition });
  if (report.ok) return;
  throw new DatabaseNotRestored(
    `Maintenance could not be begun before the database goes back: ${report.problem}. The database was left as the upgrade left ` +
      'it. Read the task’s log, and start the rollout again, which goes on putting back.',
  );
}

/** What the caches hold is newer than the database that was put back. */
async function purgeCaches(
  clients: BackClients,
  rollout: Rollout,
  { origin }: UpdateRun,
  { taskDefinition }: BeforeRollout,
): Promise<void> {
  await runTask(clients, rollout, wayBackPurposes(origin).purgeCaches, ['purge-caches'], { taskDefinition });
}
