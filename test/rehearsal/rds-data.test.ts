// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates and definitions have them.
import {
  BatchExecuteStatementCommand,
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type ExecuteStatementCommandInput,
  RDSDataClient,
  RollbackTransactionCommand,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BeforeRollout } from '../../lambdas/shared/before-rollout.ts';
import {
  readCacheConfiguration,
  readCacheConfigurationHash,
  writeCacheConfiguration,
} from '../../lambdas/shared/cache-configuration.ts';
import { DataApiDatabase } from '../../lambdas/shared/data-api-database.ts';
import { isMissingTable } from '../../lambdas/shared/database-errors.ts';
import { mysql } from '../../lambdas/shared/dialect.ts';
import { takeHold } from '../../lambdas/shared/hold.ts';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import type { Account } from '../../rehearsal/account.ts';
import { roleCredentials } from '../../rehearsal/iam/credentials.ts';
import { rdsProviders } from '../../rehearsal/machines/providers/rds.ts';
import { numberParameters } from '../../rehearsal/services/rds-data/postgres/named-parameters.ts';
import { deploy } from './support/account.ts';
import { writeAssembly } from './support/assembly.ts';
import { role } from './support/resources.ts';

const cluster = { 'Fn::Sub': 'arn:aws:rds:${AWS::Region}:${AWS::AccountId}:cluster:${Cluster}' };

const assembly = (engine: string, parameters: Readonly<Record<string, string>> = {}) =>
  writeAssembly({
    Demo: {
      template: {
        Resources: {
          Secret: {
            Type: 'AWS::SecretsManager::Secret',
            Properties: {
              GenerateSecretString: {
                SecretStringTemplate: '{"username":"moodle"}',
                GenerateStringKey: 'password',
                ExcludePunctuation: true,
              },
            },
          },
          Parameters: {
            Type: 'AWS::RDS::DBClusterParameterGroup',
            Properties: { Description: 'of the test', Family: engine, Parameters: parameters },
          },
          Cluster: {
            Type: 'AWS::RDS::DBCluster',
            Properties: {
              Engine: engine,
              DatabaseName: 'moodle',
              EnableHttpEndpoint: true,
              DBClusterParameterGroupName: { Ref: 'Parameters' },
              MasterUsername: { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}:SecretString:username::}}' },
              MasterUserPassword: {
                'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: 'Secret' }, ':SecretString:password::}}']],
              },
            },
          },
          Attachment: {
            Type: 'AWS::SecretsManager::SecretTargetAttachment',
            Properties: {
              SecretId: { Ref: 'Secret' },
              TargetId: { Ref: 'Cluster' },
              TargetType: 'AWS::RDS::DBCluster',
            },
          },
          // May use the Data API, but not read the secret.
          HalfRole: role('lambda.amazonaws.com', { Effect: 'Allow', Action: 'rds-data:*', Resource: cluster }),
        },
        Outputs: { ClusterArn: { Value: cluster }, SecretArn: { Value: { Ref: 'Attachment' } } },
      },
    },
  });

const one = (name: string, value: SqlParameter['value'], typeHint?: SqlParameter['typeHint']): SqlParameter =>
  typeHint === undefined ? { name, value } : { name, value, typeHint };

