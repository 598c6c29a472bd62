import { randomBytes } from 'node:crypto';
import { createSecret, parseFields } from '../../services/secrets-store.ts';
import { physicalName, stableLetters } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { databasesOf } from '../databases.ts';
import { startPostgres } from '../postgres.ts';

const cluster: ResourceProvider = {
  type: 'AWS::RDS::DBCluster',
  properties: [
    'DBClusterIdentifier',
    'DatabaseName',
    'Engine',
    'EnableHttpEndpoint',
    'ManageMasterUserPassword',
    'MasterUserPassword',
    'MasterUsername',
    // Without meaning for one server on one computer.
    'BackupRetentionPeriod',
    'CopyTagsToSnapshot',
    'DBClusterParameterGroupName',
    'DBSubnetGroupName',
    'DeletionProtection',
    'EnableCloudwatchLogsExports',
    'EngineVersion',
    'KmsKeyId',
    'Port',
    'PreferredBackupWindow',
    'PreferredMaintenanceWindow',
    'ServerlessV2ScalingConfiguration',
    'StorageEncrypted',
    'StorageType',
    'Tags',
    'VpcSecurityGroupIds',
  ],
  async create(resource, world) {
    const { properties } = resource;
    if (properties.Engine !== 'aurora-postgresql') {
      throw new Error(`the rehearsal has PostgreSQL only, not the engine ${properties.Engine}.`);
    }
    const id = String(properties.DBClusterIdentifier ?? physicalName(world, resource, 63)).toLowerCase();
    const clusterArn = arn(world, 'rds', `cluster:${id}`);
    const master = masterUser(resource, world, id);
    const server = await startPostgres(world, id);
    await server.ensureOwner(master.user, master.password, properties.DatabaseName);
    databasesOf(world).set(clusterArn, {
      clusterArn,
      clusterIdentifier: id,
      engine: 'postgres',
      host: server.host,
      port: server.port,
      databaseName: properties.DatabaseName,
      certificateAuthorityFile: world.certificateAuthorityFile,
      dataApi: isTrue(properties.EnableHttpEndpoint),
    });
    return {
      ref: id,
      attributes: {
        DBClusterArn: clusterArn,
        DBClusterResourceId: `cluster-${stableLetters(world, id, 26).toUpperCase()}`,
        'Endpoint.Address': server.host,
        'Endpoint.Port': String(server.port),
        'ReadEndpoint.Address': server.host,
        ...(master.secretArn === undefined ? {} : { 'MasterUserSecret.SecretArn': master.secretArn }),
      },
    };
  },
};

function masterUser({ properties }: ResolvedResource, world: World, id: string) {
  const user = String(properties.MasterUsername);
  if (!isTrue(properties.ManageMasterUserPassword)) return { user, password: String(properties.MasterUserPassword) };
  const secret = createSecret(world, {
    name: `rds!cluster-${stableLetters(world, id, 24)}`,
    secretString: JSON.stringify({ username: user, password: randomBytes(18).toString('base64url') }),
  });
  return { user, password: String(parseFields(secret).password), secretArn: secret.arn };
}

const instance: ResourceProvider = {
  type: 'AWS::RDS::DBInstance',
  properties: [
    'DBClusterIdentifier',
    'Engine',
    // Without meaning here: the cluster is one server.
    'AutoMinorVersionUpgrade',
    'DBInstanceClass',
    'DBInstanceIdentifier',
    'DBParameterGroupName',
    'EnablePerformanceInsights',
    'MonitoringInterval',
    'MonitoringRoleArn',
    'PerformanceInsightsRetentionPeriod',
    'PromotionTier',
    'PubliclyAccessible',
    'Tags',
  ],
  create(resource, world) {
    const { DBClusterIdentifier, DBInstanceIdentifier } = resource.properties;
    const database = databasesOf(world).get(arn(world, 'rds', `cluster:${DBClusterIdentifier}`));
    if (!database) throw new Error('the rehearsal has only instances of the Aurora clusters of its templates.');
    const id = String(DBInstanceIdentifier ?? physicalName(world, resource, 63)).toLowerCase();
    return {
      ref: id,
      attributes: {
        DBInstanceArn: arn(world, 'rds', `db:${id}`),
        'Endpoint.Address': database.host,
        'Endpoint.Port': String(database.port),
      },
    };
  },
};

const subnetGroup: ResourceProvider = {
  type: 'AWS::RDS::DBSubnetGroup',
  properties: ['DBSubnetGroupDescription', 'DBSubnetGroupName', 'SubnetIds', 'Tags'],
  create: (resource, world) => ({ ref: physicalName(world, resource).toLowerCase(), attributes: {} }),
};

const parameterGroup: ResourceProvider = {
  type: 'AWS::RDS::DBClusterParameterGroup',
  properties: ['Description', 'Family', 'Parameters', 'Tags'],
  create(resource, world) {
    for (const [name, value] of Object.entries(resource.properties.Parameters ?? {})) {
      if (name === 'rds.force_ssl' && String(value) === '1') continue;
      throw new Error(`the rehearsal's PostgreSQL does not know the parameter ${name}=${value}.`);
    }
    return { ref: physicalName(world, resource).toLowerCase(), attributes: {} };
  },
};

function isTrue(value: unknown): boolean {
  return String(value) === 'true';
}

export const rdsProviders: readonly ResourceProvider[] = [cluster, instance, subnetGroup, parameterGroup];
