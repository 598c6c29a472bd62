import { LOOPBACK } from '../../machines/ports.ts';
import { restorableRange } from '../../machines/rds/point-in-time.ts';
import {
  type ClusterRecord,
  clusterArn,
  clusterOf,
  type DatabaseRecord,
  type InstanceRecord,
  instanceArn,
  type MemberRecord,
  membersOf,
  type SnapshotRecord,
  type StandaloneRecord,
  snapshotArn,
} from '../../machines/rds/records.ts';
import type { World } from '../../world.ts';

const moment = (milliseconds: number | undefined) => (milliseconds === undefined ? undefined : new Date(milliseconds));

/** A cluster in the shape of DescribeDBClusters. */
export function describeCluster(world: World, cluster: ClusterRecord): object {
  const members = membersOf(world, cluster);
  return {
    AllocatedStorage: 1,
    BackupRetentionPeriod: cluster.backupRetentionDays,
    DatabaseName: cluster.databaseName,
    DBClusterIdentifier: cluster.identifier,
    DBClusterParameterGroup: cluster.parameterGroup,
    DBSubnetGroup: cluster.subnetGroup,
    Status: cluster.status,
    ...restorable(world, cluster),
    Endpoint: LOOPBACK,
    ReaderEndpoint: LOOPBACK,
    MultiAZ: false,
    Engine: cluster.engine,
    EngineVersion: cluster.engineVersion,
    EngineMode: 'provisioned',
    Port: cluster.port,
    MasterUsername: cluster.masterUsername,
    DBClusterMembers: members.map(({ identifier, promotionTier }, index) => ({
      DBInstanceIdentifier: identifier,
      IsClusterWriter: index === 0,
      DBClusterParameterGroupStatus: 'in-sync',
      PromotionTier: promotionTier,
    })),
    VpcSecurityGroups: securityGroups(cluster),
    StorageEncrypted: cluster.storageEncrypted,
    DbClusterResourceId: cluster.resourceId,
    DBClusterArn: clusterArn(world, cluster.identifier),
    IAMDatabaseAuthenticationEnabled: false,
    ClusterCreateTime: moment(cluster.created),
    DeletionProtection: cluster.deletionProtection,
    HttpEndpointEnabled: cluster.httpEndpoint,
    CopyTagsToSnapshot: cluster.copyTagsToSnapshot,
    TagList: cluster.tags,
    ServerlessV2ScalingConfiguration: cluster.serverless,
    MasterUserSecret: managedSecret(cluster),
    PendingModifiedValues: pending({
      DBClusterIdentifier: cluster.newIdentifier,
      MasterUserPassword: hidden(cluster.newPassword),
    }),
  };
}

/** An instance in the shape of DescribeDBInstances. */
export function describeInstance(world: World, instance: InstanceRecord): object {
  return {
    DBInstanceIdentifier: instance.identifier,
    DBInstanceClass: instance.instanceClass,
    Engine: instance.engine,
    EngineVersion: instance.engineVersion,
    DBInstanceStatus: instance.status,
    InstanceCreateTime: moment(instance.created),
    PromotionTier: instance.promotionTier,
    PubliclyAccessible: instance.publiclyAccessible,
    AutoMinorVersionUpgrade: false,
    DbInstancePort: 0,
    DbiResourceId: instance.resourceId,
    DBInstanceArn: instanceArn(world, instance.identifier),
    TagList: instance.tags,
    PendingModifiedValues: pending({
      DBInstanceIdentifier: instance.newIdentifier,
      MasterUserPassword: instance.of === 'member' ? undefined : hidden(instance.newPassword),
    }),
    ...(instance.of === 'member' ? ofMember(world, instance) : ofStandalone(world, instance)),
  };
}

