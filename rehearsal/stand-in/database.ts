import mysql from 'mysql2/promise';
import pg from 'pg';
import { say } from './say.ts';
import type { Settings } from './settings.ts';

/** What PostgreSQL and MySQL write differently. */
export interface Words {
  /** This moment, as the lifecycle's tables keep it. */
  readonly now: string;
  /** A time as seconds since 1970. */
  epoch(time: string): string;
  /** End of an INSERT that gives these columns of a row that is there already the new values. */
  orUpdate(key: string, columns: readonly string[]): string;
  /** Of Moodle's own tables, as information_schema names it. */
  readonly schema: string;
  /** Type of a table's own number. */
  readonly serial: string;
  /** Type of bytes. */
  readonly binary: string;
}

const postgres: Words = {
  now: 'now()',
  epoch: (time) => `extract(epoch FROM ${time})::float8`,
  orUpdate: (key, columns) =>
    `ON CONFLICT (${key}) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
  schema: 'current_schema()',
  serial: 'bigserial',
  binary: 'bytea',
};

const mariaDb: Words = {
  now: 'UTC_TIMESTAMP(6)',
  epoch: (time) => `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${time}) / 1e6`,
  orUpdate: (_key, columns) =>
    `ON DUPLICATE KEY UPDATE ${columns.map((column) => `${column} = VALUES(${column})`).join(', ')}`,
  schema: 'DATABASE()',
  serial: 'bigint AUTO_INCREMENT',
  binary: 'longblob',
};

/** Anything that runs SQL: the pool, or one connection in a transaction. Parameters are `$1`, `$2` … */
export interface Queryable {
  readonly words: Words;
  /** Whole numbers come as numbers; what is true or false as such or as 1 or 0. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<{ rows: Row[] }>;
}

export interface Database extends Queryable {
  /** Moodle's table prefix; from the environment, never from a request. */
  readonly prefix: string;
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  /** Reads at one moment. */
  snapshot<T>(work: (connection: Queryable) => Promise<T>): Promise<T>;
  /**
   * Takes the image's lock of this name on a connection of its own.
   *
   * @param lost called when the connection breaks while it holds the lock
   * @returns how to give it back, or undefined when another process has it
   */
  tryLock(name: 'install' | 'upgrade', lost: (error: Error) => void): Promise<(() => Promise<void>) | undefined>;
  close(): Promise<void>;
}

type DatabaseSettings = Pick<Settings, 'database' | 'certificateAuthority'>;

export function openDatabase(settings: DatabaseSettings): Database {
  return settings.database.type === 'pgsql' ? openPostgres(settings) : openMysql(settings);
}

/** In libpq's sense: `require` encrypts, and verifies no certificate. */
function tlsOf({ database, certificateAuthority: ca }: DatabaseSettings) {
  if (database.tls === 'disable') return undefined;
  return database.tls === 'require' ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ...(ca && { ca }) };
}

const INT8 = 20;
const parserOf = ((oid: number, format?: 'text') =>
  oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

function openPostgres(settings: DatabaseSettings): Database {
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
    words: postgres,
    query: async <Row extends object>(sql: string, values?: unknown[]) =>
      (await on.query(sql, values)) as unknown as { rows: Row[] },
  });
  const within = async <T>(begin: string, work: (connection: Queryable) => Promise<T>): Promise<T> => {
    const connection = await pool.connect();
    try {
      return await transaction(queryable(connection), begin, work);
    } finally {
      connection.release();
    }
  };
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

function openMysql(settings: DatabaseSettings): Database {
  const { database } = settings;
  const tls = tlsOf(settings);
  const configuration: mysql.ConnectionOptions = {
    host: database.host,
    port: database.port,
    database: database.name,
    user: database.user,
    password: database.password,
    // The name too, which pg compares by itself.
    ...(tls && { ssl: { ...tls, verifyIdentity: tls.rejectUnauthorized } }),
    connectTimeout: 10_000,
    charset: 'utf8mb4_unicode_ci',
  };
  const pool = mysql.createPool({ ...configuration, connectionLimit: 5 });
  const queryable = (on: Pick<mysql.Pool, 'query'>): Queryable => ({
    words: mariaDb,
    async query<Row extends object>(sql: string, values: unknown[] = []) {
      const order: unknown[] = [];
      const marked = sql.replace(/\$(\d+)/g, (_, number) => {
        order.push(values[Number(number) - 1]);
        return '?';
      });
      const [rows] = await on.query(marked, order);
      return { rows: Array.isArray(rows) ? (rows as Row[]) : [] };
    },
  });
  const within = async <T>(begin: string, work: (connection: Queryable) => Promise<T>): Promise<T> => {
    const connection = await pool.getConnection();
    try {
      return await transaction(queryable(connection), begin, work);
    } finally {
      connection.release();
    }
  };
  return {
    ...queryable(pool),
    prefix: database.prefix,
    transaction: (work) => within('START TRANSACTION', work),
    snapshot: (work) => within('START TRANSACTION WITH CONSISTENT SNAPSHOT', work),
    async tryLock(name, lost) {
      const connection = await mysql.createConnection(configuration);
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        `SELECT GET_LOCK(CONCAT('moodle_lifecycle.${name} ', LEFT(DATABASE(), 39)), 0) AS locked`,
      );
      if (rows[0]?.locked !== 1) {
        await connection.end();
        return undefined;
      }
      connection.on('error', lost);
      return () => connection.end();
    },
    close: () => pool.end(),
  };
}

async function transaction<T>(
  connection: Queryable,
  begin: string,
  work: (connection: Queryable) => Promise<T>,
): Promise<T> {
  try {
    await connection.query(begin);
    const result = await work(connection);
    await connection.query('COMMIT');
    return result;
  } catch (error) {
    await connection.query('ROLLBACK');
    throw error;
  }
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
    `INSERT INTO ${database.prefix}config (name, value) VALUES ($1, $2) ${database.words.orUpdate('name', ['value'])}`,
    [name, value],
  );
}

export async function setPluginVersion(database: Database, plugin: string, version: number): Promise<void> {
  await database.query(
    `INSERT INTO ${database.prefix}config_plugins (plugin, name, value) VALUES ($1, 'version', $2)
     ${database.words.orUpdate('plugin, name', ['value'])}`,
    [plugin, String(version)],
  );
}

export async function unsetConfig(database: Database, name: string): Promise<void> {
  await database.query(`DELETE FROM ${database.prefix}config WHERE name = $1`, [name]);
}

/** Names of the tables that begin with Moodle's prefix. */
export async function moodleTables(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = ${database.words.schema} AND table_type = 'BASE TABLE' ORDER BY table_name`,
  );
  return rows.map(({ name }) => name).filter((name) => name.startsWith(database.prefix));
}
