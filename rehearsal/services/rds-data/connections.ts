import { randomBytes } from 'node:crypto';
import { AwsError } from '../../endpoint/service.ts';
import { findDatabase } from '../../machines/databases.ts';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { findSecret, parseFields } from '../secrets-store.ts';
import { mysqlSessions } from './mysql/sessions.ts';
import { postgresSessions } from './postgres/sessions.ts';
import type { Session, Sessions } from './session.ts';

/** A transaction that is idle for so long is rolled back. From the Data API's quotas; not scaled: its users are real. */
const IDLE_LIMIT = 3 * 60_000;

/** How a call names the database that it wants. */
export interface Target {
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database?: string;
}

interface Transaction {
  readonly session: Session;
  timer: NodeJS.Timeout;
}

interface Connections {
  readonly sessions: Map<string, Sessions>;
  readonly transactions: Map<string, Transaction>;
}

const connectionsOf = perWorld<Connections>((world) => {
  const connections: Connections = { sessions: new Map(), transactions: new Map() };
  world.onClose(async () => {
    for (const id of [...connections.transactions.keys()]) await endTransaction(world, id, 'ROLLBACK');
    await Promise.all([...connections.sessions.values()].map((sessions) => sessions.close()));
  });
  return connections;
});

/** Does something on a connection of its own. */
export async function withSession<Value>(
  world: World,
  target: Target,
  work: (session: Session) => Promise<Value>,
): Promise<Value> {
  const session = await sessionsFor(world, target).open();
  try {
    return await work(session);
  } finally {
    await session.release();
  }
}

export async function beginTransaction(world: World, target: Target): Promise<string> {
  const session = await sessionsFor(world, target).open();
  await session.transaction('BEGIN');
  const id = randomBytes(48).toString('base64');
  const timer = setTimeout(() => void endTransaction(world, id, 'ROLLBACK'), IDLE_LIMIT);
  connectionsOf(world).transactions.set(id, { session, timer });
  return id;
}

/** @throws AwsError TransactionNotFoundException */
export function sessionOfTransaction(world: World, id: string): Session {
  const transaction = connectionsOf(world).transactions.get(id);
  if (!transaction) throw new AwsError('TransactionNotFoundException', `Transaction ${id} is not found`, 404);
  transaction.timer.refresh();
  return transaction.session;
}

/** @throws AwsError TransactionNotFoundException */
export async function endTransaction(world: World, id: string, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const session = sessionOfTransaction(world, id);
  const { transactions } = connectionsOf(world);
  clearTimeout(transactions.get(id)?.timer);
  transactions.delete(id);
  try {
    await session.transaction(how);
  } finally {
    await session.release();
  }
}

function sessionsFor(world: World, { resourceArn, secretArn, database: name }: Target): Sessions {
  const database = findDatabase(world, resourceArn);
  if (!database) throw new AwsError('DatabaseNotFoundException', `DB cluster ${resourceArn} not found`, 404);
  if (!database.dataApi) {
    throw new AwsError('HttpEndpointNotEnabledException', `HttpEndpoint is not enabled for cluster ${resourceArn}`);
  }
  const login = { database, name: name ?? database.databaseName, ...credentials(world, secretArn) };
  const key = JSON.stringify([database.server, database.port, login.name, login.username, login.password]);
  const { sessions } = connectionsOf(world);
  const known = sessions.get(key);
  if (known) return known;
  const made = (database.engine === 'postgres' ? postgresSessions : mysqlSessions)(login);
  sessions.set(key, made);
  return made;
}

function credentials(world: World, secretArn: string): { username: string; password: string } {
  const secret = findSecret(world, secretArn);
  if (!secret) throw new AwsError('SecretsErrorException', `The secret ${secretArn} is not found.`);
  const { username, password } = parseFields(secret);
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  throw new AwsError('InvalidSecretException', `The secret ${secretArn} has no username and password.`);
}