function ofMember(world: World, member: MemberRecord): object {
  const cluster = clusterOf(world, member);
  return {
    MultiAZ: false,
    DBClusterIdentifier: cluster?.identifier,
    MasterUsername: cluster?.masterUsername,
    DBName: cluster?.databaseName,
    StorageEncrypted: cluster?.storageEncrypted,
    BackupRetentionPeriod: cluster?.backupRetentionDays,
    // As long as it is being made, an instance has no endpoint.
    Endpoint: member.status === 'creating' || !cluster ? undefined : { Address: LOOPBACK, Port: cluster.port },
  };
}

function ofStandalone(world: World, instance: StandaloneRecord): object {
  return {
    MultiAZ: instance.multiAz,
    AllocatedStorage: instance.allocatedStorage,
    MasterUsername: instance.masterUsername,
    DBName: instance.databaseName,
    StorageEncrypted: instance.storageEncrypted,
    BackupRetentionPeriod: instance.backupRetentionDays,
    DeletionProtection: instance.deletionProtection,
    CopyTagsToSnapshot: instance.copyTagsToSnapshot,
    DBSubnetGroup: { DBSubnetGroupName: instance.subnetGroup },
    DBParameterGroups: [{ DBParameterGroupName: instance.parameterGroup, ParameterApplyStatus: 'in-sync' }],
    VpcSecurityGroups: securityGroups(instance),
    LatestRestorableTime: restorable(world, instance).LatestRestorableTime,
    MasterUserSecret: managedSecret(instance),
    Endpoint: instance.status === 'creating' ? undefined : { Address: LOOPBACK, Port: instance.port },
  };
}

/** A snapshot in the shape of DescribeDBClusterSnapshots or DescribeDBSnapshots. */
export function describeSnapshot(world: World, snapshot: SnapshotRecord): object {
  const { source } = snapshot;
  const common = {
    SnapshotCreateTime: moment(snapshot.completed),
    Engine: source.engine,
    EngineVersion: source.engineVersion,
    Status: snapshot.status,
    Port: source.port,
    MasterUsername: source.masterUsername,
    SnapshotType: snapshot.type,
    PercentProgress: snapshot.status === 'available' ? 100 : 0,
    TagList: snapshot.tags,
    IAMDatabaseAuthenticationEnabled: false,
  };
  return snapshot.of === 'cluster'
    ? {
        ...common,
        DBClusterSnapshotIdentifier: snapshot.identifier,
        DBClusterIdentifier: source.identifier,
        DbClusterResourceId: source.resourceId,
        ClusterCreateTime: moment(source.created),
        StorageEncrypted: source.storageEncrypted,
        AllocatedStorage: 1,
        DBClusterSnapshotArn: snapshotArn(world, 'cluster', snapshot.identifier),
      }
    : {
        ...common,
        DBSnapshotIdentifier: snapshot.identifier,
        DBInstanceIdentifier: source.identifier,
        DbiResourceId: source.resourceId,
        InstanceCreateTime: moment(source.created),
        Encrypted: source.storageEncrypted,
        AllocatedStorage: source.of === 'instance' ? source.allocatedStorage : 1,
        DBSnapshotArn: snapshotArn(world, 'instance', snapshot.identifier),
      };
}

const pending = (values: Readonly<Record<string, string | undefined>>) =>
  Object.values(values).every((value) => value === undefined) ? undefined : values;

/** RDS says of a password only that there is a new one. */
const hidden = (password: string | undefined) => (password === undefined ? undefined : '****');

function restorable(world: World, database: DatabaseRecord) {
  const range = database.status === 'creating' ? undefined : restorableRange(world, database);
  return { EarliestRestorableTime: moment(range?.earliest), LatestRestorableTime: moment(range?.latest) };
}

function securityGroups({ securityGroups: ids }: DatabaseRecord): object[] {
  return ids.map((id) => ({ VpcSecurityGroupId: id, Status: 'active' }));
}

function managedSecret({ masterSecretArn }: DatabaseRecord): object | undefined {
  return masterSecretArn === undefined ? undefined : { SecretArn: masterSecretArn, SecretStatus: 'active' };
}
