import { applyCacheConfiguration, type CacheConfiguration, readCacheConfiguration } from './cache-stores.ts';
import { type ConfigCache, openConfigCache } from './config-cache.ts';
import { type Database, readConfig } from './database.ts';
import { openMigration } from './move-sessions.ts';
import { codeVersions, readPlugins } from './plugins/code.ts';
import { allVersionsHash } from './plugins/versions.ts';
import { openSessionStore } from './session-stores.ts';
import { Sessions } from './sessions.ts';
import type { Settings } from './settings.ts';

/** Moodle's `sessiontimeout` when no row sets it, in seconds. */
const DEFAULT_SESSION_TIMEOUT = 28_800;

/** What every role of a site that is installed works with. */
export interface NodeParts {
  readonly configuration: CacheConfiguration;
  readonly configCache: ConfigCache;
  readonly sessions: Sessions;
  readonly databaseVersion: string;
  /** Whether code and database differ, in whatever component. */
  readonly upgradePending: boolean;
  close(): void;
}

export async function sessionTimeout(database: Database): Promise<number> {
  return Number((await readConfig(database)).get('sessiontimeout') ?? DEFAULT_SESSION_TIMEOUT);
}

/** Applies the cache stores to this node's local disk and opens caches and sessions. The site must be installed. */
export async function openNodeParts(database: Database, settings: Settings): Promise<NodeParts> {
  const configuration = await readCacheConfiguration(database, settings);
  await applyCacheConfiguration(configuration, settings.local);
  const configCache = openConfigCache(configuration, settings);
  const config = await readConfig(database);
  const timeout = Number(config.get('sessiontimeout') ?? DEFAULT_SESSION_TIMEOUT);
  const store = openSessionStore(settings.sessionStore, settings, database, timeout);
  const migration = await openMigration(database, settings, settings.sessionStore);
  const source = migration && openSessionStore(migration.source, settings, database, timeout);
  return {
    configuration,
    configCache,
    sessions: new Sessions(database, store, timeout, migration && source && { source, until: migration.until }),
    databaseVersion: config.get('version') ?? '',
    upgradePending: config.get('allversionshash') !== allVersionsHash(codeVersions(readPlugins(settings.dirroot))),
    close() {
      configCache.close();
      store.close();
      source?.close();
    },
  };
}
