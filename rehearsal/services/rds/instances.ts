import { AwsError, type Operation, type Permission } from '../../endpoint/service.ts';
import { beginDelete, beginPassword, beginRename, beginRestore } from '../../machines/rds/lifecycle.ts';
import { beginMember, beginMemberDelete, beginMemberRename } from '../../machines/rds/members.ts';
import { sourceAt } from '../../machines/rds/point-in-time.ts';
import {
  allDatabases,
  clusterArn,
  clusterOf,
  databaseRecords,
  findInstance,
  type InstanceRecord,
  identifierOf,
  instanceArn,
  keyOf,
  type MemberRecord,
  memberRecords,
  type RestoreSource,
  requireCluster,
  requireInstance,
  requireSnapshot,
  type StandaloneRecord,
  snapshotArn,
  type Tag,
} from '../../machines/rds/records.ts';
import { requireAvailable } from '../../machines/rds/snapshots.ts';
import { arn, type World } from '../../world.ts';
import { refuseBoth, requireNow } from './clusters.ts';
import { describeInstance } from './describe.ts';
import { finalSnapshotOf, isTrue, newResourceId, numberOf, requestTags, resourceTags, restoreMoment } from './input.ts';
import { type PageInput, page } from './page.ts';
import { restoredSettings } from './restored.ts';

export function instanceOperations(world: World): Record<string, Operation> {
  return {
    DescribeDBInstances: describeInstances(world),
    CreateDBInstance: createInstance(world),
    RestoreDBInstanceToPointInTime: restoreToPointInTime(world),
    RestoreDBInstanceFromDBSnapshot: restoreFromSnapshot(world),
    ModifyDBInstance: modifyInstance(world),
    DeleteDBInstance: deleteInstance(world),
  };
}

interface Named {
  readonly DBInstanceIdentifier: string;
}

function permission(world: World, action: string, identifier: string, tags: readonly Tag[] = []): Permission {
  const name = identifier.replace(/^arn:.*:db:/, '').toLowerCase();
  return {
    action: `rds:${action}`,
    resource: instanceArn(world, name),
    conditions: { ...resourceTags(findInstance(world, name)), ...requestTags(tags) },
  };
}

interface Filter {
  readonly Name: string;
  readonly Values: readonly string[];
}

const describeInstances = (world: World): Operation<Partial<Named> & PageInput & { Filters?: readonly Filter[] }> => ({
  members: ['DBInstanceIdentifier', 'Filters', 'MaxRecords', 'Marker'],
  permissions: ({ DBInstanceIdentifier = '*' }) => [permission(world, 'DescribeDBInstances', DBInstanceIdentifier)],
  run({ DBInstanceIdentifier: wanted, Filters = [], ...paging }) {
    const all: InstanceRecord[] = [
      ...allDatabases(world).filter((database) => database.of === 'instance'),
      ...memberRecords(world)
        .entries()
        .map(([, member]) => member),
    ];
    const found = wanted === undefined ? all : [requireInstance(world, wanted)];
    const chosen = found.filter((instance) => Filters.every((filter) => matches(world, instance, filter)));
    const { items, Marker } = page(chosen, paging);
    return { DBInstances: items.map((instance) => describeInstance(world, instance)), Marker };
  },
});

function matches(world: World, instance: InstanceRecord, { Name, Values }: Filter): boolean {
  if (Name !== 'db-cluster-id') {
    throw new AwsError('UnsupportedParameter', `The rehearsal does not know the filter ${Name}.`);
  }
  const cluster = instance.of === 'member' ? clusterOf(world, instance) : undefined;
  return Values.some((value) => value.replace(/^arn:.*:cluster:/, '') === cluster?.identifier);
}

interface CreateInput extends Named {
  readonly DBClusterIdentifier?: string;
  readonly DBInstanceClass: string;
  readonly Engine: string;
  readonly EngineVersion?: string;
  readonly PromotionTier?: string;
  readonly PubliclyAccessible?: string;
  readonly Tags?: readonly Tag[];
}

