import {
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import type { Settings } from '../settings.ts';
import { type FoundDatabase, isBusy, tagListOf } from './databases.ts';
import { mayBeRemoved, tagValues } from './names.ts';

/** Databases that a way back replaced, and whose days are over. The site's own is never among them. */
export async function listRemovable(
  rds: RDSClient,
  { site, databaseKind, databaseIdentifier }: Pick<Settings, 'site' | 'databaseKind' | 'databaseIdentifier'>,
): Promise<FoundDatabase[]> {
  const all = await listDatabases(rds, { databaseKind });
  return all.filter(
    (found) => identifierOf(found) !== databaseIdentifier && mayBeRemoved(tagValues(tagListOf(found)), site),
  );
}

/** All databases of the site's kind in the account and region. */
export async function listDatabases(
  rds: RDSClient,
  { databaseKind }: Pick<Settings, 'databaseKind'>,
): Promise<FoundDatabase[]> {
  return databaseKind === 'cluster' ? listClusters(rds) : listInstances(rds);
}

/** For good, without a last snapshot: RDS goes on by itself, and a call that comes again finds it being deleted. */
export async function removeDatabase(rds: RDSClient, found: FoundDatabase): Promise<void> {
  if (found.kind === 'instance') return removeInstance(rds, found.instance.DBInstanceIdentifier ?? '', found);
  const { DBClusterIdentifier, DBClusterMembers = [], DeletionProtection, Status } = found.cluster;
  if (Status === 'deleting') return;
  if (DeletionProtection) {
    await rds.send(
      new ModifyDBClusterCommand({ DBClusterIdentifier, DeletionProtection: false, ApplyImmediately: true }),
    );
  }
  for (const { DBInstanceIdentifier } of DBClusterMembers) {
    try {
      await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true }));
    } catch (error) {
      // After a kill it is being deleted already.
      if (!isBusy(error)) throw error;
    }
  }
  await rds.send(new DeleteDBClusterCommand({ DBClusterIdentifier, SkipFinalSnapshot: true }));
}

async function removeInstance(
  rds: RDSClient,
  DBInstanceIdentifier: string,
  { instance }: Extract<FoundDatabase, { kind: 'instance' }>,
): Promise<void> {
  if (instance.DBInstanceStatus === 'deleting') return;
  if (instance.DeletionProtection) {
    await rds.send(
      new ModifyDBInstanceCommand({ DBInstanceIdentifier, DeletionProtection: false, ApplyImmediately: true }),
    );
  }
  await rds.send(
    new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true, DeleteAutomatedBackups: true }),
  );
}

async function listClusters(rds: RDSClient): Promise<FoundDatabase[]> {
  const found: FoundDatabase[] = [];
  let Marker: string | undefined;
  do {
    const answer = await rds.send(new DescribeDBClustersCommand(Marker ? { Marker } : {}));
    found.push(...(answer.DBClusters ?? []).map((cluster) => ({ kind: 'cluster' as const, cluster })));
    Marker = answer.Marker;
  } while (Marker);
  return found;
}

async function listInstances(rds: RDSClient): Promise<FoundDatabase[]> {
  const found: FoundDatabase[] = [];
  let Marker: string | undefined;
  do {
    const answer = await rds.send(new DescribeDBInstancesCommand(Marker ? { Marker } : {}));
    const alone = (answer.DBInstances ?? []).filter(({ DBClusterIdentifier }) => !DBClusterIdentifier);
    found.push(...alone.map((instance) => ({ kind: 'instance' as const, instance })));
    Marker = answer.Marker;
  } while (Marker);
  return found;
}

export const identifierOf = (found: FoundDatabase): string =>
  (found.kind === 'cluster' ? found.cluster.DBClusterIdentifier : found.instance.DBInstanceIdentifier) ?? '';
