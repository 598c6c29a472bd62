import type pg from 'pg';
import { fromPostgres } from './database-errors.ts';
import { postgresql } from './dialect.ts';
import type { MoodleDatabase, SqlParameters, SqlRow, SqlStatements } from './moodle-database.ts';
import {
  bindNames,
  connectMilliseconds,
  endConnection,
  type NetworkConnection,
  statementMilliseconds,
  transactionOn,
} from './network-connection.ts';

/** PostgreSQL's type numbers (pg_type.oid) of what becomes a number or a boolean; all else stays text. */
const numbers = new Set([20, 21, 23, 26, 700, 701]);
const boolean = 16;

/** Any PostgreSQL over its own protocol, always with TLS that verifies the server. */
export class PgDatabase implements MoodleDatabase {
  readonly access = 'network';
  readonly dialect = postgresql;
  readonly #connection: NetworkConnection;
  #client: Promise<pg.Client> | undefined;

  constructor(connection: NetworkConnection) {
    this.#connection = connection;
  }

  async query(sql: string, parameters: SqlParameters = {}): Promise<SqlRow[]> {
    return (await this.#run(sql, parameters)).rows;
  }

  async execute(sql: string, parameters: SqlParameters = {}): Promise<number> {
    return (await this.#run(sql, parameters)).rowCount ?? 0;
  }

  transaction<Result>(work: (statements: SqlStatements) => Promise<Result>): Promise<Result> {
    return transactionOn(this, (sql) => this.#run(sql, {}), 'BEGIN', work);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await endConnection(client);
  }

  async #run(sql: string, parameters: SqlParameters): Promise<pg.QueryResult<SqlRow>> {
    try {
      this.#client ??= this.#connect(false);
      const client = await this.#client.catch((error: unknown) => {
        this.#client = undefined;
        throw error;
      });
      return await client.query<SqlRow>(numbered(sql, parameters));
    } catch (error) {
      throw fromPostgres(error);
    }
  }

  async #connect(wasRefused: boolean): Promise<pg.Client> {
    const { host, port, database, tls } = this.#connection;
    // Not at the start of a function that has another database, or its Data API.
    const { Client } = await import('pg');
    const client = new Client({
      host,
      port,
      database,
      ...(await this.#connection.credentials(wasRefused)),
      ssl: { rejectUnauthorized: true, ...(tls.ca ? { ca: tls.ca } : {}) },
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
      if (invalidPassword && !wasRefused) return this.#connect(true);
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

/** `:name` becomes `$1`, `$2` …; the same name has the same number everywhere, so that it has one type. */
function numbered(sql: string, parameters: SqlParameters): { text: string; values: unknown[] } {
  return bindNames(sql, parameters, (number) => `$${number}`, true);
}
