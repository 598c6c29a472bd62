import pg from 'pg';
import { fromPostgres } from './database-errors.ts';
import type { MoodleDatabase, SqlParameters, SqlRow, SqlStatements } from './moodle-database.ts';

export interface PgConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** PEM of the certificate authority; absent: the trust of Node.js. `false` only for a server on this computer. */
  readonly tls: { readonly ca?: string } | false;
  /** Read anew when the server refuses the password, so that a rotated secret is survived. */
  credentials(refresh: boolean): Promise<{ readonly user: string; readonly password: string }>;
}

const connectMilliseconds = 10_000;
const statementMilliseconds = 45_000;

/** PostgreSQL's type numbers (pg_type.oid) of what becomes a number or a boolean; all else stays text. */
const numbers = new Set([20, 21, 23, 26, 700, 701]);
const boolean = 16;

/** Any PostgreSQL over its own protocol, always with TLS that verifies the server (unless on this computer). */
export class PgDatabase implements MoodleDatabase {
  readonly driver = 'pg';
  readonly #connection: PgConnection;
  #client: Promise<pg.Client> | undefined;

  constructor(connection: PgConnection) {
    this.#connection = connection;
  }

  async query(sql: string, parameters: SqlParameters = {}): Promise<SqlRow[]> {
    return (await this.#run(sql, parameters)).rows;
  }

  async execute(sql: string, parameters: SqlParameters = {}): Promise<number> {
    return (await this.#run(sql, parameters)).rowCount ?? 0;
  }

  async transaction<Result>(work: (statements: SqlStatements) => Promise<Result>): Promise<Result> {
    await this.#run('BEGIN', {});
    try {
      const result = await work({
        query: (sql, parameters) => this.query(sql, parameters),
        execute: (sql, parameters) => this.execute(sql, parameters),
      });
      await this.#run('COMMIT', {});
      return result;
    } catch (error) {
      // A connection that broke has rolled back already: so the first error is the one worth telling.
      await this.#run('ROLLBACK', {}).catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await (await client?.catch(() => undefined))?.end().catch(() => undefined);
  }

  async #run(sql: string, parameters: SqlParameters): Promise<pg.QueryResult<SqlRow>> {
    try {
      this.#client ??= this.#connect(false);
      const client = await this.#client.catch((error: unknown) => {
        this.#client = undefined;
        throw error;
      });
      return await client.query<SqlRow>(positional(sql, parameters));
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  async #connect(refresh: boolean): Promise<pg.Client> {
    const { host, port, database, tls } = this.#connection;
    const client = new pg.Client({
      host,
      port,
      database,
      ...(await this.#connection.credentials(refresh)),
      ssl: tls && { rejectUnauthorized: true, ...(tls.ca ? { ca: tls.ca } : {}) },
      connectionTimeoutMillis: connectMilliseconds,
      statement_timeout: statementMilliseconds,
      types: { getTypeParser: (oid: number) => parser(oid) },
    });
    // Without a listener a connection that breaks while idle would end the process; the next statement meets it anyway.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      const invalidPassword = (error as { code?: string }).code === '28P01';
      if (invalidPassword && !refresh) return this.#connect(true);
      throw error;
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the signature is that of node-postgres.
function parser(oid: number): any {
  if (numbers.has(oid)) return Number;
  if (oid === boolean) return (value: string) => value === 't';
  return (value: string) => value;
}

/** `:name` becomes `$1`, `$2` …; a `::type` cast and text between quotes are left alone. */
export function positional(sql: string, parameters: SqlParameters): { text: string; values: unknown[] } {
  const names: string[] = [];
  const text = sql.replace(/'(?:[^']|'')*'|::|:([a-z]\w*)/gi, (whole, name: string | undefined) => {
    if (name === undefined) return whole;
    if (!(name in parameters)) throw new TypeError(`The statement names :${name}, which has no value.`);
    if (!names.includes(name)) names.push(name);
    return `$${names.indexOf(name) + 1}`;
  });
  const unused = Object.keys(parameters).filter((name) => !names.includes(name));
  if (unused.length > 0) throw new TypeError(`The statement does not use ${unused.join(', ')}.`);
  return { text, values: names.map((name) => parameters[name]) };
}
