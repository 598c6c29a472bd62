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
  const retryStrategy = (attempt: number) => Math.min(attempt * 200, 2_000);
  const client = makeClient(address, { retryStrategy, maxRetriesPerRequest: 1 });
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
  const client = makeClient(address, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  let cause: Error | undefined;
  client.on('error', (error: Error) => {
    cause ??= error;
  });
  try {
    await client.connect();
    await client.ping();
    return client;
  } catch (error) {
    client.disconnect();
    throw cause ?? error;
  }
}

function makeClient(
  { host, port, tls, password, certificateAuthority }: RedisAddress,
  retries: { retryStrategy: (attempt: number) => number | null; maxRetriesPerRequest: number },
): Redis {
  return new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: certificateAuthority ? { ca: certificateAuthority } : {} } : {}),
    ...retries,
    connectTimeout: 5_000,
    commandTimeout: 5_000,
    lazyConnect: true,
  });
}
