import { AwsError, type Operation, type Permission } from '../../endpoint/service.ts';
import { isAurora } from '../../machines/rds/engines.ts';
import { beginDelete, beginPassword, beginRename, beginRestore } from '../../machines/rds/lifecycle.ts';
import { requireParameterGroup } from '../../machines/rds/parameter-groups.ts';
import { sourceAt } from '../../machines/rds/point-in-time.ts';
import {
  allDatabases,
  type Capacity,
  type ClusterRecord,
  clusterArn,
  databaseRecords,
  findCluster,
  identifierOf,
  keyOf,
  membersOf,
  type RestoreSource,
  requireCluster,
  requireSnapshot,
  snapshotArn,
  type Tag,
} from '../../machines/rds/records.ts';
import { requireAvailable } from '../../machines/rds/snapshots.ts';
import { arn, type World } from '../../world.ts';
import { describeCluster } from './describe.ts';
import { finalSnapshotOf, isTrue, numberOf, requestTags, resourceTags, restoreMoment } from './input.ts';
import { type PageInput, page } from './page.ts';
import { restoredSettings } from './restored.ts';

export function clusterOperations(world: World): Record<string, Operation> {
  return {
    DescribeDBClusters: describeClusters(world),
    RestoreDBClusterToPointInTime: restoreToPointInTime(world),
    RestoreDBClusterFromSnapshot: restoreFromSnapshot(world),
    ModifyDBCluster: modifyCluster(world),
    DeleteDBCluster: deleteCluster(world),
    EnableHttpEndpoint: enableHttpEndpoint(world),
  };
}

interface Named {
  readonly DBClusterIdentifier: string;
}

function permission(world: World, action: string, identifier: string, tags: readonly Tag[] = []): Permission {
  const name = identifier.replace(/^arn:.*:cluster:/, '').toLowerCase();
  return {
    action: `rds:${action}`,
    resource: clusterArn(world, name),
    conditions: { ...resourceTags(findCluster(world, name)), ...requestTags(tags) },
  };
}

const describeClusters = (world: World): Operation<Partial<Named> & PageInput> => ({
  members: ['DBClusterIdentifier', 'MaxRecords', 'Marker'],
  permissions: ({ DBClusterIdentifier = '*' }) => [permission(world, 'DescribeDBClusters', DBClusterIdentifier)],
  run({ DBClusterIdentifier: wanted, ...paging }) {
    const all = allDatabases(world).filter((database) => database.of === 'cluster');
    const { items, Marker } = page(wanted === undefined ? all : [requireCluster(world, wanted)], paging);
    return { DBClusters: items.map((cluster) => describeCluster(world, cluster)), Marker };
  },
});

/** What both ways of restoring a cluster take. */
interface RestoreInput extends Named {
  readonly DBSubnetGroupName?: string;
  readonly VpcSecurityGroupIds?: readonly string[];
  readonly DBClusterParameterGroupName?: string;
  readonly DeletionProtection?: string;
  readonly CopyTagsToSnapshot?: string;
  readonly BackupRetentionPeriod?: string;
  readonly ServerlessV2ScalingConfiguration?: Readonly<Record<keyof Capacity, string | undefined>>;
  readonly Tags?: readonly Tag[];
}

const restoreMembers = [
  'DBClusterIdentifier',
  'DBSubnetGroupName',
  'VpcSecurityGroupIds',
  'DBClusterParameterGroupName',
  'DeletionProtection',
  'CopyTagsToSnapshot',
  'BackupRetentionPeriod',
  'ServerlessV2ScalingConfiguration',
  'Tags',
  // Without meaning for one server on one computer; its port follows from the identifier.
  'EnableCloudwatchLogsExports',
  'EnableIAMDatabaseAuthentication',
  'EngineLifecycleSupport',
  'KmsKeyId',
  'NetworkType',
  'Port',
  'PreferredBackupWindow',
  'StorageType',
];

