import { physicalName } from '../../template/physical-name.ts';
import type { CreatedResource, ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import type { World } from '../../world.ts';
import { changedProperties } from '../deployed.ts';
import { LOOPBACK } from '../ports.ts';
import { isAurora } from '../rds/engines.ts';
import { open } from '../rds/lifecycle.ts';
import {
  findCluster,
  findInstance,
  instanceArn,
  type MemberRecord,
  memberRecords,
  type StandaloneRecord,
} from '../rds/records.ts';
import { reopenDatabases } from '../rds/reopen.ts';
import { changeable, deployed, isTrue, masterOf, newDatabase, resourceId } from './rds-database.ts';

export const instance: ResourceProvider = {
  type: 'AWS::RDS::DBInstance',
  properties: [
    'AllocatedStorage',
    'BackupRetentionPeriod',
    'CopyTagsToSnapshot',
    'DBClusterIdentifier',
    'DBInstanceClass',
    'DBInstanceIdentifier',
    'DBName',
    'DBParameterGroupName',
    'DBSubnetGroupName',
    'DeletionProtection',
    'Engine',
    'EngineVersion',
    'ManageMasterUserPassword',
    'MasterUserPassword',
    'MasterUsername',
    'MultiAZ',
    'PromotionTier',
    'PubliclyAccessible',
    'StorageEncrypted',
    'Tags',
    'VPCSecurityGroups',
    // Without meaning for one server on one computer.
    'AutoMinorVersionUpgrade',
    'CACertificateIdentifier',
    'DeleteAutomatedBackups',
    'EnableCloudwatchLogsExports',
    'EnablePerformanceInsights',
    'KmsKeyId',
    'MaxAllocatedStorage',
    'MonitoringInterval',
    'MonitoringRoleArn',
    'PerformanceInsightsKMSKeyId',
    'PerformanceInsightsRetentionPeriod',
    'Port',
    'PreferredBackupWindow',
    'PreferredMaintenanceWindow',
    'StorageType',
  ],
  async create(resource, world) {
    await reopenDatabases(world);
    const { properties } = resource;
    const identifier = String(properties.DBInstanceIdentifier ?? physicalName(world, resource, 63)).toLowerCase();
    return properties.DBClusterIdentifier === undefined
      ? createStandalone(resource, world, identifier)
      : createMember(resource, world, identifier);
  },
};

async function createMember(
  { properties }: ResolvedResource,
  world: World,
  identifier: string,
): Promise<CreatedResource> {
  const cluster = findCluster(world, String(properties.DBClusterIdentifier));
  if (!cluster) throw new Error(`there is no cluster ${properties.DBClusterIdentifier}.`);
  if (!findInstance(world, identifier)) {
    const member: MemberRecord = {
      of: 'member',
      identifier,
      resourceId: resourceId(world, 'db', identifier),
      clusterResourceId: cluster.resourceId,
      engine: cluster.engine,
      engineVersion: cluster.engineVersion,
      status: 'available',
      created: Date.now(),
      tags: properties.Tags ?? [],
      ...instanceSettings(properties),
    };
    memberRecords(world).set(identifier, member);
    await open(world, cluster);
  }
  return created(world, identifier, cluster.port);
}

async function createStandalone(
  resource: ResolvedResource,
  world: World,
  identifier: string,
): Promise<CreatedResource> {
  const { properties } = resource;
  if (isAurora(properties.Engine)) throw new Error(`an instance of ${properties.Engine} belongs to a cluster.`);
  const master = masterOf(resource, world, resourceId(world, 'db', identifier));
  const changed = changedProperties(world, resource);
  const found = findInstance(world, identifier);
  const known = found?.of === 'instance' ? found : undefined;
  const record: StandaloneRecord = known
    ? { ...known, ...(changed.size > 0 ? changeable(properties) : {}) }
    : {
        of: 'instance',
        ...(await newDatabase(resource, world, identifier, master)),
        resourceId: resourceId(world, 'db', identifier),
        databaseName: properties.DBName,
        parameterGroup: String(properties.DBParameterGroupName ?? `default.${properties.Engine}`),
        securityGroups: properties.VPCSecurityGroups ?? [],
        multiAz: isTrue(properties.MultiAZ),
        allocatedStorage: Number(properties.AllocatedStorage),
        ...instanceSettings(properties),
      };
  await deployed(world, record, master, known === undefined);
  return created(world, identifier, record.port, master.secretArn);
}

function instanceSettings(properties: ResolvedResource['properties']) {
  return {
    instanceClass: String(properties.DBInstanceClass),
    promotionTier: Number(properties.PromotionTier ?? 1),
    publiclyAccessible: isTrue(properties.PubliclyAccessible),
  };
}

function created(world: World, identifier: string, port: number, secretArn?: string): CreatedResource {
  return {
    ref: identifier,
    attributes: {
      DBInstanceArn: instanceArn(world, identifier),
      'Endpoint.Address': LOOPBACK,
      'Endpoint.Port': String(port),
      ...(secretArn === undefined ? {} : { 'MasterUserSecret.SecretArn': secretArn }),
    },
  };
}
