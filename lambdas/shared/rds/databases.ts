import {
  type DBCluster,
  type DBInstance,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import type { Settings } from '../settings.ts';

/** A database of RDS as it is now: the site's own, a restored copy, or the one that such a copy replaced. */
export type FoundDatabase =
  | { readonly kind: 'cluster'; readonly cluster: DBCluster }
  | { readonly kind: 'instance'; readonly instance: DBInstance };

type Kind = Pick<Settings, 'databaseKind'>;

export async function findDatabase(
  rds: RDSClient,
  { databaseKind }: Kind,
  identifier: string,
): Promise<FoundDatabase | undefined> {
  if (databaseKind === 'instance') {
    const instance = await findInstance(rds, identifier);
    return instance && { kind: 'instance', instance };
  }
  const cluster = await findCluster(rds, identifier);
  return cluster && { kind: 'cluster', cluster };
}

export async function findCluster(rds: RDSClient, identifier: string): Promise<DBCluster | undefined> {
  return unlessMissing(async () => {
    const { DBClusters: [found] = [] } = await rds.send(
      new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }),
    );
    return found;
  });
}

export async function findInstance(rds: RDSClient, identifier: string): Promise<DBInstance | undefined> {
  return unlessMissing(async () => {
    const { DBInstances: [found] = [] } = await rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }),
    );
    return found;
  });
}

async function unlessMissing<Found>(ask: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await ask();
  } catch (error) {
    // The query protocol names the fault with or without its suffix, by version of the client.
    if (error instanceof Error && /^DB(Cluster|Instance)NotFound/.test(error.name)) return undefined;
    throw error;
  }
}

/**
 * RDS changes nothing while it changes it already (a backup is one), and refuses a name that is taken; both it knows
 * before its lists show it. So these pass, where what is asked for follows from those lists.
 */
export const isBusy = (error: unknown): error is Error =>
  error instanceof Error &&
  /^(InvalidDB(Cluster|Instance)State|DB(Cluster|Instance|ClusterSnapshot|Snapshot)AlreadyExists)(Fault)?$/.test(
    error.name,
  );

export const statusOf = (found: FoundDatabase): string =>
  (found.kind === 'cluster' ? found.cluster.Status : found.instance.DBInstanceStatus) ?? '';

export const tagListOf = (found: FoundDatabase) =>
  (found.kind === 'cluster' ? found.cluster.TagList : found.instance.TagList) ?? [];

export const arnOf = (found: FoundDatabase): string =>
  (found.kind === 'cluster' ? found.cluster.DBClusterArn : found.instance.DBInstanceArn) ?? '';
