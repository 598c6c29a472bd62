import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { Network } from './network.ts';
import { RedisStore } from './redis-store.ts';

/** Moodle's application cache: apart from the sessions, because purging it empties the whole server. */
export class ApplicationStore extends RedisStore {
  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id, {
      network,
      description: `Application cache of ${config.site}`,
      nodeType: config.cacheNodeType,
      replicas: config.cacheReplicas,
      // Moodle's cache entries never expire: with any volatile-* policy a full server would refuse to write.
      evictionPolicy: 'allkeys-lru',
    });
  }
}
