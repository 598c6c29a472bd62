import { createHash } from 'node:crypto';
import { BackupClient, DescribeBackupJobCommand, StartBackupJobCommand } from '@aws-sdk/client-backup';
import { RDSClient } from '@aws-sdk/client-rds';
import { SnapshotFailed, SnapshotStillBeingTaken } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout, write } from './shared/hold.ts';
import { type MoodleDatabase, textOrNull } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { isBusy } from './shared/rds/databases.ts';
import { day, inDays, namesOf, tagNames } from './shared/rds/names.ts';
import { createSnapshot, findSnapshot } from './shared/rds/snapshots.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import type { UpdatePhaseInput } from './shared/update-plan.ts';
import { openRun, rememberSnapshot } from './shared/update-run.ts';

export interface TakeSnapshotClients {
  readonly database: MoodleDatabase;
  readonly rds: RDSClient;
  readonly backup: BackupClient;
  readonly settings: Settings;
}

export interface TakenSnapshot {
  readonly snapshot: string;
  /** Recovery point of the shared files, or why none is needed. */
  readonly files: string;
  readonly keptUntil: string;
}

/**
 * Takes what the site can be brought back from by hand, and by the way back where backups do not reach: a snapshot of
 * the database, and where files change a recovery point of them. Opens the update's row.
 *
 * @throws SnapshotStillBeingTaken with how far it is
 * @throws SnapshotFailed, HoldLost
 */
export async function takeSnapshot(
  clients: TakeSnapshotClients,
  { site, execution, plan }: UpdatePhaseInput,
): Promise<TakenSnapshot> {
  const { database, rds, settings } = clients;
  const rollout = { site, execution };
  await assertHeld(database, rollout);
  await openRun(database, rollout, plan);
  const { snapshot: identifier } = namesOf(rollout);
  const keptUntil = day(inDays(plan.snapshotRetentionDays));

  const snapshot = await findSnapshot(rds, settings, identifier);
  if (!snapshot) {
    const tags = { [tagNames.site]: site, [tagNames.execution]: execution, [tagNames.keptUntil]: keptUntil };
    await createSnapshot(rds, settings, identifier, tags).catch((error: unknown) => {
      throw notTaken(error, identifier);
    });
    await rememberSnapshot(database, rollout, identifier);
  }
  const files = plan.filesChange ? await recoveryPoint(clients, rollout, plan.snapshotRetentionDays) : noChange;
  const status = snapshot?.status ?? 'creating';
  if (/fail|incompatible/.test(status)) {
    throw new SnapshotFailed(
      `RDS did not take the snapshot ${identifier} of the database: it is ${status}. The site was not touched. Look into the ` +
        'events of RDS, and start the rollout again.',
    );
  }
  if (status !== 'available' || files === undefined) {
    const percent = snapshot?.percent ? `, ${snapshot.percent} %` : '';
    throw new SnapshotStillBeingTaken(
      `The snapshot ${identifier} is ${status}${percent}${files === undefined ? '; the recovery point of the files is being made' : ''}.`,
    );
  }
  // Once more: a kill between the snapshot and its row must not leave the way back without it.
  await rememberSnapshot(database, rollout, identifier);
  return { snapshot: identifier, files, keptUntil };
}

function notTaken(error: unknown, identifier: string): unknown {
  if (isBusy(error)) {
    return new SnapshotStillBeingTaken(`RDS is at work on the database and takes no snapshot now (${error.name}).`);
  }
  if (!(error instanceof Error) || !/^SnapshotQuotaExceeded/.test(error.name)) return error;
  return new SnapshotFailed(
    `RDS did not take the snapshot ${identifier} of the database: the account has as many as it may have (${error.message}). The ` +
      'site was not touched. Delete snapshots that nobody needs, or have the quota raised, and start the rollout again.',
  );
}

const noChange = 'none needed: this update changes no files';

/** The job is kept among the tasks of this execution, under this purpose, by its id. */
const purpose = 'recovery point';

/** @returns its ARN; undefined while it is being made */
async function recoveryPoint(
  { database, backup, settings }: TakeSnapshotClients,
  rollout: Rollout,
  keepDays: number,
): Promise<string | undefined> {
  const [row] = await database.query(
    `SELECT task_arn FROM moodle_lifecycle.task_run
      WHERE site = :site AND execution = :execution AND purpose = :purpose`,
    { ...rollout, purpose },
  );
  const id = textOrNull(row, 'task_arn');
  if (!id) {
    const { BackupJobId = '' } = await backup.send(
      new StartBackupJobCommand({
        BackupVaultName: settings.backupVaultName,
        IamRoleArn: settings.backupRoleArn,
        ResourceArn: settings.fileSystemArn,
        // After a kill before the id was written, the same job is answered.
        IdempotencyToken: createHash('sha256').update(rollout.execution).digest('hex').slice(0, 32),
        Lifecycle: { DeleteAfterDays: keepDays },
        RecoveryPointTags: { [tagNames.site]: rollout.site, [tagNames.execution]: rollout.execution },
      }),
    );
    const { now, orUpdate } = database.dialect;
    await write(
      database,
      rollout,
      `INSERT INTO moodle_lifecycle.task_run (site, execution, purpose, task_arn, requested_at)
       SELECT :site, :execution, :purpose, :id, ${now} WHERE {held}
       ${orUpdate(['site', 'execution', 'purpose'], ['task_arn'])}`,
      { purpose, id: BackupJobId },
      { orNone: true },
    );
    return undefined;
  }
  const job = await backup.send(new DescribeBackupJobCommand({ BackupJobId: id }));
  if (job.State === 'COMPLETED') return job.RecoveryPointArn ?? id;
  if (job.State && ['ABORTED', 'ABORTING', 'FAILED', 'EXPIRED', 'PARTIAL'].includes(job.State)) {
    throw new SnapshotFailed(
      `AWS Backup did not make the recovery point of the shared files: ${job.State}${job.StatusMessage ? `, ${job.StatusMessage}` : ''} ` +
        `(job ${id}). The site was not touched. Mend the cause, and start the rollout again.`,
    );
  }
  return undefined;
}

export const handler = makeHandler(
  'Take snapshot',
  (): TakeSnapshotClients => {
    const settings = settingsFrom();
    return { settings, database: openDatabase(settings), rds: new RDSClient({}), backup: new BackupClient({}) };
  },
  takeSnapshot,
);