/** Whoever tags what is made needs the right to tag it, too. */
function restorePermissions(world: World, action: string, input: RestoreInput): Permission[] {
  const { DBClusterIdentifier: name, DBSubnetGroupName, DBClusterParameterGroupName, Tags } = input;
  const others = [
    ...(DBSubnetGroupName === undefined ? [] : [`subgrp:${DBSubnetGroupName}`]),
    ...(DBClusterParameterGroupName === undefined ? [] : [`cluster-pg:${DBClusterParameterGroupName}`]),
  ];
  return [
    permission(world, action, name, Tags),
    ...others.map((resource) => ({ action: `rds:${action}`, resource: arn(world, 'rds', resource) })),
    ...(Tags === undefined ? [] : [permission(world, 'AddTagsToResource', name, Tags)]),
  ];
}

/**
 * Starts to make a cluster from another's backup. Capacity and the HTTP endpoint are not taken over, and it has no
 * instance.
 */
async function restore(
  world: World,
  input: RestoreInput,
  origin: ClusterRecord,
  source: RestoreSource,
): Promise<object> {
  const identifier = identifierOf('DBClusterIdentifier', input.DBClusterIdentifier);
  const { ServerlessV2ScalingConfiguration: capacity, DBClusterParameterGroupName: group } = input;
  const record: ClusterRecord = {
    of: 'cluster',
    ...(await restoredSettings(world, 'cluster', identifier, input, group, origin, source)),
    httpEndpoint: false,
    ...(capacity === undefined ? {} : { serverless: capacityOf(capacity) }),
  };
  beginRestore(world, record);
  return { DBCluster: describeCluster(world, record) };
}

function capacityOf(given: Readonly<Record<string, string | undefined>>): Capacity {
  const { MinCapacity, MaxCapacity, SecondsUntilAutoPause } = given;
  if (MinCapacity === undefined || MaxCapacity === undefined) {
    throw new AwsError('InvalidParameterValue', 'ServerlessV2ScalingConfiguration needs MinCapacity and MaxCapacity.');
  }
  return {
    MinCapacity: numberOf('MinCapacity', MinCapacity),
    MaxCapacity: numberOf('MaxCapacity', MaxCapacity),
    ...(SecondsUntilAutoPause === undefined
      ? {}
      : { SecondsUntilAutoPause: numberOf('SecondsUntilAutoPause', SecondsUntilAutoPause) }),
  };
}

interface PointInTimeInput extends RestoreInput {
  readonly SourceDBClusterIdentifier: string;
  readonly RestoreType?: string;
  readonly RestoreToTime?: string;
  readonly UseLatestRestorableTime?: string;
}

const restoreToPointInTime = (world: World): Operation<PointInTimeInput> => ({
  members: [...restoreMembers, 'SourceDBClusterIdentifier', 'RestoreType', 'RestoreToTime', 'UseLatestRestorableTime'],
  required: ['DBClusterIdentifier', 'SourceDBClusterIdentifier'],
  permissions: (input) => [
    permission(world, 'RestoreDBClusterToPointInTime', input.SourceDBClusterIdentifier),
    ...restorePermissions(world, 'RestoreDBClusterToPointInTime', input),
  ],
  run(input) {
    const origin = requireCluster(world, input.SourceDBClusterIdentifier);
    requireAvailable(origin);
    const type = input.RestoreType ?? 'full-copy';
    if (type !== 'full-copy' && type !== 'copy-on-write') {
      throw new AwsError('InvalidParameterValue', `Invalid restore type: ${type}`);
    }
    if (type === 'copy-on-write' && input.RestoreToTime !== undefined) {
      throw new AwsError(
        'InvalidParameterCombination',
        'RestoreToTime cannot be specified if the RestoreType is copy-on-write: a clone is of the present.',
      );
    }
    const moment = restoreMoment(input.RestoreToTime, input.UseLatestRestorableTime, 'RestoreToTime');
    return restore(world, input, origin, sourceAt(world, origin, moment));
  },
});

