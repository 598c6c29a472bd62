import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Redis } from 'ioredis';
import { type CacheConfiguration, passwordOf } from './cache-stores.ts';
import { say, wordsOf } from './say.ts';
import { hostAndPort, type Settings } from './settings.ts';
import { openRedis } from './stores/redis.ts';

/** Moodle's application cache, as far as it holds the site's configuration (definition `core/config`). */
export interface ConfigCache {
  get(): Promise<ReadonlyMap<string, string> | undefined>;
  set(config: ReadonlyMap<string, string>): Promise<void>;
  purge(): Promise<void>;
  close(): void;
}

/** In the mapped store, else in files on the shared volume, Moodle's default. */
export function openConfigCache(configuration: CacheConfiguration, settings: Settings): ConfigCache {
  const name = configuration.modeMappings.application;
  const store = configuration.stores.find((candidate) => candidate.name === name);
  if (!store) return fileCache(join(settings.dataroot, 'cache', 'stand-in-core-config.json'));
  const client = openRedis({
    ...hostAndPort(`the endpoint of the cache store "${store.name}"`, store.endpoint),
    tls: store.tls,
    password: passwordOf(store, settings),
    certificateAuthority: settings.certificateAuthority,
  });
  return redisCache(client, store.prefix);
}

/** Moodle's layout: one hash per definition, its name the definition's md5 under the store's prefix. */
function redisCache(client: Redis, prefix: string): ConfigCache {
  const key = `${prefix}${createHash('md5').update('1 core config').digest('hex')}`;
  // A store that refuses costs Moodle 4.4 its speed, not its pages.
  const orNothing = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      say(`the application cache does not answer (${wordsOf(error)}); going on without it`);
      return undefined;
    }
  };
  return {
    async get() {
      const value = await orNothing(() => client.hget(key, 'core'));
      return value ? new Map(JSON.parse(value)) : undefined;
    },
    set: async (config) => void (await orNothing(() => client.hset(key, 'core', JSON.stringify([...config])))),
    purge: async () => void (await client.del(key)),
    close: () => client.disconnect(),
  };
}

function fileCache(file: string): ConfigCache {
  return {
    async get() {
      try {
        return new Map(JSON.parse(await readFile(file, 'utf8')));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async set(config) {
      await mkdir(dirname(file), { recursive: true });
      const fresh = `${file}.${process.pid}.${Date.now()}`;
      await writeFile(fresh, JSON.stringify([...config]));
      await rename(fresh, file);
    },
    purge: () => rm(file, { force: true }),
    close: () => undefined,
  };
}
