import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import type { Contradiction } from './contradiction.ts';
import { oneOf, text, wholeNumber, yesNo } from './option-kinds.ts';

/** Where sessions and the application cache live. */
export const cacheOptions = {
  sessionStore: oneOf(['redis', 'memcached'], {
    doc: 'Where the install moves the sessions once the site stands, by the protocol that Moodle speaks with it.',
    dev: 'redis',
    prod: 'redis',
  }),
  applicationStore: oneOf(['redis', 'memcached'], {
    doc: 'Where the application cache lives; memcached needs the plugin cachestore_memcached in image/plugins.json.',
    dev: 'redis',
    prod: 'redis',
  }),
  sharedCache: yesNo({
    doc: 'Whether one server holds sessions and application cache; when it is full pages fail, and nobody is logged out.',
    dev: false,
    prod: false,
  }),
  cacheEngine: oneOf(['valkey', 'redis'], {
    doc: 'What speaks the Redis protocol: Valkey, which costs less, or Redis OSS.',
    dev: 'valkey',
    prod: 'valkey',
  }),
  cacheKind: oneOf(['node-based', 'serverless'], {
    doc: 'Whether each Redis store is a server of a chosen type, or grows with what it holds and is paid by use.',
    dev: 'node-based',
    prod: 'node-based',
  }),
  cacheNodeType: text(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'an ElastiCache node type, for example cache.t4g.micro', {
    doc: 'The node type of each store that is not serverless.',
    dev: 'cache.t4g.micro',
    prod: 'cache.t4g.small',
  }),
  cacheReplicas: wholeNumber(0, 2, {
    doc: 'How many standby copies each node-based Redis store has in other zones.',
    dev: 0,
    prod: 1,
  }),
} as const;

export const cacheContradictions: readonly Contradiction[] = [
  ({ cacheKind, cacheReplicas, nodeZones }) =>
    cacheKind === 'node-based' && cacheReplicas > 0 && nodeZones === 1
      ? `Option cacheReplicas cannot be ${cacheReplicas} with nodeZones=1: a copy in the same zone is lost with it. ` +
        'Allowed: 0, or more nodeZones.'
      : undefined,
  (config) => {
    const name = (['sessionStore', 'applicationStore'] as const).find((each) => config[each] === 'memcached');
    return config.sharedCache && name !== undefined
      ? `Option sharedCache cannot be true with ${name}=memcached: purging the application cache empties the whole ` +
          'server, and would log everybody out. Allowed: false.'
      : undefined;
  },
  ({ sharedCache, cacheKind }) =>
    sharedCache && cacheKind === 'serverless'
      ? 'Option sharedCache cannot be true with cacheKind=serverless: a serverless cache at its limit lets go what ' +
        'expires, and that is the sessions alone. Allowed: false.'
      : undefined,
  (config) => memcachedNeedsItsPlugin(config, pluginsOfTheImage()),
];

/** @param plugins the components that the image is built with */
export function memcachedNeedsItsPlugin(
  { applicationStore }: Pick<Config, 'applicationStore'>,
  plugins: readonly string[],
): string | undefined {
  return applicationStore === 'memcached' && !plugins.includes('cachestore_memcached')
    ? 'Option applicationStore cannot be memcached: the plugin cachestore_memcached left Moodle with 4.2, and ' +
        'image/plugins.json does not name it. Allowed: redis, or add the plugin there.'
    : undefined;
}

function pluginsOfTheImage(): string[] {
  const { plugins } = JSON.parse(readFileSync(new URL('../../image/plugins.json', import.meta.url), 'utf8')) as {
    plugins: readonly { component: string }[];
  };
  return plugins.map(({ component }) => component);
}
