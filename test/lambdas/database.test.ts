import { BadRequestException, type RDSDataClient } from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataApiDatabase } from '../../lambdas/shared/data-api-database.ts';
import { fromDataApi } from '../../lambdas/shared/database-errors.ts';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import { positional } from '../../lambdas/shared/pg-database.ts';
import { choosePort } from '../../rehearsal/machines/ports.ts';
import { makeWorld } from '../machines/make-world.ts';
import { LifecycleServer } from '../support/lifecycle-database.ts';

let server: LifecycleServer;
beforeAll(async () => {
  server = await LifecycleServer.start();
});
afterAll(() => server.close());

describe('positional', () => {
  it('numbers each name once, and leaves casts and quoted text alone', () => {
    expect(positional("SELECT :a::text, ':b', 'it''s :c', CAST(:d AS json), :a", { a: 1, d: '{}' })).toEqual({
      text: "SELECT $1::text, ':b', 'it''s :c', CAST($2 AS json), $1",
      values: [1, '{}'],
    });
  });

  it('refuses a name without a value, and a value without a name', () => {
    expect(() => positional('SELECT :a', {})).toThrow(':a, which has no value');
    expect(() => positional('SELECT 1', { b: 2 })).toThrow('does not use b');
  });
});

describe('PgDatabase', () => {
  it('answers numbers and booleans as such, and all else as text', async () => {
    const { database } = await server.emptyDatabase();
    const [row] = await database.query(
      `SELECT count(*) AS counted, 1.5::float8 AS half, true AS yes, NULL AS nothing, '{"a": 1}'::jsonb AS json,
              timestamptz '2026-01-02 03:04:05+00' AT TIME ZONE 'UTC' AS time, :word AS word`,
      { word: "it's" },
    );
    expect(row).toEqual({
      counted: 1,
      half: 1.5,
      yes: true,
      nothing: null,
      json: '{"a": 1}',
      time: '2026-01-02 03:04:05',
      word: "it's",
    });
  });

  it('rolls a transaction back as a whole', async () => {
    const { database } = await server.emptyDatabase();
    await database.execute('CREATE TABLE kept (n int)');
    const work = database.transaction(async (statements) => {
      expect(await statements.execute('INSERT INTO kept VALUES (1), (2)')).toBe(2);
      await statements.execute('INSERT INTO nowhere VALUES (1)');
    });
    await expect(work).rejects.toThrow('nowhere');
    expect(await database.query('SELECT n FROM kept')).toEqual([]);
  });

  it('connects again after it was closed', async () => {
    const { database } = await server.emptyDatabase();
    await database.query('SELECT 1 AS one');
    await database.close();
    expect(await database.query('SELECT 2 AS two')).toEqual([{ two: 2 }]);
  });

  it('waits for a server that refuses connections', async () => {
    const world = await makeWorld();
    const port = await choosePort(world, 'nobody');
    const database = server.open({ ...server.connection('any'), port });
    await expect(database.query('SELECT 1')).rejects.toMatchObject({
      name: 'DatabaseUnreachable',
      message: expect.stringContaining('security group'),
    });
    await world.close();
  });

  it('does not speak to a server whose certificate it cannot verify', async () => {
    const { name } = await server.emptyDatabase();
    const database = server.open({ ...server.connection(name), tls: {} });
    await expect(database.query('SELECT 1')).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY|ISSUER/),
    });
  });

  it('reads the credentials anew once when the password is refused', async () => {
    const { name } = await server.emptyDatabase();
    const asked: boolean[] = [];
    const known = server.connection(name);
    const database = server.open({
      ...known,
      credentials: async (refresh) => {
        asked.push(refresh);
        return refresh ? known.credentials(refresh) : { user: 'moodle', password: 'of yesterday' };
      },
    });
    expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(asked).toEqual([false, true]);
  });

  it('gives up on a password that stays refused, without naming it', async () => {
    const { name } = await server.emptyDatabase();
    const credentials = async () => ({ user: 'moodle', password: 'never-right' });
    const failure = await server
      .open({ ...server.connection(name), credentials })
      .query('SELECT 1')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'DatabaseLoginRefused' });
    expect(String(failure)).not.toContain('never-right');
  });
});

