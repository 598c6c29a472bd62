import { physicalName } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { changedProperties } from '../deployed.ts';
import { LOOPBACK } from '../ports.ts';
import { isAurora } from '../rds/engines.ts';
import { type Capacity, type ClusterRecord, clusterArn, findCluster } from '../rds/records.ts';
import { reopenDatabases } from '../rds/reopen.ts';
import { changeable, deployed, isTrue, masterOf, newDatabase, resourceId } from './rds-database.ts';
import { rdsGroupProviders } from './rds-groups.ts';
import { instance } from './rds-instance.ts';

const cluster: ResourceProvider = {
  type: 'AWS::RDS::DBCluster',
  properties: [
    'BackupRetentionPeriod',
    'CopyTagsToSnapshot',
    'DBClusterIdentifier',
    'DBClusterParameterGroupName',
    'DBSubnetGroupName',
    'DatabaseName',
    'DeletionProtection',
    'EnableHttpEndpoint',
    'Engine',
    'EngineVersion',
    'ManageMasterUserPassword',
    'MasterUserPassword',
    'MasterUsername',
    'ServerlessV2ScalingConfiguration',
    'StorageEncrypted',
    'Tags',
    'VpcSecurityGroupIds',
    // Without meaning for one server on one computer.
    'EnableCloudwatchLogsExports',
    'KmsKeyId',
    'Port',
    'PreferredBackupWindow',
    'PreferredMaintenanceWindow',
    'StorageType',
  ],
  async create(resource, world) {
    const { properties } = resource;
    if (!isAurora(properties.Engine)) {
      throw new Error(`the rehearsal has only Aurora's clusters, not those of ${properties.Engine}.`);
    }
    await reopenDatabases(world);
    const identifier = String(properties.DBClusterIdentifier ?? physicalName(world, resource, 63)).toLowerCase();
    const master = masterOf(resource, world, resourceId(world, 'cluster', identifier));
    const changed = changedProperties(world, resource);
    const known = findCluster(world, identifier);
    const record: ClusterRecord = known
      ? { ...known, ...(changed.size > 0 ? settings(properties) : {}) }
      : {
          of: 'cluster',
          ...(await newDatabase(resource, world, identifier, master)),
          resourceId: resourceId(world, 'cluster', identifier),
          databaseName: properties.DatabaseName,
          parameterGroup: String(properties.DBClusterParameterGroupName ?? `default.${properties.Engine}`),
          securityGroups: properties.VpcSecurityGroupIds ?? [],
          ...settings(properties),
        };
    await deployed(world, record, master, known === undefined);
    return {
      ref: identifier,
      attributes: {
        DBClusterArn: clusterArn(world, identifier),
        DBClusterResourceId: record.resourceId,
        'Endpoint.Address': LOOPBACK,
        'Endpoint.Port': String(record.port),
        'ReadEndpoint.Address': LOOPBACK,
        ...(master.secretArn === undefined ? {} : { 'MasterUserSecret.SecretArn': master.secretArn }),
      },
    };
  },
};

function settings(properties: ResolvedResource['properties']) {
  const { ServerlessV2ScalingConfiguration: given } = properties;
  return {
    ...changeable(properties),
    httpEndpoint: isTrue(properties.EnableHttpEndpoint),
    ...(given === undefined ? {} : { serverless: capacityOf(given) }),
  };
}

function capacityOf(given: Readonly<Record<string, unknown>>): Capacity {
  const { MinCapacity, MaxCapacity, SecondsUntilAutoPause, ...unknown } = given;
  const [other] = Object.keys(unknown);
  if (other) throw new Error(`the rehearsal does not know ${other} of ServerlessV2ScalingConfiguration.`);
  return {
    MinCapacity: Number(MinCapacity),
    MaxCapacity: Number(MaxCapacity),
    ...(SecondsUntilAutoPause === undefined ? {} : { SecondsUntilAutoPause: Number(SecondsUntilAutoPause) }),
  };
}

export const rdsProviders: readonly ResourceProvider[] = [cluster, instance, ...rdsGroupProviders];