describe('the Data API of Aurora PostgreSQL', () => {
  let account: Account;
  let client: RDSDataClient;
  let target: { resourceArn: string; secretArn: string };

  beforeAll(async () => {
    account = await deploy(assembly('aurora-postgresql', { 'rds.force_ssl': '1' }), { providers: rdsProviders });
    client = new RDSDataClient(account.clientConfiguration);
    target = { resourceArn: account.output('ClusterArn'), secretArn: account.output('SecretArn') };
    await execute('CREATE TABLE thing (id bigint PRIMARY KEY, name varchar(20), data jsonb, at timestamptz)');
  });
  afterAll(() => account.close());

  function execute(sql: string, parameters: SqlParameter[] = [], more: Partial<ExecuteStatementCommandInput> = {}) {
    return client.send(new ExecuteStatementCommand({ ...target, sql, parameters, ...more }));
  }

  it('gives each column in the form of its type', async () => {
    const { records, columnMetadata, numberOfRecordsUpdated } = await execute(
      `SELECT true AS a, 7::int4 AS b, 9007199254740991::int8 AS c, 1.5::float8 AS d, 12.30::numeric AS e, 'x'::text AS f,
              '{"k": 1}'::jsonb AS g, '2026-01-02 03:04:05.678+02'::timestamptz AS h, NULL::text AS i, '\\x00ff'::bytea AS j,
              ARRAY['p','q'] AS k, ARRAY[1,2]::int4[] AS l, '2026-01-02'::date AS m`,
      [],
      { includeResultMetadata: true },
    );
    expect(records).toEqual([
      [
        { booleanValue: true },
        { longValue: 7 },
        { longValue: 9007199254740991 },
        { doubleValue: 1.5 },
        { stringValue: '12.30' },
        { stringValue: 'x' },
        { stringValue: '{"k": 1}' },
        { stringValue: '2026-01-02 01:04:05.678' },
        { isNull: true },
        { blobValue: new Uint8Array([0, 255]) },
        { arrayValue: { stringValues: ['p', 'q'] } },
        { arrayValue: { longValues: [1, 2] } },
        { stringValue: '2026-01-02' },
      ],
    ]);
    expect(columnMetadata?.map(({ name, typeName }) => `${name} ${typeName}`).slice(0, 3)).toEqual([
      'a bool',
      'b int4',
      'c int8',
    ]);
    expect(numberOfRecordsUpdated).toBe(0);
  });

  it('declares the types of parameters as the Data API does', async () => {
    const inserted = await execute('INSERT INTO thing VALUES (:id, :name, :data, :at)', [
      one('id', { longValue: 1 }),
      one('name', { stringValue: "O'Neill :x" }),
      one('data', { stringValue: '{"a":[1]}' }, 'JSON'),
      one('at', { stringValue: '2026-01-02 03:04:05' }, 'TIMESTAMP'),
    ]);
    expect(inserted.numberOfRecordsUpdated).toBe(1);
    expect(inserted.generatedFields).toEqual([]);
    const { formattedRecords } = await execute(
      "SELECT id, name, data->'a' AS a, at, NULL::int AS n FROM thing WHERE id = :id AND name <> ':id' -- :other",
      [one('id', { longValue: 1 })],
      { formatRecordsAs: 'JSON' },
    );
    expect(JSON.parse(formattedRecords ?? '')).toEqual([
      { id: 1, name: "O'Neill :x", a: '[1]', at: '2026-01-02 03:04:05', n: null },
    ]);
    // A text is not json of itself, there as here.
    await expect(execute('UPDATE thing SET data = :data', [one('data', { stringValue: '{}' })])).rejects.toMatchObject({
      name: 'DatabaseErrorException',
      message: expect.stringMatching(/is of type jsonb but.*; SQLState: 42804$/s),
    });
    await execute('UPDATE thing SET data = :data::jsonb, name = :name', [
      one('data', { stringValue: '{}' }),
      one('name', { isNull: true }),
    ]);
    expect((await execute('UPDATE thing SET id = id + :n RETURNING id', [one('n', { longValue: 1 })])).records).toEqual(
      [[{ longValue: 2 }]],
    );
  });

  it('answers the database’s own words, with the SQLSTATE', async () => {
    await expect(execute('SELECT * FROM none')).rejects.toMatchObject({
      name: 'DatabaseErrorException',
      message: 'ERROR: relation "none" does not exist\n  Position: 15; SQLState: 42P01',
    });
    await expect(execute('SELECT 1; SELECT 2')).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(execute('SELECT :a')).rejects.toMatchObject({ name: 'BadRequestException' });
    await expect(execute("SELECT repeat('x', 70000)")).rejects.toMatchObject({ name: 'UnsupportedResultException' });
    await expect(execute("SELECT '1 day'::interval AS pause")).rejects.toMatchObject({
      name: 'UnsupportedResultException',
      message: expect.stringContaining('pause'),
    });
    await expect(execute('SELECT 1', [], { schema: 'x' })).rejects.toMatchObject({ name: 'UnsupportedParameter' });
    await expect(execute('SELECT 1', [], { database: 'none' })).rejects.toMatchObject({
      name: 'DatabaseErrorException',
    });
    await expect(
      client.send(new ExecuteStatementCommand({ ...target, resourceArn: `${target.resourceArn}x`, sql: 'SELECT 1' })),
    ).rejects.toMatchObject({ name: 'DatabaseNotFoundException' });
  });

  it('keeps transactions apart until they are committed', async () => {
    const { transactionId } = await client.send(new BeginTransactionCommand(target));
    await execute('INSERT INTO thing (id) VALUES (10)', [], { transactionId });
    const count = async () => (await execute('SELECT count(*) FROM thing WHERE id = 10')).records?.[0]?.[0]?.longValue;
    expect(await count()).toBe(0);
    expect(await client.send(new CommitTransactionCommand({ ...target, transactionId }))).toMatchObject({
      transactionStatus: 'Transaction Committed',
    });
    expect(await count()).toBe(1);
    const second = await client.send(new BeginTransactionCommand(target));
    await execute('DELETE FROM thing', [], { transactionId: second.transactionId });
    await client.send(new RollbackTransactionCommand({ ...target, transactionId: second.transactionId }));
    expect(await count()).toBe(1);
    await expect(execute('SELECT 1', [], { transactionId })).rejects.toMatchObject({
      name: 'TransactionNotFoundException',
    });
  });

  it('runs a batch whole or not at all', async () => {
    const batch = (...ids: number[]) =>
      client.send(
        new BatchExecuteStatementCommand({
          ...target,
          sql: 'INSERT INTO thing (id) VALUES (:id)',
          parameterSets: ids.map((id) => [one('id', { longValue: id })]),
        }),
      );
    expect((await batch(20, 21)).updateResults?.length).toBe(2);
    await expect(batch(22, 20)).rejects.toMatchObject({ name: 'DatabaseErrorException' });
    expect((await execute('SELECT id FROM thing WHERE id >= 20 ORDER BY id')).records?.length).toBe(2);
  });

  it('leaves nothing of one call to the next', async () => {
    await execute("SELECT pg_advisory_lock(7)::text, set_config('search_path', 'nowhere', false)");
    expect((await execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).records).toEqual([
      [{ longValue: 0 }],
    ]);
    expect((await execute('SELECT count(*) > 0 FROM thing')).records).toEqual([[{ booleanValue: true }]]);
  });

  it('reads the secret in the caller’s name', async () => {
    const roleArn = account.stacks.get('Demo')?.resources.get('HalfRole')?.attributes.Arn ?? '';
    const half = new RDSDataClient({
      ...account.clientConfiguration,
      credentials: roleCredentials(account.world, roleArn, 'tester'),
    });
    await expect(half.send(new ExecuteStatementCommand({ ...target, sql: 'SELECT 1' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('secretsmanager:GetSecretValue'),
    });
  });
});

describe('the Data API of Aurora MySQL', () => {
  let account: Account;
  let client: RDSDataClient;
  let target: { resourceArn: string; secretArn: string };

  beforeAll(async () => {
    const parameters = {
      require_secure_transport: 'ON',
      character_set_server: 'utf8mb4',
      collation_server: 'utf8mb4_unicode_ci',
    };
    account = await deploy(assembly('aurora-mysql', parameters), { providers: rdsProviders });
    client = new RDSDataClient(account.clientConfiguration);
    target = { resourceArn: account.output('ClusterArn'), secretArn: account.output('SecretArn') };
    await execute(
      'CREATE TABLE thing (id bigint PRIMARY KEY, yes boolean, name varchar(20), data longtext, at datetime(3))',
    );
  });
  afterAll(() => account.close());

  function execute(sql: string, parameters: SqlParameter[] = [], more: Partial<ExecuteStatementCommandInput> = {}) {
    return client.send(new ExecuteStatementCommand({ ...target, sql, parameters, ...more }));
  }

  it('gives each column in the form of its type, and knows the words of MySQL', async () => {
    await execute('INSERT INTO thing VALUES (:id, :yes, :name, :data, :at) # :none', [
      one('id', { longValue: 9007199254740991 }),
      one('yes', { booleanValue: true }),
      one('name', { stringValue: "O'Neill \\ :x" }),
      one('data', { stringValue: '🦉' }),
      one('at', { stringValue: '2026-01-02 03:04:05.678' }, 'TIMESTAMP'),
    ]);
    const { records, columnMetadata } = await execute(
      `SELECT id, yes, yes = TRUE AS b, name AS \`:c\`, data, at, 1.5e0 AS d, 1.50 AS e, NULL AS f, UNHEX('00ff') AS g,
              "it's :h" AS h, @@collation_database AS i FROM thing`,
      [],
      { includeResultMetadata: true },
    );
    expect(records).toEqual([
      [
        { longValue: 9007199254740991 },
        { booleanValue: true },
        { longValue: 1 },
        { stringValue: "O'Neill \\ :x" },
        { stringValue: '🦉' },
        { stringValue: '2026-01-02 03:04:05.678' },
        { doubleValue: 1.5 },
        { stringValue: '1.50' },
        { isNull: true },
        { blobValue: new Uint8Array([0, 255]) },
        { stringValue: "it's :h" },
        { stringValue: 'utf8mb4_unicode_ci' },
      ],
    ]);
    expect(columnMetadata?.slice(0, 4).map(({ name, typeName }) => `${name} ${typeName}`)).toEqual([
      'id BIGINT',
      'yes BIT',
      'b INT',
      ':c VARCHAR',
    ]);
  });

  it('answers the database’s own words, with the SQLSTATE', async () => {
    await expect(execute('SELECT * FROM none')).rejects.toMatchObject({
      name: 'DatabaseErrorException',
      message: "Table 'moodle.none' doesn't exist; SQLState: 42S02",
    });
    await expect(execute('SELECT :a')).rejects.toMatchObject({ name: 'BadRequestException' });
    await expect(execute("SELECT repeat('x', 70000) AS x")).rejects.toMatchObject({
      name: 'UnsupportedResultException',
    });
  });

  it('runs the statements of the phases', async () => {
    const database = new DataApiDatabase(client, { ...target, database: 'moodle' }, mysql);
    await createLifecycleSchema(database);
    await createLifecycleSchema(database);
    const rollout = { site: 'campus', execution: 'arn:one' };
    const unknown = { send: async () => ({ status: 'RUNNING' }) } as unknown as SFNClient;
    const hold = await takeHold(database, unknown, rollout, 'first', { installed: false } as BeforeRollout);
    expect(hold).toMatchObject({ isNew: true, hold: { execution: 'arn:one', before: { installed: false } } });
    expect(Math.abs(hold.hold.since - Date.now() / 1000)).toBeLessThan(60);
    await expect(
      takeHold(database, unknown, { ...rollout, execution: 'arn:two' }, 'second', {} as BeforeRollout),
    ).rejects.toMatchObject({ name: 'SiteHeld' });

    const store = { name: 'a', plugin: 'redis', endpoint: 'h:1', tls: true, prefix: 'p', secretArn: null };
    const wanted = { stores: [store, { ...store, name: 'b', tls: false }], mappings: { application: 'a' } };
    await writeCacheConfiguration(database, rollout, wanted);
    const hash = await readCacheConfigurationHash(database, 'campus');
    // The same again writes nothing, and MySQL says so.
    await writeCacheConfiguration(database, rollout, wanted);
    expect(await readCacheConfiguration(database, 'campus')).toEqual(wanted);
    expect(await readCacheConfigurationHash(database, 'campus')).toBe(hash);
    await writeCacheConfiguration(database, rollout, { ...wanted, stores: [store] });
    expect(await readCacheConfiguration(database, 'campus')).toEqual({ ...wanted, stores: [store] });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await readCacheConfigurationHash(database, 'campus')).not.toBe(hash);
    await expect(writeCacheConfiguration(database, { ...rollout, execution: 'arn:two' }, wanted)).rejects.toMatchObject(
      {
        name: 'HoldLost',
      },
    );
    expect(await database.query('SELECT * FROM nowhere').catch(isMissingTable)).toBe(true);
  });
});

describe('named parameters', () => {
  it.each([
    ['a = :a AND b = :b AND c = :a', 'a = $1 AND b = $2 AND c = $1', ['a', 'b']],
    ['x::int = :x::int AND y = \':no\' AND ":no" = 1', 'x::int = $1::int AND y = \':no\' AND ":no" = 1', ['x']],
    ["'it''s :no' || :a -- :no", "'it''s :no' || $1 -- :no", ['a']],
    ['/* :no */ :a', '/* :no */ $1', ['a']],
    ['DO $$ BEGIN :no; END $$', 'DO $$ BEGIN :no; END $$', []],
    ['$tag$ :no $tag$ || :a', '$tag$ :no $tag$ || $1', ['a']],
    ['list[1:2], :a', 'list[1:2], $1', ['a']],
  ])('%s', (sql, text, names) => {
    expect(numberParameters(sql)).toEqual({ text, names });
  });
});
