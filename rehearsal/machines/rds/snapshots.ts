import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AwsError } from '../../endpoint/service.ts';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { engineOf } from './engines.ts';
import {
  allDatabases,
  allSnapshots,
  type DatabaseRecord,
  keyOf,
  type MemberRecord,
  type SnapshotRecord,
  snapshotRecords,
  type Tag,
} from './records.ts';
import { withServer } from './servers.ts';
import { later, seconds } from './transitions.ts';

/** When RDS takes the first automated backup of a database here: at once it would slow down what a rollout does next. */
const FIRST_BACKUP_SECONDS = 3_600;

export interface SnapshotRequest {
  readonly identifier: string;
  readonly type: SnapshotRecord['type'];
  readonly tags: readonly Tag[];
}

/**
 * Starts a copy of a database and returns; it goes on by itself.
 *
 * @throws AwsError DBClusterSnapshotAlreadyExistsFault, DBSnapshotAlreadyExists, InvalidDBClusterStateFault,
 *   InvalidDBInstanceState; then nothing was started
 */
export function createSnapshot(world: World, source: DatabaseRecord, request: SnapshotRequest): SnapshotRecord {
  const { identifier, type, tags } = request;
  const { of } = source;
  if (snapshotRecords(world).get(keyOf({ of, identifier }))) {
    throw of === 'cluster'
      ? new AwsError(
          'DBClusterSnapshotAlreadyExistsFault',
          `Cannot create the cluster snapshot because one with the identifier ${identifier} already exists.`,
        )
      : new AwsError(
          'DBSnapshotAlreadyExists',
          `Cannot create the snapshot because a snapshot with the identifier ${identifier} already exists.`,
        );
  }
  requireAvailable(source);
  const snapshot: SnapshotRecord = {
    identifier,
    of,
    type,
    status: 'creating',
    created: Date.now(),
    tags: [...(source.copyTagsToSnapshot ? source.tags : []), ...tags],
    source,
    folder: join(world.directory, 'backups', `${of}-${identifier.replace(':', '-')}`),
  };
  save(world, snapshot);
  later(
    world,
    0,
    () => copy(world, snapshot),
    () => save(world, { ...snapshot, status: 'failed' }),
  );
  return snapshot;
}

/** @throws AwsError InvalidDBClusterStateFault, InvalidDBInstanceState */
export function requireAvailable({
  of,
  identifier,
  status,
}: Pick<DatabaseRecord | MemberRecord, 'of' | 'identifier' | 'status'>): void {
  if (status === 'available') return;
  throw of === 'cluster'
    ? new AwsError('InvalidDBClusterStateFault', `DB cluster ${identifier} is not in available state; it is ${status}.`)
    : new AwsError(
        'InvalidDBInstanceState',
        `Database instance ${identifier} is not in available state; it is ${status}.`,
      );
}

async function copy(world: World, snapshot: SnapshotRecord): Promise<void> {
  const { source, folder } = snapshot;
  const atLeast = wait(world.scaled(seconds.snapshot), undefined, { ref: false });
  await withServer(world, source, (server) => engineOf(source.engine).backUp(world, source.server, server, folder));
  const completed = Date.now();
  await atLeast;
  // It may have been deleted meanwhile, with its database.
  if (snapshotRecords(world).get(keyOf(snapshot))) {
    save(world, { ...snapshot, status: 'available', completed });
  } else rmSync(folder, { recursive: true, force: true });
}

function save(world: World, snapshot: SnapshotRecord): void {
  snapshotRecords(world).set(keyOf(snapshot), snapshot);
}

/** Removes a snapshot. @throws AwsError InvalidDBClusterSnapshotStateFault, InvalidDBSnapshotState */
export function deleteSnapshot(world: World, snapshot: SnapshotRecord): void {
  const code = snapshot.of === 'cluster' ? 'InvalidDBClusterSnapshotStateFault' : 'InvalidDBSnapshotState';
  if (snapshot.type === 'automated') {
    throw new AwsError(code, 'Only manual snapshots may be deleted.');
  }
  if (snapshot.status === 'creating') {
    throw new AwsError(code, `Cannot delete the snapshot ${snapshot.identifier}: it is being created.`);
  }
  forget(world, snapshot);
}

/** Automated backups go with their database; manual snapshots stay. */
export function deleteAutomatedBackups(world: World, { server }: DatabaseRecord): void {
  for (const snapshot of allSnapshots(world)) {
    if (snapshot.type === 'automated' && snapshot.source.server === server) forget(world, snapshot);
  }
}

/** Whether a copy of the database is being made. */
export function isBeingCopied(world: World, { server }: DatabaseRecord): boolean {
  return allSnapshots(world).some(({ status, source }) => status === 'creating' && source.server === server);
}

function forget(world: World, snapshot: SnapshotRecord): void {
  snapshotRecords(world).delete(keyOf(snapshot));
  rmSync(snapshot.folder, { recursive: true, force: true });
}

/** What a rehearsal that ended left half copied will not be finished. */
export function failLeftSnapshots(world: World): void {
  for (const snapshot of allSnapshots(world)) {
    if (snapshot.status === 'creating') save(world, { ...snapshot, status: 'failed' });
  }
}

const backupsPlannedOf = perWorld(() => new Set<string>());

/** Once per database and rehearsal, whatever name the database has by then. */
export function planFirstBackup(world: World, { resourceId }: DatabaseRecord): void {
  if (backupsPlannedOf(world).has(resourceId)) return;
  backupsPlannedOf(world).add(resourceId);
  const backUp = async () => {
    const record = allDatabases(world).find((database) => database.resourceId === resourceId);
    if (record?.status !== 'available' || record.backupRetentionDays === 0) return;
    const moment = new Date().toISOString().slice(0, 16).replace(/[T:]/g, '-');
    const identifier = `rds:${record.identifier}-${moment}`;
    createSnapshot(world, record, { identifier, type: 'automated', tags: [] });
  };
  // A backup that does not come is seen by its absence.
  later(world, FIRST_BACKUP_SECONDS, backUp, () => {});
}
