import { ECSClient } from '@aws-sdk/client-ecs';
import { readServing } from './shared/acknowledgements.ts';
import {
  readCacheConfiguration,
  readCacheConfigurationHash,
  sameCacheConfiguration,
  wantedCacheConfiguration,
  writeCacheConfiguration,
} from './shared/cache-configuration.ts';
import { CacheStoreUnreachable, NodesNotHealthy } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { nodeId, readReplacement, replaceNodes, runningNodes } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import type { PhaseInput } from './shared/plan.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { runTask } from './shared/tasks.ts';

export interface ConfigureCacheStoresClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly settings: Settings;
}

export interface ConfiguredCacheStores {
  readonly stores: string;
  readonly hash: string;
  readonly server: string;
  readonly nodes: string;
}

const purpose = 'apply cache stores';

/**
 * Writes the wanted cache stores and mappings as rows, after a node has proven that the store answers, and replaces the
 * nodes, which apply them before they serve.
 *
 * @throws TaskStillRunning, NodesStillBeingReplaced until every node has acknowledged the hash of the rows
 * @throws CacheStoreUnreachable before any row is written
 * @throws NodesNotHealthy, HoldLost
 */
export async function configureCacheStores(
  clients: ConfigureCacheStoresClients,
  { site, execution }: PhaseInput,
): Promise<ConfiguredCacheStores> {
  const { database, ecs, settings } = clients;
  const rollout = { site, execution };
  await assertHeld(database, rollout);
  const wanted = wantedCacheConfiguration(settings);
  const stores = Object.entries(wanted.mappings)
    .map(([mode, store]) => `${mode}: ${store}`)
    .join(', ');

  const inPlace = sameCacheConfiguration(await readCacheConfiguration(database, site), wanted);
  const asked = await readReplacement(database, rollout, purpose);
  if (inPlace && !asked) {
    const nodes = (await runningNodes(ecs, settings)).map(nodeId);
    const hash = await readCacheConfigurationHash(database, site);
    if (nodes.length > 0 && (await withoutHash(database, site, nodes, hash)).length === 0) {
      return { stores, hash: hash.slice(0, 12), server: 'in use', nodes: `${nodes.length} had applied them already` };
    }
  }
  const report = await runTask(clients, rollout, 'probe application store', ['probe', 'application']);
  if (!report.ok) {
    throw new CacheStoreUnreachable(
      `A node cannot use the application store ${settings.applicationStoreEndpoint}: ${report.problem}. No cache store ` +
        'was configured. Look at its security group, TLS and password, and start the rollout again.',
    );
  }
  if (!inPlace) await writeCacheConfiguration(database, rollout, wanted);
  const hash = await readCacheConfigurationHash(database, site);
  const replaced = (await replaceNodes(clients, rollout, purpose)).map(nodeId);
  const others = await withoutHash(database, site, replaced, hash);
  if (others.length > 0) {
    throw new NodesNotHealthy(
      `${others.length} of ${replaced.length} new nodes did not acknowledge the cache stores (hash ${hash.slice(0, 12)}): ` +
        `${others.map((node) => node.slice(0, 8)).join(', ')}. Read their logs and start the rollout again.`,
    );
  }
  // While old and new nodes served side by side, a setting changed on one was not seen by the other's cache.
  const purged = await runTask(clients, rollout, 'purge caches after the cache stores', ['purge-caches']);
  if (!purged.ok) {
    throw new CacheStoreUnreachable(
      `The nodes use the application store, but Moodle’s caches could not be purged: ${purged.problem}. Start the ` +
        'rollout again.',
    );
  }
  return {
    stores,
    hash: hash.slice(0, 12),
    server: `${report.server ?? report.store}, ${report.milliseconds} ms from a node`,
    nodes: `${replaced.length} replaced and acknowledged`,
  };
}

async function withoutHash(
  database: MoodleDatabase,
  site: string,
  nodes: readonly string[],
  hash: string,
): Promise<string[]> {
  const serving = await readServing(database, site, nodes);
  return nodes.filter((node) => serving.get(node)?.cacheConfigurationHash !== hash);
}

export const handler = makeHandler(
  'Configure cache stores',
  (): ConfigureCacheStoresClients => {
    const settings = settingsFrom();
    return { settings, database: openDatabase(settings), ecs: new ECSClient({}) };
  },
  configureCacheStores,
);
