import { AwsError } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import { engineOf } from './engines.ts';
import {
  allSnapshots,
  type DatabaseRecord,
  keyOf,
  type RestoreSource,
  type SnapshotRecord,
  snapshotRecords,
} from './records.ts';

/** RDS uploads the log of changes every five minutes. */
const UPLOAD_SECONDS = 300;

/** The copies that the log of a database's server can be replayed over, the oldest first. */
function basesOf(world: World, { server }: DatabaseRecord): SnapshotRecord[] {
  return allSnapshots(world)
    .filter((snapshot) => snapshot.source.server === server && snapshot.status === 'available')
    .sort((one, other) => (one.completed ?? 0) - (other.completed ?? 0));
}

/** The range of moments that a database can be restored to, as RDS shows it; absent before there is a first copy. */
export function restorableRange(
  world: World,
  record: DatabaseRecord,
): { earliest: number; latest: number } | undefined {
  const earliest = basesOf(world, record)[0]?.completed;
  if (earliest === undefined || record.backupRetentionDays === 0 || !engineOf(record.engine).pointInTime) {
    return undefined;
  }
  const interval = world.scaled(UPLOAD_SECONDS);
  const latest = earliest + Math.floor((Date.now() - earliest) / interval) * interval;
  return { earliest, latest };
}

/**
 * What a database as of a moment is made from.
 *
 * @param moment milliseconds since 1970, or the latest that there is
 * @throws AwsError InvalidParameterValue for a moment that cannot be reached, InvalidRestoreFault without any backup,
 *   PointInTimeRestoreNotEnabled, UnsupportedParameter for an engine without a log of changes
 */
export function sourceAt(world: World, record: DatabaseRecord, moment: number | 'latest'): RestoreSource {
  if (!engineOf(record.engine).pointInTime) {
    throw new AwsError(
      'UnsupportedParameter',
      `The rehearsal's ${record.engine} keeps no log of changes: it can be restored from a snapshot, not to a point in time. Nothing was done.`,
    );
  }
  if (record.backupRetentionDays === 0) {
    throw new AwsError(
      'PointInTimeRestoreNotEnabled',
      `${record.identifier} keeps no backups: its retention is 0 days.`,
    );
  }
  const range = restorableRange(world, record);
  if (!range) {
    throw new AwsError('InvalidRestoreFault', `${record.identifier} has no backup yet that it could be restored from.`);
  }
  const until = moment === 'latest' ? range.latest : moment;
  if (until > range.latest || until < range.earliest) {
    throw new AwsError(
      'InvalidParameterValue',
      `The restore time ${iso(until)} is not between the earliest restorable time ${iso(range.earliest)} and the latest restorable time ${iso(range.latest)} of ${record.identifier}.`,
    );
  }
  const base = basesOf(world, record).findLast(({ completed = 0 }) => completed <= until);
  return { snapshot: keyOf(base as SnapshotRecord), until };
}

/** @throws Error when the snapshot is gone */
export function findSource(world: World, { snapshot }: RestoreSource): SnapshotRecord {
  const found = snapshotRecords(world).get(snapshot);
  if (!found) throw new Error(`The snapshot ${snapshot} that a database is to be restored from is gone.`);
  return found;
}

const iso = (moment: number) => new Date(moment).toISOString();