describe('DataApiDatabase', () => {
  /** Stands for the service's client, which needs an account; the wire is tested on the rehearsal. */
  function answering(...answers: object[]) {
    const sent: { name: string; input: object }[] = [];
    const client = {
      send: async (command: { constructor: { name: string }; input: object }) => {
        sent.push({ name: command.constructor.name, input: command.input });
        const answer = answers.shift() ?? {};
        if (answer instanceof Error) throw answer;
        return answer;
      },
    } as unknown as RDSDataClient;
    return {
      sent,
      database: new DataApiDatabase(client, {
        resourceArn: 'arn:cluster',
        secretArn: 'arn:secret',
        database: 'moodle',
      }),
    };
  }

  it('sends typed named parameters, and answers rows by column', async () => {
    const { sent, database } = answering({
      columnMetadata: [{ name: 'a' }, { name: 'b', label: 'renamed' }, { name: 'c' }],
      records: [[{ longValue: 7 }, { isNull: true }, { stringValue: 'x' }]],
    });
    const rows = await database.query('SELECT …', { text: 'x', whole: 3, half: 0.5, yes: false, none: null });
    expect(rows).toEqual([{ a: 7, renamed: null, c: 'x' }]);
    expect(sent[0]?.input).toMatchObject({
      parameters: [
        { name: 'text', value: { stringValue: 'x' } },
        { name: 'whole', value: { longValue: 3 } },
        { name: 'half', value: { doubleValue: 0.5 } },
        { name: 'yes', value: { booleanValue: false } },
        { name: 'none', value: { isNull: true } },
      ],
    });
  });

  it('rolls back, and tells the error of the work rather than that of rolling back', async () => {
    const { sent, database } = answering({ transactionId: 't1' }, new Error('no such table'), new Error('no rollback'));
    await expect(database.transaction((statements) => statements.execute('DELETE …'))).rejects.toThrow('no such table');
    expect(sent.map(({ name }) => name)).toEqual([
      'BeginTransactionCommand',
      'ExecuteStatementCommand',
      'RollbackTransactionCommand',
    ]);
    expect(sent[1]?.input).toMatchObject({ transactionId: 't1' });
  });

  it.each([
    ['DatabaseResumingException', 'is resuming', 'DatabaseResuming'],
    ['DatabaseUnavailableException', 'gone', 'DatabaseUnreachable'],
    ['ServiceUnavailableError', '', 'DatabaseUnreachable'],
    ['BadRequestException', 'Communications link failure', 'DatabaseUnreachable'],
    ['BadRequestException', 'ERROR: syntax error', 'BadRequestException'],
    ['InvalidSecretException', 'the secret is invalid', 'DatabaseLoginRefused'],
    ['BadRequestException', 'FATAL: password authentication failed for user "x"', 'DatabaseLoginRefused'],
    ['DatabaseErrorException', 'ERROR: relation "x" does not exist', 'DatabaseErrorException'],
    ['DatabaseErrorException', 'FATAL: terminating connection; SQLState: 57P01', 'DatabaseUnreachable'],
    ['DatabaseErrorException', 'ERROR: duplicate key; SQLState: 23505', 'DatabaseErrorException'],
    ['ForbiddenException', 'no permission', 'ForbiddenException'],
  ])('knows %s (%s) as %s', (name, message, known) => {
    expect(fromDataApi(Object.assign(new Error(message), { name }))).toMatchObject({ name: known });
  });

  it('knows the errors of the real client', () => {
    const error = new BadRequestException({ message: 'Communications link failure', $metadata: {} });
    expect(fromDataApi(error)).toMatchObject({ name: 'DatabaseUnreachable' });
  });
});

describe('the lifecycle schema', () => {
  it('is made once by two rollouts that begin at the same time, and again without harm', async () => {
    const { name, database } = await server.emptyDatabase();
    const other = server.open(server.connection(name));
    await Promise.all([createLifecycleSchema(database), createLifecycleSchema(other)]);
    await createLifecycleSchema(database);
    const tables = await database.query(
      `SELECT count(*) AS tables FROM information_schema.tables WHERE table_schema = 'moodle_lifecycle'`,
    );
    expect(tables).toEqual([{ tables: 11 }]);
  });

  it('leaves the rows that are there', async () => {
    const database = await server.database();
    await database.execute(
      `INSERT INTO moodle_lifecycle.cache_mode_mapping (site, mode, store) VALUES ('campus', 'application', 'kept')`,
    );
    await database.execute('DROP VIEW moodle_lifecycle.cache_configuration_hash');
    await createLifecycleSchema(database);
    expect(await database.query('SELECT store FROM moodle_lifecycle.cache_mode_mapping')).toEqual([{ store: 'kept' }]);
  });
});
