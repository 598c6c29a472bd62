import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from './database.ts';
import type { Settings } from './settings.ts';

/** A row of `moodle_lifecycle.cache_store`. */
export interface CacheStore {
  readonly name: string;
  readonly plugin: string;
  readonly endpoint: string;
  readonly tls: boolean;
  readonly prefix: string;
  readonly secret_arn: string | null;
}

export interface CacheConfiguration {
  readonly stores: readonly CacheStore[];
  /** Store per mode (`application`, `session`, `request`); a mode without one keeps Moodle's default. */
  readonly modeMappings: Readonly<Record<string, string>>;
  /** Of the rows, as the view tells it; empty without rows. */
  readonly hash: string;
}

/** Reads rows and hash in one snapshot, so that the hash acknowledged is the hash of what is applied. */
export async function readCacheConfiguration(
  database: Database,
  { site }: Pick<Settings, 'site'>,
): Promise<CacheConfiguration> {
  return database.snapshot(async (connection) => {
    const stores = await connection.query<CacheStore>(
      `SELECT name, plugin, endpoint, tls, prefix, secret_arn FROM moodle_lifecycle.cache_store
       WHERE site = $1 ORDER BY name`,
      [site],
    );
    const mappings = await connection.query<{ mode: string; store: string }>(
      'SELECT mode, store FROM moodle_lifecycle.cache_mode_mapping WHERE site = $1 ORDER BY mode',
      [site],
    );
    const hash = await connection.query<{ hash: string }>(
      'SELECT hash FROM moodle_lifecycle.cache_configuration_hash WHERE site = $1',
      [site],
    );
    return {
      stores: stores.rows,
      modeMappings: Object.fromEntries(mappings.rows.map(({ mode, store }) => [mode, store])),
      hash: hash.rows[0]?.hash ?? '',
    };
  });
}

/**
 * Writes the configuration to this node's local disk, where Moodle has its `altcacheconfigpath`; without passwords.
 * @throws Error when a store is of a plugin that the stand-in does not have, or a mapping names no store
 */
export async function applyCacheConfiguration(configuration: CacheConfiguration, local: string): Promise<void> {
  for (const { name, plugin } of configuration.stores) {
    if (plugin !== 'redis') throw new Error(`the cache store "${name}" is of the plugin "${plugin}"; known: redis`);
  }
  for (const [mode, store] of Object.entries(configuration.modeMappings)) {
    if (!configuration.stores.some(({ name }) => name === store)) {
      throw new Error(`the cache mode "${mode}" is mapped to the store "${store}", which has no row`);
    }
  }
  await mkdir(local, { recursive: true });
  const file = join(local, 'cacheconfig.stand-in.json');
  await writeFile(`${file}.new`, JSON.stringify(configuration, undefined, 1));
  await rename(`${file}.new`, file);
}

/**
 * The password that a row's secret holds, from the environment of the server with that secret.
 * @throws Error when the environment has no such secret
 */
export function passwordOf(store: CacheStore, settings: Settings): string | undefined {
  if (store.secret_arn === null) return undefined;
  const server = [settings.applicationServer, settings.sessionServer].find(
    ({ secretArn }) => secretArn === store.secret_arn,
  );
  if (server?.password === undefined) {
    throw new Error(
      `the cache store "${store.name}" wants the secret ${store.secret_arn}, which this node was not given`,
    );
  }
  return server.password;
}
