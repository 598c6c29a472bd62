import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { MemcachedStore } from './memcached-store.ts';
import type { Network } from './network.ts';
import { RedisStore } from './redis-store.ts';
import type { Store } from './store.ts';

/** Where the sessions live once a rollout has moved them out of the database: a server of their own. */
export function sessionStore(scope: Construct, id: string, network: Network, config: Config): Store {
  const description = `Sessions of ${config.site}`;
  const nodeType = config.cacheNodeType;
  return config.sessionStore === 'memcached'
    ? new MemcachedStore(scope, id, { network, description, nodeType })
    : new RedisStore(scope, id, {
        network,
        description,
        nodeType,
        replicas: config.cacheReplicas,
        // Moodle renews a session's expiry as it is used: the first to expire is the one longest unused.
        evictionPolicy: 'volatile-ttl',
      });
}
