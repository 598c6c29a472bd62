import { Client } from 'memjs';
import type { CacheServer } from '../settings.ts';

/** A client that fails within a second when the server does not answer. */
export function openMemcached({ host, port }: Pick<CacheServer, 'host' | 'port'>): Client {
  return Client.create(`${host}:${port}`, { timeout: 1, retries: 1, logger: { log: () => undefined } });
}

/** The server's version, for example `1.6.18`. */
export function memcachedVersion(client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    client.stats((error, server, values) => {
      if (error) reject(error);
      else if (!values?.version) reject(new Error(`Memcached at ${server} does not tell its version`));
      else resolve(values.version);
    });
  });
}
