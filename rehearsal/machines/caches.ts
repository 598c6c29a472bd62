import { perWorld } from '../per-world.ts';

/** An ElastiCache replication group, cluster or serverless cache that runs. */
export interface Cache {
  readonly id: string;
  readonly arn: string;
  readonly engine: 'redis' | 'valkey' | 'memcached';
  readonly description: string;
  readonly nodeType: string;
  readonly host: string;
  readonly port: number;
}

/** A user of a cache, in the words of Redis. */
export interface CacheUser {
  readonly name: string;
  readonly accessString: string;
  readonly password: string;
}

/** By id. */
export const cachesOf = perWorld(() => ({
  replicationGroups: new Map<string, Cache>(),
  clusters: new Map<string, Cache>(),
  serverless: new Map<string, Cache & { readonly userGroupId: string }>(),
  users: new Map<string, CacheUser>(),
  /** The users of user groups by the groups' ids. */
  userGroups: new Map<string, readonly string[]>(),
  /** Settings of parameter groups by the groups' names. */
  parameters: new Map<string, Readonly<Record<string, string>>>(),
}));
