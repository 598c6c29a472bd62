import { randomBytes } from 'node:crypto';
import { perWorld } from '../../per-world.ts';
import { createSecret, parseFields } from '../../services/secrets-store.ts';
import { physicalName, stableLetters } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { type Database, databasesOf } from '../databases.ts';
import { startMariaDb } from '../mariadb.ts';
import { startPostgres } from '../postgres.ts';

/** Which server of this computer stands behind an engine of RDS. */
const servers: Readonly<Record<string, Database['engine']>> = {
  'aurora-postgresql': 'postgres',
  postgres: 'postgres',
  'aurora-mysql': 'mariadb',
  mysql: 'mariadb',
  mariadb: 'mariadb',
};

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
    const id = String(properties.DBClusterIdentifier ?? physicalName(world, resource, 63)).toLowerCase();
    const master = masterUser(resource, world, `cluster-${id}`);
    const database = await startDatabase(world, properties, master, {
      arn: arn(world, 'rds', `cluster:${id}`),
      identifier: id,
      kind: 'cluster',
      databaseName: properties.DatabaseName,
      dataApi: isTrue(properties.EnableHttpEndpoint),
      parameterGroup: properties.DBClusterParameterGroupName,
    });
    return {
      ref: id,
      attributes: {
        DBClusterArn: database.arn,
        DBClusterResourceId: `cluster-${stableLetters(world, id, 26).toUpperCase()}`,
        'Endpoint.Address': database.host,
        'Endpoint.Port': String(database.port),
        'ReadEndpoint.Address': database.host,
        ...(master.secretArn === undefined ? {} : { 'MasterUserSecret.SecretArn': master.secretArn }),
      },
    };
  },
};

interface Wanted extends Pick<Database, 'arn' | 'identifier' | 'kind' | 'databaseName' | 'dataApi'> {
  readonly parameterGroup: string | undefined;
}

async function startDatabase(
  world: World,
  { Engine }: ResolvedResource['properties'],
  master: { readonly user: string; readonly password: string },
  { parameterGroup, ...wanted }: Wanted,
): Promise<Database> {
  const engine = servers[Engine];
  if (!engine) throw new Error(`the rehearsal does not have the engine ${Engine}.`);
  const parameters = parameterGroupsOf(world).get(parameterGroup ?? '') ?? {};
  const start = engine === 'postgres' ? startPostgres : startMariaDb;
  const server = await start(world, wanted.identifier, parametersOf(engine, parameters));
  await server.ensureOwner(master.user, master.password, wanted.databaseName);
  const { certificateAuthorityFile } = world;
  const database = { ...wanted, engine, host: server.host, port: server.port, certificateAuthorityFile };
  databasesOf(world).set(database.arn, database);
  return database;
}

function masterUser({ properties }: ResolvedResource, world: World, id: string) {
  const user = String(properties.MasterUsername);
  if (!isTrue(properties.ManageMasterUserPassword)) return { user, password: String(properties.MasterUserPassword) };
  const secret = createSecret(world, {
    name: `rds!${stableLetters(world, id, 24)}`,
    secretString: JSON.stringify({ username: user, password: randomBytes(18).toString('base64url') }),
  });
  return { user, password: String(parseFields(secret).password), secretArn: secret.arn };
}

const instance: ResourceProvider = {
  type: 'AWS::RDS::DBInstance',
  properties: [
    'DBClusterIdentifier',
    'DBInstanceIdentifier',
    'DBName',
    'DBParameterGroupName',
    'Engine',
    'MasterUserPassword',
    'MasterUsername',
    // Without meaning for one server on one computer.
    'AllocatedStorage',
    'AutoMinorVersionUpgrade',
    'BackupRetentionPeriod',
    'CopyTagsToSnapshot',
    'DBInstanceClass',
    'DBSubnetGroupName',
    'DeleteAutomatedBackups',
    'DeletionProtection',
    'EnableCloudwatchLogsExports',
    'EnablePerformanceInsights',
    'EngineVersion',
    'KmsKeyId',
    'MaxAllocatedStorage',
    'MonitoringInterval',
    'MonitoringRoleArn',
    'MultiAZ',
    'PerformanceInsightsRetentionPeriod',
    'Port',
    'PreferredBackupWindow',
    'PreferredMaintenanceWindow',
    'PromotionTier',
    'PubliclyAccessible',
    'StorageEncrypted',
    'StorageType',
    'Tags',
    'VPCSecurityGroups',
  ],
  async create(resource, world) {
    const { properties } = resource;
    const id = String(properties.DBInstanceIdentifier ?? physicalName(world, resource, 63)).toLowerCase();
    const instanceArn = arn(world, 'rds', `db:${id}`);
    const database =
      properties.DBClusterIdentifier === undefined
        ? await startDatabase(world, properties, masterUser(resource, world, `db-${id}`), {
            arn: instanceArn,
            identifier: id,
            kind: 'instance',
            databaseName: properties.DBName,
            dataApi: false,
            parameterGroup: properties.DBParameterGroupName,
          })
        : databasesOf(world).get(arn(world, 'rds', `cluster:${properties.DBClusterIdentifier}`));
    if (!database) throw new Error('the rehearsal has only instances of the Aurora clusters of its templates.');
    return {
      ref: id,
      attributes: {
        DBInstanceArn: instanceArn,
        DbiResourceId: `db-${stableLetters(world, id, 26).toUpperCase()}`,
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

type Parameters = Readonly<Record<string, string>>;

/** By name. */
const parameterGroupsOf = perWorld(() => new Map<string, Parameters>());

const parameterGroup = (type: string): ResourceProvider => ({
  type,
  properties: ['Description', 'Family', 'Parameters', 'Tags'],
  create(resource, world) {
    const name = physicalName(world, resource).toLowerCase();
    parameterGroupsOf(world).set(name, resource.properties.Parameters ?? {});
    return { ref: name, attributes: {} };
  },
});

/** What a server here is started with; TLS is asked for in any case. */
function parametersOf(engine: Database['engine'], parameters: Parameters): Parameters {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (engine === 'postgres' && name === 'rds.force_ssl' && String(value) === '1') continue;
    if (engine === 'mariadb' && name === 'require_secure_transport' && /^(1|ON)$/.test(String(value))) continue;
    if (engine === 'mariadb' && /^(character_set|collation)_server$/.test(name)) given[name] = String(value);
    else throw new Error(`the rehearsal's ${engine} does not know the parameter ${name}=${value}.`);
  }
  return given;
}

function isTrue(value: unknown): boolean {
  return String(value) === 'true';
}

export const rdsProviders: readonly ResourceProvider[] = [
  cluster,
  instance,
  subnetGroup,
  parameterGroup('AWS::RDS::DBClusterParameterGroup'),
  parameterGroup('AWS::RDS::DBParameterGroup'),
];
