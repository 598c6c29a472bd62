import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config } from '../config.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';

/**
 * What the phases of an update may do with the site's database, its snapshots and its copies. Copies and snapshots of
 * rollouts have names that begin with the site's (`lambdas/shared/rds/names.ts`); of nothing else may anything be made
 * or removed, and the site's own database may not be deleted by anybody here.
 */
export function databaseCopyPermissions(platform: PlatformStack, { site }: Config) {
  const stack = Stack.of(platform);
  const arn = (resource: string, resourceName: string) =>
    stack.formatArn({ service: 'rds', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  const { database } = platform;
  const ours = `moodle-${site}-*`;
  const isCluster = database.kind === 'cluster';
  const own = [
    database.arn,
    ...(database.kind === 'cluster' ? database.cluster.instanceIdentifiers.map((id) => arn('db', id)) : []),
  ];
  const copies = [...(isCluster ? [arn('cluster', ours)] : []), arn('db', ours)];
  const snapshots = [arn(isCluster ? 'cluster-snapshot' : 'snapshot', ours)];
  // Parameter, option and subnet groups are the source's own, handed on; their names are no part of any of ours.
  const groups = [...(isCluster ? [arn('cluster-pg', '*')] : []), arn('pg', '*'), arn('og', '*'), arn('subgrp', '*')];
  const of = <Name extends string>(cluster: Name[], instance: Name[]) => (isCluster ? cluster : instance);
  return {
    'take snapshots': [
      allow(of(['rds:CreateDBClusterSnapshot'], ['rds:CreateDBSnapshot']), [database.arn, ...snapshots]),
      allow(['rds:AddTagsToResource'], snapshots),
    ],
    // Lists are asked for as a whole, and what is ours is told by its tags.
    'find snapshots': [
      allow(of(['rds:DescribeDBClusterSnapshots'], ['rds:DescribeDBSnapshots']), [
        arn(isCluster ? 'cluster' : 'db', '*'),
        arn(isCluster ? 'cluster-snapshot' : 'snapshot', '*'),
      ]),
    ],
    'remove snapshots': [allow(of(['rds:DeleteDBClusterSnapshot'], ['rds:DeleteDBSnapshot']), snapshots)],
    'find databases': [
      ...(isCluster ? [allow(['rds:DescribeDBClusters'], [arn('cluster', '*')])] : []),
      allow(['rds:DescribeDBInstances'], [arn('db', '*')]),
    ],
    'restore databases': [
      allow(
        of(
          ['rds:RestoreDBClusterToPointInTime', 'rds:RestoreDBClusterFromSnapshot', 'rds:CreateDBInstance'],
          ['rds:RestoreDBInstanceToPointInTime', 'rds:RestoreDBInstanceFromDBSnapshot'],
        ),
        [database.arn, ...copies, ...snapshots, ...groups],
      ),
    ],
    'exchange databases': [
      ...(isCluster ? [allow(['rds:ModifyDBCluster', 'rds:EnableHttpEndpoint'], [database.arn, ...copies])] : []),
      allow(['rds:ModifyDBInstance', 'rds:AddTagsToResource'], [...own, ...copies]),
    ],
    'remove databases': [
      ...(isCluster ? [allow(['rds:DeleteDBCluster', 'rds:ModifyDBCluster'], copies)] : []),
      allow(['rds:DeleteDBInstance', 'rds:ModifyDBInstance'], copies),
    ],
    'back files up': [
      allow(
        ['backup:StartBackupJob'],
        [platform.backups.vault.backupVaultArn, platform.files.fileSystem.fileSystemArn],
      ),
      // A job has no resource to name.
      allow(['backup:DescribeBackupJob'], ['*']),
      allow(['iam:PassRole'], [platform.backups.role.roleArn], {
        StringEquals: { 'iam:PassedToService': 'backup.amazonaws.com' },
      }),
    ],
  } as const satisfies Readonly<Record<string, readonly PolicyStatement[]>>;
}

function allow(actions: string[], resources: string[], conditions?: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({ actions, resources, ...(conditions && { conditions }) });
}
