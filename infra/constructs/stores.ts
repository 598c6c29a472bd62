import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { MemcachedStore } from './memcached-store.ts';
import type { Network } from './network.ts';
import { type EvictionPolicy, RedisStore } from './redis-store.ts';
import { ServerlessStore } from './serverless-store.ts';
import type { Store } from './store.ts';

/** Where sessions and the application cache live: a server for each, unless the options have them share one. */
export class Stores extends Construct {
  /** Of the sessions, once a rollout has moved them out of the database. */
  readonly session: Store;
  /** Of Moodle's application cache. */
  readonly application: Store;

  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id);
    const { site, sessionStore, applicationStore } = config;
    const store = (name: string, type: Store['type'], description: string, evictionPolicy: EvictionPolicy): Store => {
      const common = { network, description };
      if (type === 'memcached') return new MemcachedStore(this, name, { ...common, nodeType: config.cacheNodeType });
      // Serverless has no policy to choose: it grows.
      if (config.cacheKind === 'serverless') return new ServerlessStore(this, name, { ...common, config });
      return new RedisStore(this, name, { ...common, config, evictionPolicy });
    };
    if (config.sharedCache) {
      // Any other policy lets sessions go first: they expire, and Moodle's cache entries never do.
      this.session = store('Shared', 'redis', `Sessions and application cache of ${site}`, 'noeviction');
      this.application = this.session;
    } else {
      // Moodle renews a session's expiry as it is used: the first to expire is the one longest unused.
      this.session = store('Session', sessionStore, `Sessions of ${site}`, 'volatile-ttl');
      // Moodle's cache entries never expire: with any volatile-* policy a full server would refuse to write.
      this.application = store('Application', applicationStore, `Application cache of ${site}`, 'allkeys-lru');
    }
  }

  allowFrom(client: ec2.IConnectable): void {
    for (const store of new Set([this.session, this.application])) store.allowFrom(client);
  }
}
