import { perWorld } from '../per-world.ts';

/** An ElastiCache replication group or cluster that runs. */
export interface Cache {
  readonly id: string;
  readonly arn: string;
  readonly engine: 'redis' | 'valkey' | 'memcached';
  readonly description: string;
  readonly nodeType: string;
  readonly host: string;
  readonly port: number;
}

/** By id. */
export const cachesOf = perWorld(() => ({
  replicationGroups: new Map<string, Cache>(),
  clusters: new Map<string, Cache>(),
  /** Settings of parameter groups by the groups' names. */
  parameters: new Map<string, Readonly<Record<string, string>>>(),
}));
