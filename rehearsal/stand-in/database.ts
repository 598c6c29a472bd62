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

export type DatabaseSettings = Pick<Settings, 'database' | 'certificateAuthority'>;

/** Each driver takes a node as long to load as all the rest of the stand-in. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  if (settings.database.type === 'pgsql') return (await import('./drivers/postgresql.ts')).openPostgresql(settings);
  return (await import('./drivers/mysql.ts')).openMysql(settings);
}

/** In libpq's sense: `require` encrypts, and verifies no certificate. */
export function tlsOf({ database, certificateAuthority: ca }: DatabaseSettings) {
  if (database.tls === 'disable') return undefined;
  return database.tls === 'require' ? { rejectUnauthorized: false } : { rejectUnauthorized: true, ...(ca && { ca }) };
}

/**
 * Runs the work between `begin` and COMMIT on a connection of its own; rolls back when it fails.
 *
 * @param connect takes a connection out of the driver's pool
 * @param queryable that connection for the work
 */
export async function transaction<Connection extends { release(): void }, T>(
  connect: () => Promise<Connection>,
  queryable: (connection: Connection) => Queryable,
  begin: string,
  work: (connection: Queryable) => Promise<T>,
): Promise<T> {
  const taken = await connect();
  const connection = queryable(taken);
  try {
    await connection.query(begin);
    const result = await work(connection);
    await connection.query('COMMIT');
    return result;
  } catch (error) {
    await connection.query('ROLLBACK');
    throw error;
  } finally {
    taken.release();
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