interface FromSnapshotInput extends RestoreInput {
  readonly SnapshotIdentifier: string;
  readonly Engine: string;
  readonly EngineVersion?: string;
}

const restoreFromSnapshot = (world: World): Operation<FromSnapshotInput> => ({
  members: [...restoreMembers, 'SnapshotIdentifier', 'Engine', 'EngineVersion'],
  required: ['DBClusterIdentifier', 'SnapshotIdentifier', 'Engine'],
  permissions: (input) => [
    { action: 'rds:RestoreDBClusterFromSnapshot', resource: snapshotResource(world, input.SnapshotIdentifier) },
    ...restorePermissions(world, 'RestoreDBClusterFromSnapshot', input),
  ],
  run(input) {
    const snapshot = requireSnapshot(world, 'cluster', input.SnapshotIdentifier);
    const origin = snapshot.source as ClusterRecord;
    if (snapshot.status !== 'available') {
      throw new AwsError(
        'InvalidDBClusterSnapshotStateFault',
        `The snapshot ${snapshot.identifier} is ${snapshot.status}.`,
      );
    }
    if (input.Engine !== origin.engine || (input.EngineVersion ?? origin.engineVersion) !== origin.engineVersion) {
      throw new AwsError(
        'InvalidParameterCombination',
        `The snapshot is of ${origin.engine} ${origin.engineVersion}; the rehearsal restores to no other.`,
      );
    }
    return restore(world, input, origin, { snapshot: keyOf(snapshot) });
  },
});

function snapshotResource(world: World, identifier: string): string {
  return identifier.startsWith('arn:') ? identifier : snapshotArn(world, 'cluster', identifier.toLowerCase());
}

interface ModifyInput extends Named {
  readonly NewDBClusterIdentifier?: string;
  readonly MasterUserPassword?: string;
  readonly ApplyImmediately?: string;
  readonly BackupRetentionPeriod?: string;
  readonly DeletionProtection?: string;
  readonly CopyTagsToSnapshot?: string;
  readonly VpcSecurityGroupIds?: readonly string[];
  readonly DBClusterParameterGroupName?: string;
  readonly ServerlessV2ScalingConfiguration?: Readonly<Record<keyof Capacity, string | undefined>>;
}

const modifyCluster = (world: World): Operation<ModifyInput> => ({
  members: [
    'DBClusterIdentifier',
    'NewDBClusterIdentifier',
    'MasterUserPassword',
    'ApplyImmediately',
    'BackupRetentionPeriod',
    'DeletionProtection',
    'CopyTagsToSnapshot',
    'VpcSecurityGroupIds',
    'DBClusterParameterGroupName',
    'ServerlessV2ScalingConfiguration',
  ],
  required: ['DBClusterIdentifier'],
  permissions: ({ DBClusterIdentifier }) => [permission(world, 'ModifyDBCluster', DBClusterIdentifier)],
  run(input) {
    const known = requireCluster(world, input.DBClusterIdentifier);
    requireAvailable(known);
    if (input.DBClusterParameterGroupName !== undefined) {
      requireParameterGroup(world, 'cluster', input.DBClusterParameterGroupName);
    }
    const { NewDBClusterIdentifier: given, MasterUserPassword: password } = input;
    refuseBoth(given, password);
    const newIdentifier = given === undefined ? undefined : identifierOf('NewDBClusterIdentifier', given);
    const changed = { ...known, ...changes(input) };
    if (password !== undefined) {
      return { DBCluster: describeCluster(world, beginPassword(world, changed, password) as ClusterRecord) };
    }
    if (newIdentifier === undefined) {
      databaseRecords(world).set(keyOf(changed), changed);
      return { DBCluster: describeCluster(world, changed) };
    }
    requireNow(input.ApplyImmediately);
    return { DBCluster: describeCluster(world, beginRename(world, changed, newIdentifier) as ClusterRecord) };
  },
});

