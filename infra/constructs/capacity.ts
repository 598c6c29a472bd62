import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Config } from '../config.ts';

/** What the nodes of a site run on. */
export interface Capacity {
  /** Which launch type the nodes' task definitions are for. */
  readonly compute: 'fargate' | 'ec2';
  /** How web nodes are shared out: so many on demand first, then by weight. */
  readonly mixed: readonly ecs.CapacityProviderStrategy[];
  /**
   * The capacity provider of what there is one of, and which must not be taken away in its middle: cron, and the one-off
   * tasks of rollouts.
   */
  readonly steady: string;
  /** Of the instances, where there are any. */
  readonly autoScalingGroupName?: string;
}

/** Fargate, on demand and Spot: nothing to run, and nothing that has to be there before a node. */
export function fargateCapacity({ onDemandBase, onDemandWeight, spotWeight }: Config): Capacity {
  return {
    compute: 'fargate',
    steady: 'FARGATE',
    mixed: [
      { capacityProvider: 'FARGATE', base: onDemandBase, weight: onDemandWeight },
      ...(spotWeight > 0 ? [{ capacityProvider: 'FARGATE_SPOT', weight: spotWeight }] : []),
    ],
  };
}