const createInstance = (world: World): Operation<CreateInput> => ({
  members: [
    'DBInstanceIdentifier',
    'DBClusterIdentifier',
    'DBInstanceClass',
    'Engine',
    'EngineVersion',
    'PromotionTier',
    'PubliclyAccessible',
    'Tags',
    // Without meaning for one server on one computer.
    'AutoMinorVersionUpgrade',
    'AvailabilityZone',
    'CACertificateIdentifier',
    'CopyTagsToSnapshot',
    'DBParameterGroupName',
    'EnablePerformanceInsights',
    'MonitoringInterval',
    'MonitoringRoleArn',
    'PerformanceInsightsKMSKeyId',
    'PerformanceInsightsRetentionPeriod',
  ],
  required: ['DBInstanceIdentifier', 'DBInstanceClass', 'Engine'],
  permissions: ({ DBInstanceIdentifier, DBClusterIdentifier, Tags }) => [
    permission(world, 'CreateDBInstance', DBInstanceIdentifier, Tags),
    ...(DBClusterIdentifier === undefined
      ? []
      : [{ action: 'rds:CreateDBInstance', resource: clusterArn(world, DBClusterIdentifier) }]),
    ...(Tags === undefined ? [] : [permission(world, 'AddTagsToResource', DBInstanceIdentifier, Tags)]),
  ],
  run(input) {
    if (input.DBClusterIdentifier === undefined) {
      throw new AwsError(
        'UnsupportedParameter',
        'The rehearsal makes instances of clusters only; others come from the templates or a restore.',
      );
    }
    const cluster = requireCluster(world, input.DBClusterIdentifier);
    requireAvailable(cluster);
    if (input.Engine !== cluster.engine) {
      throw new AwsError('InvalidParameterCombination', `The engine of the cluster is ${cluster.engine}.`);
    }
    if (input.DBInstanceClass === 'db.serverless' && !cluster.serverless) {
      throw new AwsError(
        'InvalidDBClusterStateFault',
        'Set the Serverless v2 scaling configuration on the parent DB cluster before creating a Serverless v2 DB instance.',
      );
    }
    const member: MemberRecord = {
      of: 'member',
      identifier: identifierOf('DBInstanceIdentifier', input.DBInstanceIdentifier),
      resourceId: newResourceId(world, 'db'),
      clusterResourceId: cluster.resourceId,
      engine: cluster.engine,
      engineVersion: cluster.engineVersion,
      status: 'creating',
      created: Date.now(),
      tags: input.Tags ?? [],
      instanceClass: input.DBInstanceClass,
      promotionTier: numberOf('PromotionTier', input.PromotionTier ?? '1'),
      publiclyAccessible: isTrue(input.PubliclyAccessible),
    };
    beginMember(world, member);
    return { DBInstance: describeInstance(world, member) };
  },
});

/** What both ways of restoring an instance take. */
interface RestoreInput {
  readonly DBInstanceClass?: string;
  readonly DBSubnetGroupName?: string;
  readonly VpcSecurityGroupIds?: readonly string[];
  readonly DBParameterGroupName?: string;
  readonly OptionGroupName?: string;
  readonly DeletionProtection?: string;
  readonly CopyTagsToSnapshot?: string;
  readonly BackupRetentionPeriod?: string;
  readonly MultiAZ?: string;
  readonly PubliclyAccessible?: string;
  readonly Tags?: readonly Tag[];
}

const restoreMembers = [
  'DBInstanceClass',
  'DBSubnetGroupName',
  'VpcSecurityGroupIds',
  'DBParameterGroupName',
  'DeletionProtection',
  'CopyTagsToSnapshot',
  'BackupRetentionPeriod',
  'MultiAZ',
  'PubliclyAccessible',
  'Tags',
  // Without meaning for one server on one computer; its port follows from the identifier.
  'AutoMinorVersionUpgrade',
  'CACertificateIdentifier',
  'EnableCloudwatchLogsExports',
  'EnableIAMDatabaseAuthentication',
  'EngineLifecycleSupport',
  'MaxAllocatedStorage',
  'NetworkType',
  'OptionGroupName',
  'Port',
  'PreferredBackupWindow',
  'StorageType',
];

