import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { databaseEngines } from '../../infra/database-engines.ts';
import { leastDatabaseVersion } from '../../infra/moodle-requirements.ts';
import { type contexts, type Resource, synthesised, synthesisedFrom } from './synthesised.ts';

type Configuration = keyof typeof contexts;

const resource = (configuration: Configuration, type: string): Resource => {
  const [found, ...others] = synthesised(configuration).resources.filter(({ Type }) => Type === type);
  expect(others).toEqual([]);
  if (!found) throw new Error(`There is no ${type}.`);
  return found;
};

const nodeEnvironment = (configuration: Configuration): Record<string, unknown> => {
  const [definition] = synthesised(configuration).resources.filter(({ Type }) => Type === 'AWS::ECS::TaskDefinition');
  const { Environment } = definition?.Properties.ContainerDefinitions[0] ?? {};
  return Object.fromEntries(
    (Environment as { Name: string; Value: unknown }[]).map(({ Name, Value }) => [Name, Value]),
  );
};

const functionEnvironment = (configuration: Configuration): Record<string, unknown> => {
  const [first] = synthesised(configuration).resources.filter(
    ({ Type, stack }) => Type === 'AWS::Lambda::Function' && stack === 'lifecycle',
  );
  return first?.Properties.Environment.Variables;
};

describe('serverless Aurora PostgreSQL', () => {
  it('pauses in development, and has the Data API', () => {
    expect(resource('dev', 'AWS::RDS::DBCluster').Properties).toMatchObject({
      Engine: 'aurora-postgresql',
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 4 },
      EnableHttpEndpoint: true,
    });
    expect(resource('dev', 'AWS::RDS::DBInstance').Properties.DBInstanceClass).toBe('db.serverless');
  });

  it('stays awake in production', () => {
    const { ServerlessV2ScalingConfiguration } = resource('prod', 'AWS::RDS::DBCluster').Properties;

    expect(ServerlessV2ScalingConfiguration.MinCapacity).toBeGreaterThan(0);
  });
});

describe('provisioned Aurora MySQL', () => {
  const configuration = 'provisioned Aurora MySQL';

  it('is of the series that Moodle asks for, with its character set', () => {
    expect(resource(configuration, 'AWS::RDS::DBCluster').Properties).toMatchObject({
      Engine: 'aurora-mysql',
      EngineVersion: '8.4.mysql_aurora.8.4.7',
    });
    expect(resource(configuration, 'AWS::RDS::DBClusterParameterGroup').Properties).toMatchObject({
      Family: 'aurora-mysql8.4',
      Parameters: { character_set_server: 'utf8mb4', collation_server: 'utf8mb4_0900_ai_ci' },
    });
  });

  it('has two instances of the chosen type, and no serverless capacity', () => {
    const instances = synthesised(configuration).resources.filter(({ Type }) => Type === 'AWS::RDS::DBInstance');

    expect(instances.map(({ Properties }) => Properties.DBInstanceClass)).toEqual(['db.t4g.medium', 'db.t4g.medium']);
    expect(resource(configuration, 'AWS::RDS::DBCluster').Properties).not.toHaveProperty(
      'ServerlessV2ScalingConfiguration',
    );
  });

  it('is known to the nodes and to the functions', () => {
    expect(nodeEnvironment(configuration).MOODLE_DATABASE_TYPE).toBe('auroramysql');
    expect(functionEnvironment(configuration)).toMatchObject({
      DATABASE_ENGINE: 'aurora-mysql',
      DATABASE_ACCESS: 'data-api',
    });
  });
});

describe('MariaDB with a standby', () => {
  const configuration = 'MariaDB with a standby';

  it('grows by itself, stands by in another zone and leaves a final snapshot', () => {
    expect(resource(configuration, 'AWS::RDS::DBInstance')).toMatchObject({
      DeletionPolicy: 'Snapshot',
      UpdateReplacePolicy: 'Snapshot',
      Properties: {
        Engine: 'mariadb',
        EngineVersion: '11.4.10',
        MultiAZ: true,
        StorageType: 'gp3',
        AllocatedStorage: '20',
        MaxAllocatedStorage: 100,
        BackupRetentionPeriod: 1,
        DeleteAutomatedBackups: false,
        DeletionProtection: true,
      },
    });
    expect(resource(configuration, 'AWS::RDS::DBParameterGroup').Properties).toMatchObject({
      Family: 'mariadb11.4',
      Parameters: { require_secure_transport: '1', collation_server: 'utf8mb4_unicode_ci' },
    });
  });

  it('is reached by its own protocol, from inside the network', () => {
    expect(nodeEnvironment(configuration).MOODLE_DATABASE_TYPE).toBe('mariadb');
    expect(functionEnvironment(configuration)).toMatchObject({
      DATABASE_ENGINE: 'mariadb',
      DATABASE_ACCESS: 'network',
    });
    expect(JSON.stringify(synthesised(configuration).lifecycle.toJSON())).not.toContain('rds-data:');
  });
});