function changes(input: ModifyInput): Partial<ClusterRecord> {
  const { BackupRetentionPeriod: retention, ServerlessV2ScalingConfiguration: capacity } = input;
  return {
    ...(retention === undefined ? {} : { backupRetentionDays: numberOf('BackupRetentionPeriod', retention) }),
    ...(input.DeletionProtection === undefined ? {} : { deletionProtection: isTrue(input.DeletionProtection) }),
    ...(input.CopyTagsToSnapshot === undefined ? {} : { copyTagsToSnapshot: isTrue(input.CopyTagsToSnapshot) }),
    ...(input.VpcSecurityGroupIds === undefined ? {} : { securityGroups: input.VpcSecurityGroupIds }),
    ...(input.DBClusterParameterGroupName === undefined ? {} : { parameterGroup: input.DBClusterParameterGroupName }),
    ...(capacity === undefined ? {} : { serverless: capacityOf(capacity) }),
  };
}

/** @throws AwsError UnsupportedParameter */
export function refuseBoth(newIdentifier: string | undefined, password: string | undefined): void {
  if (newIdentifier === undefined || password === undefined) return;
  throw new AwsError(
    'UnsupportedParameter',
    'The rehearsal changes the identifier and the password in a call of its own each. Nothing was changed.',
  );
}

/** @throws AwsError UnsupportedParameter */
export function requireNow(applyImmediately: string | undefined): void {
  if (isTrue(applyImmediately)) return;
  throw new AwsError(
    'UnsupportedParameter',
    'The rehearsal has no maintenance windows: another identifier needs ApplyImmediately. Nothing was changed.',
  );
}

interface DeleteInput extends Named {
  readonly SkipFinalSnapshot?: string;
  readonly FinalDBSnapshotIdentifier?: string;
}

const deleteCluster = (world: World): Operation<DeleteInput> => ({
  members: ['DBClusterIdentifier', 'SkipFinalSnapshot', 'FinalDBSnapshotIdentifier'],
  required: ['DBClusterIdentifier'],
  permissions: ({ DBClusterIdentifier, FinalDBSnapshotIdentifier: last }) => [
    permission(world, 'DeleteDBCluster', DBClusterIdentifier),
    ...(last === undefined
      ? []
      : [{ action: 'rds:DeleteDBCluster', resource: snapshotArn(world, 'cluster', last.toLowerCase()) }]),
  ],
  run(input) {
    const cluster = requireCluster(world, input.DBClusterIdentifier);
    const last = finalSnapshotOf(input);
    if (membersOf(world, cluster).some(({ status }) => status !== 'deleting')) {
      throw new AwsError(
        'InvalidDBClusterStateFault',
        'Cluster cannot be deleted, it still contains DB instances in non-deleting state.',
      );
    }
    const name = last === undefined ? undefined : identifierOf('FinalDBSnapshotIdentifier', last, 255);
    return { DBCluster: describeCluster(world, beginDelete(world, cluster, name) as ClusterRecord) };
  },
});

const enableHttpEndpoint = (world: World): Operation<{ ResourceArn: string }> => ({
  members: ['ResourceArn'],
  required: ['ResourceArn'],
  permissions: ({ ResourceArn }) => [permission(world, 'EnableHttpEndpoint', ResourceArn)],
  run({ ResourceArn }) {
    const cluster = findCluster(world, ResourceArn.replace(/^arn:.*:cluster:/, ''));
    if (!cluster) throw new AwsError('ResourceNotFoundFault', `The resource ${ResourceArn} was not found.`, 404);
    if (cluster.status !== 'available' || !isAurora(cluster.engine)) {
      throw new AwsError('InvalidResourceStateFault', `The cluster ${cluster.identifier} is ${cluster.status}.`);
    }
    databaseRecords(world).set(keyOf(cluster), { ...cluster, httpEndpoint: true });
    return { ResourceArn, HttpEndpointEnabled: true };
  },
});
