import {
  CreateDBInstanceCommand,
  type DBCluster,
  type DBInstance,
  EnableHttpEndpointCommand,
  type RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBClusterToPointInTimeCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { type FoundDatabase, findInstance } from './databases.ts';
import { requireNotLost } from './lost.ts';
import { inheritedTags, type TagValues, tagNames, tagsOf, tagValues } from './names.ts';

export type RestoreFrom = { readonly time: Date } | { readonly snapshot: string };

/**
 * Begins to restore a database beside the source, with the source's own network, parameters and keys: what is not given
 * would be the account's defaults. A clone (`copy-on-write`) would be quicker, but RDS gives one only of the latest
 * moment, and what is wanted is one before.
 */
export async function beginRestore(
  rds: RDSClient,
  source: FoundDatabase,
  target: string,
  from: RestoreFrom,
  tags: TagValues,
): Promise<void> {
  await (source.kind === 'cluster'
    ? restoreCluster(rds, source.cluster, target, from, tags)
    : restoreInstance(rds, source.instance, target, from, tags));
}

async function restoreCluster(
  rds: RDSClient,
  source: DBCluster,
  target: string,
  from: RestoreFrom,
  tags: TagValues,
): Promise<void> {
  const like = given({
    DBClusterIdentifier: target,
    Port: source.Port,
    DBSubnetGroupName: source.DBSubnetGroup,
    VpcSecurityGroupIds: groupIds(source.VpcSecurityGroups),
    DBClusterParameterGroupName: source.DBClusterParameterGroup,
    KmsKeyId: source.StorageEncrypted ? source.KmsKeyId : undefined,
    EnableIAMDatabaseAuthentication: source.IAMDatabaseAuthenticationEnabled,
    EnableCloudwatchLogsExports: source.EnabledCloudwatchLogsExports,
    DeletionProtection: source.DeletionProtection,
    CopyTagsToSnapshot: source.CopyTagsToSnapshot,
    StorageType: source.StorageType,
    NetworkType: source.NetworkType,
    BackupRetentionPeriod: source.BackupRetentionPeriod,
    PreferredBackupWindow: source.PreferredBackupWindow,
    EngineLifecycleSupport: source.EngineLifecycleSupport,
    ServerlessV2ScalingConfiguration: source.ServerlessV2ScalingConfiguration && {
      ...source.ServerlessV2ScalingConfiguration,
    },
    Tags: [...inheritedTags(source.TagList), ...tagsOf(tags)],
  });
  await ('time' in from
    ? rds.send(
        new RestoreDBClusterToPointInTimeCommand({
          ...like,
          SourceDBClusterIdentifier: source.DBClusterIdentifier,
          RestoreType: 'full-copy',
          RestoreToTime: from.time,
        }),
      )
    : rds.send(
        new RestoreDBClusterFromSnapshotCommand({
          ...like,
          SnapshotIdentifier: from.snapshot,
          Engine: source.Engine,
          EngineVersion: source.EngineVersion,
        }),
      ));
}

async function restoreInstance(
  rds: RDSClient,
  source: DBInstance,
  target: string,
  from: RestoreFrom,
  tags: TagValues,
): Promise<void> {
  const like = given({
    DBInstanceClass: source.DBInstanceClass,
    Port: source.Endpoint?.Port,
    DBSubnetGroupName: source.DBSubnetGroup?.DBSubnetGroupName,
    MultiAZ: source.MultiAZ,
    PubliclyAccessible: source.PubliclyAccessible,
    AutoMinorVersionUpgrade: source.AutoMinorVersionUpgrade,
    VpcSecurityGroupIds: groupIds(source.VpcSecurityGroups),
    DBParameterGroupName: source.DBParameterGroups?.[0]?.DBParameterGroupName,
    OptionGroupName: source.OptionGroupMemberships?.[0]?.OptionGroupName,
    EnableIAMDatabaseAuthentication: source.IAMDatabaseAuthenticationEnabled,
    EnableCloudwatchLogsExports: source.EnabledCloudwatchLogsExports,
    DeletionProtection: source.DeletionProtection,
    CopyTagsToSnapshot: source.CopyTagsToSnapshot,
    StorageType: source.StorageType,
    NetworkType: source.NetworkType,
    BackupRetentionPeriod: source.BackupRetentionPeriod,
    PreferredBackupWindow: source.PreferredBackupWindow,
    CACertificateIdentifier: source.CACertificateIdentifier,
    EngineLifecycleSupport: source.EngineLifecycleSupport,
    Tags: [...inheritedTags(source.TagList), ...tagsOf(tags)],
  });
  await ('time' in from
    ? rds.send(
        new RestoreDBInstanceToPointInTimeCommand({
          ...like,
          ...given({ MaxAllocatedStorage: source.MaxAllocatedStorage }),
          SourceDBInstanceIdentifier: source.DBInstanceIdentifier,
          TargetDBInstanceIdentifier: target,
          RestoreTime: from.time,
        }),
      )
    : rds.send(
        new RestoreDBInstanceFromDBSnapshotCommand({
          ...like,
          DBInstanceIdentifier: target,
          DBSnapshotIdentifier: from.snapshot,
        }),
      ));
}

/**
 * Makes a restored database what its source is. RDS restores a cluster without any instance and without the Data API.
 *
 * @param before name under which the source is kept, and its instances with a number
 * @returns what is not ready yet, in plain words; undefined when nothing is left to do
 * @throws DatabaseNotRestored when RDS gave up one of its instances
 */
export async function completeRestored(
  rds: RDSClient,
  source: FoundDatabase,
  restored: FoundDatabase,
  before: string,
): Promise<string | undefined> {
  if (restored.kind === 'instance' || source.kind === 'instance') {
    const status = restored.kind === 'instance' ? restored.instance.DBInstanceStatus : '';
    return status === 'available' ? undefined : `the restored database is ${status}`;
  }
  const { Status, DBClusterArn, DBClusterIdentifier = '', DBClusterMembers = [] } = restored.cluster;
  if (Status !== 'available') return `the restored database is ${Status}${percent(restored.cluster)}`;
  // The writer first: the first instance of a cluster becomes its writer.
  const wanted = [...(source.cluster.DBClusterMembers ?? [])].sort(
    (one, other) => Number(other.IsClusterWriter) - Number(one.IsClusterWriter),
  );
  // Once they are all there they take the names of the source's, which get others first; on its way between two names an
  // instance is shown under neither.
  const isExchanging = wanted.some(({ DBInstanceIdentifier }) => DBInstanceIdentifier?.startsWith(`${before}-`));
  if (DBClusterMembers.length < wanted.length) {
    if (isExchanging) return 'an instance of the restored database is being renamed';
    for (const [index, { DBInstanceIdentifier: name = '' }] of wanted.entries()) {
      const identifier = `${DBClusterIdentifier}-${index + 1}`;
      if (await findInstance(rds, identifier)) continue;
      await createMember(rds, await findInstance(rds, name), restored.cluster, identifier);
    }
    return 'instances of the restored database are being made';
  }
  for (const { DBInstanceIdentifier: name = '' } of DBClusterMembers) {
    const { DBInstanceStatus: status = 'not shown' } = (await findInstance(rds, name)) ?? {};
    requireNotLost(name, status);
    if (status !== 'available') return `the instance ${name} is ${status}`;
  }
  if (source.cluster.HttpEndpointEnabled && !restored.cluster.HttpEndpointEnabled) {
    await rds.send(new EnableHttpEndpointCommand({ ResourceArn: DBClusterArn }));
    return 'the Data API of the restored database is being switched on';
  }
  return undefined;
}

async function createMember(
  rds: RDSClient,
  like: DBInstance | undefined,
  cluster: DBCluster,
  identifier: string,
): Promise<void> {
  if (!like) return;
  const { [tagNames.site]: site, [tagNames.execution]: execution } = tagValues(cluster.TagList);
  await rds.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: identifier,
      DBClusterIdentifier: cluster.DBClusterIdentifier,
      DBInstanceClass: like.DBInstanceClass,
      Engine: cluster.Engine,
      ...given({
        DBParameterGroupName: like.DBParameterGroups?.[0]?.DBParameterGroupName,
        PubliclyAccessible: like.PubliclyAccessible,
        AutoMinorVersionUpgrade: like.AutoMinorVersionUpgrade,
        PromotionTier: like.PromotionTier,
        CopyTagsToSnapshot: like.CopyTagsToSnapshot,
        MonitoringInterval: like.MonitoringInterval,
        MonitoringRoleArn: like.MonitoringInterval ? like.MonitoringRoleArn : undefined,
        EnablePerformanceInsights: like.PerformanceInsightsEnabled,
        PerformanceInsightsKMSKeyId: like.PerformanceInsightsEnabled ? like.PerformanceInsightsKMSKeyId : undefined,
        CACertificateIdentifier: like.CACertificateIdentifier,
      }),
      Tags: [
        ...inheritedTags(like.TagList),
        ...tagsOf({
          ...(site ? { [tagNames.site]: site } : {}),
          ...(execution ? { [tagNames.execution]: execution } : {}),
          [tagNames.takesName]: like.DBInstanceIdentifier ?? '',
        }),
      ],
    }),
  );
}

/** The Data API of a cluster that has taken the site's name; the exchange may have switched it off. */
export async function assureDataApi(rds: RDSClient, source: DBCluster, current: DBCluster): Promise<boolean> {
  if (!source.HttpEndpointEnabled || current.HttpEndpointEnabled) return true;
  await rds.send(new EnableHttpEndpointCommand({ ResourceArn: current.DBClusterArn }));
  return false;
}

const percent = ({ PercentProgress }: DBCluster) => (PercentProgress ? ` (${PercentProgress} %)` : '');

const groupIds = (groups: DBCluster['VpcSecurityGroups'] = []) =>
  groups.map(({ VpcSecurityGroupId = '' }) => VpcSecurityGroupId);

/** Without the members that have no value: RDS takes an empty one for another than the default. */
function given<Members extends object>(members: Members) {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as { [Name in keyof Members]: Exclude<Members[Name], undefined> };
}