describe('what RDS tells the operator', () => {
  it.each<[Configuration, readonly string[]]>([
    ['dev', ['db-cluster', 'db-instance']],
    ['provisioned Aurora MySQL', ['db-cluster', 'db-instance']],
    ['MariaDB with a standby', ['db-instance']],
  ])('%s', (configuration, sources) => {
    const { resources } = synthesised(configuration);
    const subscriptions = resources.filter(({ Type }) => Type === 'AWS::RDS::EventSubscription');

    expect(subscriptions.map(({ Properties }) => Properties.SourceType).sort()).toEqual(sources);
    for (const { Properties, DependsOn } of subscriptions) {
      expect(Properties.EventCategories).toContain('failure');
      expect(Properties.SourceIds.length).toBeGreaterThan(0);
      expect(DependsOn?.some((id) => id.includes('TopicPolicy'))).toBe(true);
    }
  });
});

it('deploys for each engine a version that the newest Moodle takes', () => {
  for (const [name, { family, defaultVersion, version }] of Object.entries(databaseEngines)) {
    expect(version.exec(defaultVersion)?.groups?.major, name).toBe(leastDatabaseVersion('5.3', family));
  }
});

it('has the phase functions know every engine', () => {
  const settings = readFileSync(new URL('../../lambdas/shared/settings.ts', import.meta.url), 'utf8');
  const [, list = ''] = /const databaseEngines = \[([^\]]+)\]/.exec(settings) ?? [];

  expect(list.match(/[a-z-]+/g)?.sort()).toEqual(Object.keys(databaseEngines).sort());
});

describe('rotation of the password', () => {
  it.each([
    [{ databaseEngine: 'aurora-postgresql' }, 'PostgreSQLSingleUser'],
    [{ databaseEngine: 'postgresql', databaseAccess: 'network' }, 'PostgreSQLSingleUser'],
    [{ databaseEngine: 'aurora-mysql', nat: 'none', interfaceEndpoints: 'true' }, 'MySQLSingleUser'],
    [{ databaseEngine: 'mariadb', databaseAccess: 'network' }, 'MariaDBSingleUser'],
  ])('is of the engine, and reaches the database: %o', (context, rotationType) => {
    const { resources } = synthesisedFrom({ ...context, databaseRotationDays: '30' });
    const [rotation, ...others] = resources.filter(({ Type }) => Type === 'AWS::SecretsManager::RotationSchedule');
    expect(others).toEqual([]);
    const { HostedRotationLambda: hosted, ...rest } = rotation?.Properties ?? {};

    expect(rest).toMatchObject({
      RotationRules: { ScheduleExpression: 'rate(30 days)' },
      RotateImmediatelyOnUpdate: false,
      SecretId: { Ref: expect.stringMatching(/^DatabaseCredentialsAttachment/) },
    });
    expect(hosted.RotationType).toBe(rotationType);
    // As the group of its log is called, which expires.
    const logs = resources.filter(({ Type }) => Type === 'AWS::Logs::LogGroup').map(({ Properties }) => Properties);
    expect(logs.find(({ LogGroupName }) => LogGroupName === `/aws/lambda/${hosted.RotationLambdaName}`)).toHaveProperty(
      'RetentionInDays',
    );
    const [group] = hosted.VpcSecurityGroupIds['Fn::GetAtt'];
    const letIn = resources
      .filter(({ Type }) => Type === 'AWS::EC2::SecurityGroupIngress')
      .filter(({ Properties }) => Properties.SourceSecurityGroupId?.['Fn::GetAtt'][0] === group)
      .map(({ Properties }) => Properties.GroupId['Fn::GetAtt'][0] as string);
    expect(letIn).toContainEqual(expect.stringMatching(/^DatabaseSecurityGroup/));
    // Without a way out it reads the secret by an endpoint.
    if ('nat' in context) expect(letIn).toContainEqual(expect.stringMatching(/^NetworkEndpoint/));
  });

  it('is nobody else’s: without the option there is none', () => {
    for (const configuration of ['dev', 'prod'] as const) {
      const types = synthesised(configuration).resources.map(({ Type }) => Type);
      expect(types).not.toContain('AWS::SecretsManager::RotationSchedule');
    }
  });
});
