import {
  DescribeCacheClustersCommand,
  DescribeReplicationGroupsCommand,
  DescribeServerlessCachesCommand,
  type ElastiCacheClient,
} from '@aws-sdk/client-elasticache';
import { CacheNotAvailable } from './errors.ts';
import type { CacheKind } from './settings.ts';

/**
 * Whether ElastiCache says that the store is up and, for Redis and Valkey, that it asks for TLS and a password.
 *
 * @param id of the replication group, of the cache cluster (Memcached), or name of the serverless cache
 * @returns short words for the evidence
 * @throws CacheNotAvailable
 */
export async function checkCache(
  caches: ElastiCacheClient,
  purpose: 'session' | 'application',
  kind: CacheKind,
  id: string,
): Promise<string> {
  switch (kind) {
    case 'replication-group':
      return await checkReplicationGroup(caches, purpose, id);
    case 'serverless':
      return await checkServerless(caches, purpose, id);
    case 'cache-cluster':
      return await checkMemcached(caches, purpose, id);
  }
}

async function checkReplicationGroup(caches: ElastiCacheClient, purpose: string, id: string): Promise<string> {
  const { ReplicationGroups: [group] = [] } = await found(purpose, id, () =>
    caches.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: id })),
  );
  const lacks = [
    group?.Status === 'available' ? '' : `its status is ${group?.Status ?? 'unknown'}`,
    group?.TransitEncryptionEnabled ? '' : 'it does not ask for TLS',
    group?.AuthTokenEnabled ? '' : 'it does not ask for a password',
  ].filter(Boolean);
  if (lacks.length > 0) throw notAvailable(purpose, id, lacks.join(', '));
  return `${group?.Engine ?? 'redis'}: available, TLS, password`;
}

/** A serverless cache speaks TLS always; a password it asks for only of the users that it was given. */
async function checkServerless(caches: ElastiCacheClient, purpose: string, id: string): Promise<string> {
  const { ServerlessCaches: [cache] = [] } = await found(purpose, id, () =>
    caches.send(new DescribeServerlessCachesCommand({ ServerlessCacheName: id })),
  );
  // ElastiCache writes it in capitals here, and in small letters for its other kinds.
  const status = cache?.Status?.toLowerCase();
  const lacks = [
    status === 'available' ? '' : `its status is ${status ?? 'unknown'}`,
    cache?.UserGroupId ? '' : 'it does not ask for a password',
  ].filter(Boolean);
  if (lacks.length > 0) throw notAvailable(purpose, id, lacks.join(', '));
  return `${cache?.Engine ?? 'redis'}, serverless: available, TLS, password`;
}

async function checkMemcached(caches: ElastiCacheClient, purpose: string, id: string): Promise<string> {
  const { CacheClusters: [cluster] = [] } = await found(purpose, id, () =>
    caches.send(new DescribeCacheClustersCommand({ CacheClusterId: id })),
  );
  if (cluster?.CacheClusterStatus !== 'available') {
    throw notAvailable(purpose, id, `its status is ${cluster?.CacheClusterStatus ?? 'unknown'}`);
  }
  return `memcached: available, ${cluster.NumCacheNodes ?? 1} node(s)`;
}

async function found<Answer>(purpose: string, id: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    // The query protocol names the fault with or without its suffix, by version of the client.
    if (/NotFound/.test(name)) throw notAvailable(purpose, id, 'there is none of this name');
    throw error;
  }
}

function notAvailable(purpose: string, id: string, why: string): CacheNotAvailable {
  return new CacheNotAvailable(
    `The ${purpose} store ${id} cannot be used: ${why}. Nothing was changed. Wait until ElastiCache says “available”, or ` +
      'deploy the platform stack, and start the rollout again.',
  );
}
