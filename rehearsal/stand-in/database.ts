import pg from 'pg';
import { say } from './say.ts';
import type { Settings } from './settings.ts';

/** Anything that runs SQL: the pool, or one connection in a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<pg.QueryResult<Row>>;
}

export interface Database extends Queryable {
  /** Moodle's table prefix; from the environment, never from a request. */
  readonly prefix: string;
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** `sslmode=require` in libpq's sense: encrypted, the certificate not verified. */
export function connectionConfig({ database }: Pick<Settings, 'database'>): pg.ClientConfig {
  return {
    host: database.host,
    port: database.port,
    database: database.name,
    user: database.user,
    password: database.password,
    ssl: database.tls ? { rejectUnauthorized: false } : false,
    connectionTimeoutMillis: 10_000,
    application_name: 'moodle stand-in',
  };
}

export function openDatabase(settings: Pick<Settings, 'database'>): Database {
  const pool = new pg.Pool({ ...connectionConfig(settings), max: 5 });
  // An idle connection that the server cuts must not end the node: the next query gets a new one or fails by itself.
  pool.on('error', (error) => say(`an idle database connection was lost: ${error.message}`));
  return {
    prefix: settings.database.prefix,
    query: (sql, values) => pool.query(sql, values),
    close: () => pool.end(),
    async transaction(work) {
      const connection = await pool.connect();
      try {
        await connection.query('BEGIN');
        const result = await work(connection);
        await connection.query('COMMIT');
        return result;
      } catch (error) {
        await connection.query('ROLLBACK');
        throw error;
      } finally {
        connection.release();
      }
    },
  };
}

/** Every row of Moodle's `config` table. */
export async function readConfig(database: Database): Promise<Map<string, string>> {
  const { rows } = await database.query<{ name: string; value: string }>(
    `SELECT name, value FROM ${database.prefix}config`,
  );
  return new Map(rows.map(({ name, value }) => [name, value]));
}

export async function setConfig(database: Database, name: string, value: string): Promise<void> {
  await database.query(
    `INSERT INTO ${database.prefix}config (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [name, value],
  );
}

export async function unsetConfig(database: Database, name: string): Promise<void> {
  await database.query(`DELETE FROM ${database.prefix}config WHERE name = $1`, [name]);
}

/** Names of the tables that begin with Moodle's prefix. */
export async function moodleTables(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND left(table_name, length($1)) = $1
     ORDER BY table_name`,
    [database.prefix],
  );
  return rows.map(({ name }) => name);
}