function restorePermissions(world: World, action: string, target: string, input: RestoreInput): Permission[] {
  const { DBSubnetGroupName, DBParameterGroupName, OptionGroupName, Tags } = input;
  const others = [
    ...(DBSubnetGroupName === undefined ? [] : [`subgrp:${DBSubnetGroupName}`]),
    ...(DBParameterGroupName === undefined ? [] : [`pg:${DBParameterGroupName}`]),
    ...(OptionGroupName === undefined ? [] : [`og:${OptionGroupName}`]),
  ];
  return [
    permission(world, action, target, Tags),
    ...others.map((resource) => ({ action: `rds:${action}`, resource: arn(world, 'rds', resource) })),
    ...(Tags === undefined ? [] : [permission(world, 'AddTagsToResource', target, Tags)]),
  ];
}

/** Starts to make an instance from another's backup. */
async function restore(
  world: World,
  name: string,
  input: RestoreInput,
  origin: StandaloneRecord,
  source: RestoreSource,
): Promise<object> {
  const identifier = identifierOf('DBInstanceIdentifier', name);
  const record: StandaloneRecord = {
    of: 'instance',
    ...(await restoredSettings(world, 'instance', identifier, input, input.DBParameterGroupName, origin, source)),
    instanceClass: input.DBInstanceClass ?? origin.instanceClass,
    promotionTier: 1,
    publiclyAccessible: isTrue(input.PubliclyAccessible),
    multiAz: isTrue(input.MultiAZ),
    allocatedStorage: origin.allocatedStorage,
  };
  beginRestore(world, record);
  return { DBInstance: describeInstance(world, record) };
}

interface PointInTimeInput extends RestoreInput {
  readonly SourceDBInstanceIdentifier: string;
  readonly TargetDBInstanceIdentifier: string;
  readonly RestoreTime?: string;
  readonly UseLatestRestorableTime?: string;
}

const restoreToPointInTime = (world: World): Operation<PointInTimeInput> => ({
  members: [
    ...restoreMembers,
    'SourceDBInstanceIdentifier',
    'TargetDBInstanceIdentifier',
    'RestoreTime',
    'UseLatestRestorableTime',
  ],
  required: ['SourceDBInstanceIdentifier', 'TargetDBInstanceIdentifier'],
  permissions: (input) => [
    permission(world, 'RestoreDBInstanceToPointInTime', input.SourceDBInstanceIdentifier),
    ...restorePermissions(world, 'RestoreDBInstanceToPointInTime', input.TargetDBInstanceIdentifier, input),
  ],
  run(input) {
    const origin = requireStandalone(requireInstance(world, input.SourceDBInstanceIdentifier));
    requireAvailable(origin);
    const moment = restoreMoment(input.RestoreTime, input.UseLatestRestorableTime, 'RestoreTime');
    return restore(world, input.TargetDBInstanceIdentifier, input, origin, sourceAt(world, origin, moment));
  },
});

interface FromSnapshotInput extends RestoreInput, Named {
  readonly DBSnapshotIdentifier: string;
}

const restoreFromSnapshot = (world: World): Operation<FromSnapshotInput> => ({
  members: [...restoreMembers, 'DBInstanceIdentifier', 'DBSnapshotIdentifier'],
  required: ['DBInstanceIdentifier', 'DBSnapshotIdentifier'],
  permissions: (input) => [
    {
      action: 'rds:RestoreDBInstanceFromDBSnapshot',
      resource: snapshotArn(world, 'instance', input.DBSnapshotIdentifier.replace(/^arn:.*:snapshot:/, '')),
    },
    ...restorePermissions(world, 'RestoreDBInstanceFromDBSnapshot', input.DBInstanceIdentifier, input),
  ],
  run(input) {
    const snapshot = requireSnapshot(world, 'instance', input.DBSnapshotIdentifier);
    if (snapshot.status !== 'available') {
      throw new AwsError('InvalidDBSnapshotState', `The snapshot ${snapshot.identifier} is ${snapshot.status}.`);
    }
    const source = { snapshot: keyOf(snapshot) };
    return restore(world, input.DBInstanceIdentifier, input, snapshot.source as StandaloneRecord, source);
  },
});

/** @throws AwsError InvalidDBInstanceState */
export function requireStandalone(instance: InstanceRecord): StandaloneRecord {
  if (instance.of === 'instance') return instance;
  throw new AwsError(
    'InvalidDBInstanceState',
    `The instance ${instance.identifier} belongs to a cluster: what is to be done is done to the cluster.`,
  );
}

