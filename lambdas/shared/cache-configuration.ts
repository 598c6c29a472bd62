import { type Rollout, write } from './hold.ts';
import { among, type MoodleDatabase, type SqlStatements, text, textOrNull, truth } from './moodle-database.ts';
import type { Settings } from './settings.ts';

export interface CacheStore {
  readonly name: string;
  readonly plugin: string;
  /** `host:port` */
  readonly endpoint: string;
  readonly tls: boolean;
  readonly prefix: string;
  /** Where the password is; nodes know it by the environment variable that ECS fills from there. */
  readonly secretArn: string | null;
}

export interface CacheConfiguration {
  readonly stores: readonly CacheStore[];
  /** Store name by mode. */
  readonly mappings: Readonly<Record<string, string>>;
}

/**
 * The application mode alone goes to its store. The session mode of Moodle's caches (not to be confused with PHP sessions)
 * stays with the user's session, which has a store of its own.
 */
export function wantedCacheConfiguration(settings: Settings): CacheConfiguration {
  const plugin = settings.applicationStoreType;
  // In Moodle's own list of cache stores.
  const name = `application_${plugin}`;
  return {
    stores: [
      {
        name,
        plugin,
        endpoint: settings.applicationStoreEndpoint,
        // The plugin for Memcached speaks neither TLS nor a password.
        tls: plugin === 'redis',
        prefix: `${settings.site}_app_`,
        secretArn: plugin === 'redis' ? settings.applicationStoreSecretArn : null,
      },
    ],
    mappings: { application: name },
  };
}

export async function readCacheConfiguration(statements: SqlStatements, site: string): Promise<CacheConfiguration> {
  const stores = await statements.query(
    `SELECT name, plugin, endpoint, tls, prefix, secret_arn FROM moodle_lifecycle.cache_store
      WHERE site = :site ORDER BY name`,
    { site },
  );
  const mappings = await statements.query(
    'SELECT mode, store FROM moodle_lifecycle.cache_mode_mapping WHERE site = :site ORDER BY mode',
    { site },
  );
  return {
    stores: stores.map((row) => ({
      name: text(row, 'name'),
      plugin: text(row, 'plugin'),
      endpoint: text(row, 'endpoint'),
      tls: truth(row, 'tls'),
      prefix: text(row, 'prefix'),
      secretArn: textOrNull(row, 'secret_arn'),
    })),
    mappings: Object.fromEntries(mappings.map((row) => [text(row, 'mode'), text(row, 'store')])),
  };
}

/** The hash that nodes acknowledge; empty when the site has no rows. */
export async function readCacheConfigurationHash(statements: SqlStatements, site: string): Promise<string> {
  const [row] = await statements.query(
    'SELECT hash FROM moodle_lifecycle.cache_configuration_hash WHERE site = :site',
    { site },
  );
  return row ? text(row, 'hash') : '';
}

export function sameCacheConfiguration(one: CacheConfiguration, other: CacheConfiguration): boolean {
  const ordered = ({ stores, mappings }: CacheConfiguration) =>
    JSON.stringify([
      stores
        .map((store) => [store.name, store.plugin, store.endpoint, store.tls, store.prefix, store.secretArn])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      Object.entries(mappings).sort(([a], [b]) => (a < b ? -1 : 1)),
    ]);
  return ordered(one) === ordered(other);
}

/** Makes the rows exactly the wanted ones, all at once. @throws HoldLost */
export async function writeCacheConfiguration(
  database: MoodleDatabase,
  rollout: Rollout,
  wanted: CacheConfiguration,
): Promise<void> {
  const { orUpdate } = database.dialect;
  await database.transaction(async (statements) => {
    await removeUnwanted(statements, rollout, 'cache_mode_mapping', 'mode', Object.keys(wanted.mappings));
    await removeUnwanted(
      statements,
      rollout,
      'cache_store',
      'name',
      wanted.stores.map((store) => store.name),
    );
    for (const { name, plugin, endpoint, tls, prefix, secretArn } of wanted.stores) {
      await write(
        statements,
        rollout,
        `INSERT INTO moodle_lifecycle.cache_store (site, name, plugin, endpoint, tls, prefix, secret_arn)
         SELECT :site, :name, :plugin, :endpoint, ${tls ? 'TRUE' : 'FALSE'}, :prefix, :secretArn WHERE {held}
         ${orUpdate(['site', 'name'], ['plugin', 'endpoint', 'tls', 'prefix', 'secret_arn'])}`,
        { name, plugin, endpoint, prefix, secretArn },
        { orNone: true },
      );
    }
    for (const [mode, store] of Object.entries(wanted.mappings)) {
      await write(
        statements,
        rollout,
        `INSERT INTO moodle_lifecycle.cache_mode_mapping (site, mode, store)
         SELECT :site, :mode, :store WHERE {held}
         ${orUpdate(['site', 'mode'], ['store'])}`,
        { mode, store },
        { orNone: true },
      );
    }
  });
}

async function removeUnwanted(
  statements: SqlStatements,
  rollout: Rollout,
  table: 'cache_store' | 'cache_mode_mapping',
  column: 'name' | 'mode',
  kept: readonly string[],
): Promise<void> {
  const { condition, parameters } = among(column, kept);
  await write(
    statements,
    rollout,
    `DELETE FROM moodle_lifecycle.${table} WHERE site = :site AND NOT (${condition}) AND {held}`,
    parameters,
    { orNone: true },
  );
}
