import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { AwsError } from '../../endpoint/service.ts';
import { findDatabase } from '../../machines/databases.ts';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { findSecret, parseFields } from '../secrets-store.ts';
import { errorOf } from './errors.ts';

/** A transaction that is idle for so long is rolled back. From the Data API's quotas; not scaled: its users are real. */
const IDLE_LIMIT = 3 * 60_000;

/** How a call names the database that it wants. */
export interface Target {
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database?: string;
}

interface Transaction {
  readonly client: pg.PoolClient;
  timer: NodeJS.Timeout;
}

interface Connections {
  readonly pools: Map<string, pg.Pool>;
  readonly transactions: Map<string, Transaction>;
}

const connectionsOf = perWorld<Connections>((world) => {
  const connections: Connections = { pools: new Map(), transactions: new Map() };
  world.onClose(async () => {
    for (const id of [...connections.transactions.keys()]) await endTransaction(world, id, 'ROLLBACK');
    await Promise.all([...connections.pools.values()].map((pool) => pool.end()));
  });
  return connections;
});

/** Does something on a connection of its own, which afterwards is as good as new. */
export async function withConnection<Value>(
  world: World,
  target: Target,
  work: (client: pg.ClientBase) => Promise<Value>,
): Promise<Value> {
  const client = await connect(world, target);
  let reusable = false;
  try {
    const value = await work(client);
    await client.query('DISCARD ALL');
    reusable = true;
    return value;
  } finally {
    client.release(!reusable);
  }
}

export async function beginTransaction(world: World, target: Target): Promise<string> {
  const client = await connect(world, target);
  await client.query('BEGIN');
  const id = randomBytes(48).toString('base64');
  const timer = setTimeout(() => void endTransaction(world, id, 'ROLLBACK'), IDLE_LIMIT);
  connectionsOf(world).transactions.set(id, { client, timer });
  return id;
}

/** @throws AwsError TransactionNotFoundException */
export function transactionClient(world: World, id: string): pg.ClientBase {
  const transaction = connectionsOf(world).transactions.get(id);
  if (!transaction) throw new AwsError('TransactionNotFoundException', `Transaction ${id} is not found`, 404);
  transaction.timer.refresh();
  return transaction.client;
}

/** @throws AwsError TransactionNotFoundException */
export async function endTransaction(world: World, id: string, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const client = transactionClient(world, id) as pg.PoolClient;
  const { transactions } = connectionsOf(world);
  clearTimeout(transactions.get(id)?.timer);
  transactions.delete(id);
  let reusable = false;
  try {
    await client.query(how);
    await client.query('DISCARD ALL');
    reusable = true;
  } catch (error) {
    throw errorOf(error);
  } finally {
    client.release(!reusable);
  }
}

async function connect(world: World, target: Target): Promise<pg.PoolClient> {
  try {
    return await poolFor(world, target).connect();
  } catch (error) {
    throw errorOf(error);
  }
}

function poolFor(world: World, { resourceArn, secretArn, database: wanted }: Target): pg.Pool {
  const database = findDatabase(world, resourceArn);
  if (!database) throw new AwsError('DatabaseNotFoundException', `DB cluster ${resourceArn} not found`, 404);
  if (!database.dataApi) {
    throw new AwsError('HttpEndpointNotEnabledException', `HttpEndpoint is not enabled for cluster ${resourceArn}`);
  }
  const { username, password } = credentials(world, secretArn);
  const name = wanted ?? database.databaseName ?? 'postgres';
  const key = JSON.stringify([resourceArn, name, username, password]);
  const { pools } = connectionsOf(world);
  const known = pools.get(key);
  if (known) return known;
  const pool = new pg.Pool({
    host: database.host,
    port: database.port,
    database: name,
    user: username,
    password,
    max: 20,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 20_000,
    options: '-c timezone=UTC',
    ssl: { ca: readFileSync(database.certificateAuthorityFile, 'utf8') },
  });
  // A connection that breaks while nobody uses it is replaced at the next call.
  pool.on('error', () => {});
  pools.set(key, pool);
  return pool;
}

function credentials(world: World, secretArn: string): { username: string; password: string } {
  const secret = findSecret(world, secretArn);
  if (!secret) throw new AwsError('SecretsErrorException', `The secret ${secretArn} is not found.`);
  const { username, password } = parseFields(secret);
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  throw new AwsError('InvalidSecretException', `The secret ${secretArn} has no username and password.`);
}
