import pg from 'pg';
import { type Database, type DatabaseSettings, type Queryable, tlsOf, transaction, type Words } from '../database.ts';
import { say } from '../say.ts';

const words: Words = {
  now: 'now()',
  epoch: (time) => `extract(epoch FROM ${time})::float8`,
  orUpdate: (key, columns) =>
    `ON CONFLICT (${key}) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
  schema: 'current_schema()',
  serial: 'bigserial',
  binary: 'bytea',
};

const INT8 = 20;
const parserOf = ((oid: number, format?: 'text') =>
  oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

export function openPostgresql(settings: DatabaseSettings): Database {
  const { database } = settings;
  const configuration: pg.ClientConfig = {
    host: database.host,
    port: database.port,
    database: database.name,
    user: database.user,
    password: database.password,
    ssl: tlsOf(settings) ?? false,
    connectionTimeoutMillis: 10_000,
    application_name: 'moodle stand-in',
    types: { getTypeParser: parserOf },
  };
  const pool = new pg.Pool({ ...configuration, max: 5 });
  // An idle connection that the server cuts must not end the node: the next query gets a new one or fails by itself.
  pool.on('error', (error) => say(`an idle database connection was lost: ${error.message}`));
  const queryable = (on: Pick<pg.Pool, 'query'>): Queryable => ({
    words,
    query: async <Row extends object>(sql: string, values?: unknown[]) =>
      (await on.query(sql, values)) as unknown as { rows: Row[] },
  });
  const within = <T>(begin: string, work: (connection: Queryable) => Promise<T>): Promise<T> =>
    transaction(() => pool.connect(), queryable, begin, work);
  return {
    ...queryable(pool),
    prefix: database.prefix,
    transaction: (work) => within('BEGIN', work),
    snapshot: (work) => within('BEGIN ISOLATION LEVEL REPEATABLE READ', work),
    async tryLock(name, lost) {
      const connection = new pg.Client(configuration);
      await connection.connect();
      const { rows } = await connection.query('SELECT pg_try_advisory_lock(hashtext($1)) AS locked', [
        `moodle_lifecycle.${name}`,
      ]);
      if (!rows[0]?.locked) {
        await connection.end();
        return undefined;
      }
      connection.on('error', lost);
      return () => connection.end();
    },
    close: () => pool.end(),
  };
}
