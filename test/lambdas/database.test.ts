import { BadRequestException, type RDSDataClient } from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataApiDatabase } from '../../lambdas/shared/data-api-database.ts';
import { fromDataApi, isMissingPart, isMissingTable } from '../../lambdas/shared/database-errors.ts';
import { postgresql } from '../../lambdas/shared/dialect.ts';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import { truth } from '../../lambdas/shared/moodle-database.ts';
import { bindNames } from '../../lambdas/shared/network-connection.ts';
import { choosePort } from '../../rehearsal/machines/ports.ts';
import { makeWorld } from '../machines/make-world.ts';
import { kinds, LifecycleServer } from '../support/lifecycle-database.ts';

describe('bindNames', () => {
  const sql = "SELECT :a::text, ':b', 'it''s :c', CAST(:d AS json), :a";

  it('numbers each name, and leaves casts and quoted text alone', () => {
    expect(bindNames<unknown>(sql, { a: 1, d: '{}' }, (number) => `$${number}`, true)).toEqual({
      text: "SELECT $1::text, ':b', 'it''s :c', CAST($2 AS json), $1",
      values: [1, '{}'],
    });
    expect(bindNames<unknown>(sql, { a: 1, d: '{}' }, () => '?', false)).toEqual({
      text: "SELECT ?::text, ':b', 'it''s :c', CAST(? AS json), ?",
      values: [1, '{}', 1],
    });
  });

  it('refuses a name without a value, and a value without a name', () => {
    expect(() => bindNames('SELECT :a', {}, String, true)).toThrow(':a, which has no value');
    expect(() => bindNames('SELECT 1', { b: 2 }, String, true)).toThrow('does not use b');
  });
});

describe.each(kinds)('a database of %s', (kind) => {
  let server: LifecycleServer;
  beforeAll(async () => {
    server = await LifecycleServer.start(kind);
  });
  afterAll(() => server.close());

  describe('over its own protocol', () => {
    it('answers numbers as such, truth as 1 or true, and all else as text', async () => {
      const { database } = await server.emptyDatabase();
      const { createSchema, types, json, epoch, now } = database.dialect;
      await database.execute(createSchema);
      await database.execute(
        `CREATE TABLE moodle_lifecycle.of_each (k ${types.key(9)}, t ${types.text}, j ${types.json}, at ${types.time}, b boolean)`,
      );
      const values = { k: "it's", t: 'größer 🦉', j: '{"a": 1}' };
      await database.execute(
        `INSERT INTO moodle_lifecycle.of_each VALUES (:k, :t, ${json(':j')}, ${now}, TRUE)`,
        values,
      );
      const [row] = await database.query(
        `SELECT k, t, j, at, b, 1 = :one AS one, NULL AS nothing, ${epoch('at')} AS seconds,
              (SELECT count(*) FROM moodle_lifecycle.of_each WHERE k <> :other) AS counted
         FROM moodle_lifecycle.of_each`,
        { one: 1, other: "IT'S" },
      );
      expect(row).toMatchObject({
        ...values,
        nothing: null,
        counted: 1,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\d /),
      });
      expect([truth(row, 'b'), truth(row, 'one')]).toEqual([true, true]);
      expect(Math.abs(Number(row?.seconds) - Date.now() / 1000)).toBeLessThan(60);
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
        message: expect.stringMatching(/certificate/),
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

  describe('the lifecycle schema', () => {
    it('is made once by two rollouts that begin at the same time, and again without harm', async () => {
      const { name, database } = await server.emptyDatabase();
      const other = server.open(server.connection(name));
      await Promise.all([createLifecycleSchema(database), createLifecycleSchema(other)]);
      await createLifecycleSchema(database);
      const tables = await database.query(
        `SELECT count(*) AS tables FROM information_schema.tables WHERE table_schema = 'moodle_lifecycle'`,
      );
      expect(tables).toEqual([{ tables: 12 }]);
    });

    it('is told apart when it is not there, or is from before a column', async () => {
      const { database } = await server.emptyDatabase();
      const failure = (sql: string) =>
        database.query(sql).then(
          () => undefined,
          (error: unknown) => error,
        );
      const query = 'SELECT beneath FROM moodle_lifecycle.rollout_hold';
      expect([isMissingTable(await failure(query)), isMissingPart(await failure(query))]).toEqual([true, true]);
      await createLifecycleSchema(database);
      await database.execute('ALTER TABLE moodle_lifecycle.rollout_hold DROP COLUMN beneath');
      expect([isMissingTable(await failure(query)), isMissingPart(await failure(query))]).toEqual([false, true]);
      expect(isMissingPart(await failure('SELECT nonsense FROM'))).toBe(false);
    });

    it('leaves the rows that are there', async () => {
      const database = await server.database();
      await database.execute(
        `INSERT INTO moodle_lifecycle.cache_mode_mapping (site, mode, store) VALUES ('campus', 'application', 'kept')`,
      );
      await database.execute('DROP VIEW moodle_lifecycle.cache_configuration_hash');
      await createLifecycleSchema(database);
      expect(await database.query('SELECT store FROM moodle_lifecycle.cache_mode_mapping')).toEqual([
        { store: 'kept' },
      ]);
    });
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
      database: new DataApiDatabase(
        client,
        {
          resourceArn: 'arn:cluster',
          secretArn: 'arn:secret',
          database: 'moodle',
        },
        postgresql,
        [1, 1],
      ),
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

  it('tries a refused login again, as a rotation may be under way, and no other error', async () => {
    const refused = () => Object.assign(new Error('no'), { name: 'InvalidSecretException' });
    const rotated = answering(refused(), refused(), { records: [] });
    expect(await rotated.database.query('SELECT 1')).toEqual([]);
    expect(rotated.sent).toHaveLength(3);
    const wrong = answering(refused(), refused(), refused(), { records: [] });
    await expect(wrong.database.query('SELECT 1')).rejects.toMatchObject({ name: 'DatabaseLoginRefused' });
    const other = answering(new Error('no such table'), { records: [] });
    await expect(other.database.query('SELECT 1')).rejects.toThrow('no such table');
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
    ['DatabaseNotFoundException', 'DB cluster arn:… not found', 'DatabaseUnreachable'],
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
