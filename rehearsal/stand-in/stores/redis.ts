import { Redis } from 'ioredis';
import { say } from '../say.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly password: string | undefined;
  /** PEM of what signed the server's certificate; undefined means the system's trust. */
  readonly certificateAuthority: string | undefined;
}

/**
 * A client whose commands fail within seconds when the server does not answer, and that connects again by itself.
 * The server's certificate is verified.
 */
export function openRedis(address: RedisAddress): Redis {
  const client = new Redis({
    host: address.host,
    port: address.port,
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: address.certificateAuthority ? { ca: address.certificateAuthority } : {} } : {}),
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    lazyConnect: true,
  });
  let last = '';
  client.on('error', (error: Error) => {
    if (error.message !== last) say(`Redis at ${address.host}:${address.port}: ${error.message}`);
    last = error.message;
  });
  return client;
}

/**
 * Connects once, with no second try, so that the first cause is the one that is told.
 * @throws Error as the server or TLS gave it
 */
export async function connectRedis(address: RedisAddress): Promise<Redis> {
  const client = new Redis({
    host: address.host,
    port: address.port,
    ...(address.tls ? { tls: address.certificateAuthority ? { ca: address.certificateAuthority } : {} } : {}),
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
    lazyConnect: true,
  });
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    cause = error;
  });
  try {
    await client.connect();
    if (address.password !== undefined) await client.auth(address.password);
    return client;
  } catch (error) {
    client.disconnect();
    throw cause ?? error;
  }
}
