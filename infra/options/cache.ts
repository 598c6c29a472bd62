import type { Contradiction } from './contradiction.ts';
import { oneOf, text, wholeNumber } from './option-kinds.ts';

/** Where sessions and the application cache live. */
export const cacheOptions = {
  sessionStore: oneOf(['redis', 'memcached'], {
    doc: 'Where the install moves the sessions once the site stands.',
    dev: 'redis',
    prod: 'redis',
  }),
  cacheNodeType: text(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'an ElastiCache node type, for example cache.t4g.micro', {
    doc: 'The node type of the session store and of the application store.',
    dev: 'cache.t4g.micro',
    prod: 'cache.t4g.small',
  }),
  cacheReplicas: wholeNumber(0, 2, {
    doc: 'How many standby copies each Redis store has in other zones.',
    dev: 0,
    prod: 1,
  }),
} as const;

export const cacheContradictions: readonly Contradiction[] = [];
