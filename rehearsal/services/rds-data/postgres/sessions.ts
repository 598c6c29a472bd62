import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { Login, Session, Sessions } from '../session.ts';
import { errorOf } from './errors.ts';
import { runStatement } from './statement.ts';

/** Connections to a real PostgreSQL. */
export function postgresSessions({ database, name, username, password }: Login): Sessions {
  const pool = new pg.Pool({
    host: database.host,
    port: database.port,
    database: name ?? 'postgres',
    user: username,
    password,
    max: 20,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 20_000,
    options: '-c timezone=UTC',
    ssl: { ca: readFileSync(database.certificateAuthorityFile, 'utf8') },
  });
  // A connection that breaks while nobody uses it is replaced at the next call; in the middle of a transaction, whoever
  // waits for an answer is told by the statement itself.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return { open: async () => session(await asAws(pool.connect())), close: () => pool.end() };
}

function session(client: pg.PoolClient): Session {
  return {
    statement: (sql, parameters = [], options = {}) => asAws(runStatement(client, sql, parameters, options)),
    transaction: async (how) => void (await asAws(client.query(how))),
    release: async () => {
      // What was begun and not ended, as after an error in a batch, ends here too.
      const reset = await client.query('ROLLBACK').then(
        () => client.query('DISCARD ALL').then(() => true),
        () => false,
      );
      client.release(!reset);
    },
  };
}

async function asAws<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    throw errorOf(error);
  }
}
