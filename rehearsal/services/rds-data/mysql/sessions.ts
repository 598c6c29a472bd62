import { readFileSync } from 'node:fs';
import { type Connection, createConnection, type FieldPacket, type ResultSetHeader } from 'mysql2/promise';
import { answerOf, CALL_LIMIT, type Text, valuesOf, withinLimit } from '../answer.ts';
import { plainValue, type SqlParameter } from '../fields.ts';
import type { Login, Session, Sessions, StatementOptions } from '../session.ts';
import { errorOf } from './errors.ts';
import { markParameters } from './named-parameters.ts';
import { columnOf } from './results.ts';

/** Connections to a real MariaDB, in Aurora MySQL's place. A new one each time: that is how nothing of one is left. */
export function mysqlSessions({ database, name, username, password }: Login): Sessions {
  const connect = () =>
    createConnection({
      host: database.host,
      port: database.port,
      ...(name === undefined ? {} : { database: name }),
      user: username,
      password,
      ssl: { ca: readFileSync(database.certificateAuthorityFile, 'utf8'), verifyIdentity: true },
      charset: 'utf8mb4_bin',
      // Rows that were found but already were so do not count: the narrower of the two readings of the documentation.
      flags: ['-FOUND_ROWS'],
      rowsAsArray: true,
      timezone: 'Z',
      // Every value as the server writes it.
      typeCast: (field) => field.buffer(),
    });
  return {
    async open() {
      try {
        const connection = await connect();
        // One that breaks is met at its next statement.
        connection.on('error', () => {});
        await connection.query("SET time_zone = '+00:00'");
        return session(connection);
      } catch (error) {
        throw errorOf(error);
      }
    },
    close: async () => {},
  };
}

function session(connection: Connection): Session {
  return {
    async statement(sql, parameters = [], options = {}) {
      try {
        return await runStatement(connection, sql, parameters, options);
      } catch (error) {
        throw errorOf(error);
      }
    },
    async transaction(how) {
      try {
        await connection.query(how);
      } catch (error) {
        throw errorOf(error);
      }
    },
    release: async () => await connection.end().catch(() => connection.destroy()),
  };
}

async function runStatement(
  connection: Connection,
  sql: string,
  parameters: readonly SqlParameter[],
  options: StatementOptions,
): Promise<object> {
  const { text, names } = markParameters(sql);
  const values = valuesOf(names, parameters).map(plainValue);
  const running = connection.query({
    sql: text,
    values,
    ...(options.continueAfterTimeout ? {} : { timeout: CALL_LIMIT }),
  });
  const [answer, fields] = (await (options.continueAfterTimeout ? withinLimit(running) : running)) as [
    Text[][] | ResultSetHeader,
    FieldPacket[] | undefined,
  ];
  if (!Array.isArray(answer)) return answerOf({ columns: [], rows: [], updated: answer.affectedRows }, options);
  return answerOf({ columns: (fields ?? []).map(columnOf), rows: answer, updated: 0 }, options);
}
