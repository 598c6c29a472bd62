import {
  CreateDBClusterSnapshotCommand,
  CreateDBSnapshotCommand,
  type DBClusterSnapshot,
  type DBSnapshot,
  DeleteDBClusterSnapshotCommand,
  DeleteDBSnapshotCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBSnapshotsCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import type { Settings } from '../settings.ts';
import { type TagValues, tagsOf, tagValues } from './names.ts';

export interface Snapshot {
  readonly identifier: string;
  readonly status: string;
  /** 0 to 100. */
  readonly percent: number;
  readonly createdAt: Date | undefined;
  readonly tags: TagValues;
}

type Database = Pick<Settings, 'databaseKind' | 'databaseIdentifier'>;

/** @throws the fault of RDS when the name is taken already */
export async function createSnapshot(
  rds: RDSClient,
  { databaseKind, databaseIdentifier }: Database,
  identifier: string,
  tags: TagValues,
): Promise<void> {
  await (databaseKind === 'cluster'
    ? rds.send(
        new CreateDBClusterSnapshotCommand({
          DBClusterIdentifier: databaseIdentifier,
          DBClusterSnapshotIdentifier: identifier,
          Tags: tagsOf(tags),
        }),
      )
    : rds.send(
        new CreateDBSnapshotCommand({
          DBInstanceIdentifier: databaseIdentifier,
          DBSnapshotIdentifier: identifier,
          Tags: tagsOf(tags),
        }),
      ));
}

export async function findSnapshot(
  rds: RDSClient,
  { databaseKind }: Pick<Database, 'databaseKind'>,
  identifier: string,
): Promise<Snapshot | undefined> {
  try {
    return databaseKind === 'cluster'
      ? await clusterSnapshot(rds, identifier)
      : await instanceSnapshot(rds, identifier);
  } catch (error) {
    if (error instanceof Error && /SnapshotNotFound/.test(error.name)) return undefined;
    throw error;
  }
}

async function clusterSnapshot(rds: RDSClient, DBClusterSnapshotIdentifier: string): Promise<Snapshot | undefined> {
  const { DBClusterSnapshots: [found] = [] } = await rds.send(
    new DescribeDBClusterSnapshotsCommand({ DBClusterSnapshotIdentifier }),
  );
  return found && snapshotOf(found.DBClusterSnapshotIdentifier, found);
}

async function instanceSnapshot(rds: RDSClient, DBSnapshotIdentifier: string): Promise<Snapshot | undefined> {
  const { DBSnapshots: [found] = [] } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier }));
  return found && snapshotOf(found.DBSnapshotIdentifier, found);
}

/** All snapshots of the account and region that a person or a rollout has taken. */
export async function listSnapshots(
  rds: RDSClient,
  { databaseKind }: Pick<Database, 'databaseKind'>,
): Promise<Snapshot[]> {
  const found: Snapshot[] = [];
  let Marker: string | undefined;
  do {
    const page = { SnapshotType: 'manual', ...(Marker ? { Marker } : {}) };
    if (databaseKind === 'cluster') {
      const answer = await rds.send(new DescribeDBClusterSnapshotsCommand(page));
      found.push(...(answer.DBClusterSnapshots ?? []).map((one) => snapshotOf(one.DBClusterSnapshotIdentifier, one)));
      Marker = answer.Marker;
    } else {
      const answer = await rds.send(new DescribeDBSnapshotsCommand(page));
      found.push(...(answer.DBSnapshots ?? []).map((one) => snapshotOf(one.DBSnapshotIdentifier, one)));
      Marker = answer.Marker;
    }
  } while (Marker);
  return found;
}

export async function deleteSnapshot(
  rds: RDSClient,
  { databaseKind }: Pick<Database, 'databaseKind'>,
  identifier: string,
): Promise<void> {
  await (databaseKind === 'cluster'
    ? rds.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: identifier }))
    : rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: identifier })));
}

function snapshotOf(identifier = '', snapshot: DBClusterSnapshot | DBSnapshot): Snapshot {
  return {
    identifier,
    status: snapshot.Status ?? '',
    percent: snapshot.PercentProgress ?? 0,
    createdAt: snapshot.SnapshotCreateTime,
    tags: tagValues(snapshot.TagList),
  };
}