interface ModifyInput extends Named {
  readonly NewDBInstanceIdentifier?: string;
  readonly MasterUserPassword?: string;
  readonly ApplyImmediately?: string;
  readonly BackupRetentionPeriod?: string;
  readonly DeletionProtection?: string;
  readonly CopyTagsToSnapshot?: string;
  readonly PromotionTier?: string;
}

const modifyInstance = (world: World): Operation<ModifyInput> => ({
  members: [
    'DBInstanceIdentifier',
    'NewDBInstanceIdentifier',
    'MasterUserPassword',
    'ApplyImmediately',
    'BackupRetentionPeriod',
    'DeletionProtection',
    'CopyTagsToSnapshot',
    'PromotionTier',
  ],
  required: ['DBInstanceIdentifier'],
  permissions: ({ DBInstanceIdentifier }) => [permission(world, 'ModifyDBInstance', DBInstanceIdentifier)],
  run(input) {
    const known = requireInstance(world, input.DBInstanceIdentifier);
    requireAvailable(known);
    const { NewDBInstanceIdentifier: given, MasterUserPassword: password } = input;
    refuseBoth(given, password);
    const newIdentifier = given === undefined ? undefined : identifierOf('NewDBInstanceIdentifier', given);
    if (newIdentifier !== undefined) requireNow(input.ApplyImmediately);
    const changed = changedInstance(known, input);
    if (password !== undefined) {
      const resetting = beginPassword(world, requireStandalone(changed), password) as StandaloneRecord;
      return { DBInstance: describeInstance(world, resetting) };
    }
    if (newIdentifier !== undefined) {
      const renamed =
        changed.of === 'member'
          ? beginMemberRename(world, changed, newIdentifier)
          : (beginRename(world, changed, newIdentifier) as StandaloneRecord);
      return { DBInstance: describeInstance(world, renamed) };
    }
    if (changed.of === 'member') memberRecords(world).set(changed.identifier, changed);
    else databaseRecords(world).set(keyOf(changed), changed);
    return { DBInstance: describeInstance(world, changed) };
  },
});

function changedInstance(known: InstanceRecord, input: ModifyInput): InstanceRecord {
  const { PromotionTier: tier, BackupRetentionPeriod: retention, DeletionProtection, CopyTagsToSnapshot } = input;
  const settings = tier === undefined ? {} : { promotionTier: numberOf('PromotionTier', tier) };
  const ofDatabase = {
    ...(retention === undefined ? {} : { backupRetentionDays: numberOf('BackupRetentionPeriod', retention) }),
    ...(DeletionProtection === undefined ? {} : { deletionProtection: isTrue(DeletionProtection) }),
    ...(CopyTagsToSnapshot === undefined ? {} : { copyTagsToSnapshot: isTrue(CopyTagsToSnapshot) }),
  };
  if (known.of === 'instance') return { ...known, ...settings, ...ofDatabase };
  if (Object.keys(ofDatabase).length > 0) requireStandalone(known);
  return { ...known, ...settings };
}

interface DeleteInput extends Named {
  readonly SkipFinalSnapshot?: string;
  readonly FinalDBSnapshotIdentifier?: string;
}

const deleteInstance = (world: World): Operation<DeleteInput> => ({
  members: ['DBInstanceIdentifier', 'SkipFinalSnapshot', 'FinalDBSnapshotIdentifier', 'DeleteAutomatedBackups'],
  required: ['DBInstanceIdentifier'],
  permissions: ({ DBInstanceIdentifier }) => [permission(world, 'DeleteDBInstance', DBInstanceIdentifier)],
  run(input) {
    const instance = requireInstance(world, input.DBInstanceIdentifier);
    if (instance.of === 'member') {
      // A cluster's instance has no data that a snapshot could be made of.
      return { DBInstance: describeInstance(world, beginMemberDelete(world, instance)) };
    }
    const last = finalSnapshotOf(input);
    const name = last === undefined ? undefined : identifierOf('FinalDBSnapshotIdentifier', last, 255);
    return { DBInstance: describeInstance(world, beginDelete(world, instance, name) as StandaloneRecord) };
  },
});
