import type { Connection, FieldPacket, ResultSetHeader } from 'mysql2/promise';
import { fromMysql } from './database-errors.ts';
import { mysql as dialect } from './dialect.ts';
import type { MoodleDatabase, SqlParameters, SqlRow, SqlStatements, SqlValue } from './moodle-database.ts';
import {
  bindNames,
  connectMilliseconds,
  endConnection,
  type NetworkConnection,
  statementMilliseconds,
  transactionOn,
} from './network-connection.ts';

type Answer = [SqlRow[] | ResultSetHeader, FieldPacket[]];

/** MySQL and MariaDB over their own protocol, always with TLS that verifies the server. */
export class MysqlDatabase implements MoodleDatabase {
  readonly access = 'network';
  readonly dialect = dialect;
  readonly #connection: NetworkConnection;
  #client: Promise<Connection> | undefined;

  constructor(connection: NetworkConnection) {
    this.#connection = connection;
  }

  async query(sql: string, parameters: SqlParameters = {}): Promise<SqlRow[]> {
    const rows = await this.#run(sql, parameters);
    if (Array.isArray(rows)) return rows;
    throw new TypeError('The statement answers no rows: execute it.');
  }

  async execute(sql: string, parameters: SqlParameters = {}): Promise<number> {
    const answer = await this.#run(sql, parameters);
    if (!Array.isArray(answer)) return answer.affectedRows;
    throw new TypeError('The statement answers rows: query it.');
  }

  transaction<Result>(work: (statements: SqlStatements) => Promise<Result>): Promise<Result> {
    return transactionOn(this, (sql) => this.#run(sql, {}), 'START TRANSACTION', work);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await endConnection(client);
  }

  async #run(sql: string, parameters: SqlParameters): Promise<SqlRow[] | ResultSetHeader> {
    try {
      this.#client ??= this.#connect(false);
      const client = await this.#client.catch((error: unknown) => {
        this.#client = undefined;
        throw error;
      });
      return await this.#send(client, sql, parameters);
    } catch (error) {
      throw fromMysql(error);
    }
  }

  async #send(client: Connection, sql: string, parameters: SqlParameters): Promise<SqlRow[] | ResultSetHeader> {
    const { text, values } = bindNames<SqlValue>(sql, parameters, () => '?', false);
    const statement = { sql: text, timeout: statementMilliseconds };
    try {
      // Values go as such and are never written into the text; what has none may be a statement that takes none.
      const [answer] = (
        values.length > 0 ? await client.execute({ ...statement, values }) : await client.query(statement)
      ) as Answer;
      return answer;
    } catch (error) {
      // The server may still be at work on that statement, so that this connection has no use any more.
      if ((error as { code?: string }).code === 'PROTOCOL_SEQUENCE_TIMEOUT') {
        this.#client = undefined;
        client.destroy();
      }
      throw error;
    }
  }

  async #connect(wasRefused: boolean): Promise<Connection> {
    const { host, port, database, tls } = this.#connection;
    // Not at the start of a function that has another database: evaluating it is a fifth of such a start.
    const { default: mysql } = await import('mysql2/promise');
    try {
      const client = await mysql.createConnection({
        host,
        port,
        database,
        ...(await this.#connection.credentials(wasRefused)),
        ssl: { rejectUnauthorized: true, verifyIdentity: true, ...(tls.ca ? { ca: tls.ca } : {}) },
        charset: 'utf8mb4_bin',
        connectTimeout: connectMilliseconds,
        dateStrings: true,
        jsonStrings: true,
      });
      // Without a listener a connection that breaks while idle would end the process; the next statement meets it anyway.
      client.on('error', () => undefined);
      return client;
    } catch (error) {
      const refused = (error as { code?: string }).code === 'ER_ACCESS_DENIED_ERROR';
      if (refused && !wasRefused) return this.#connect(true);
      throw error;
    }
  }
}
