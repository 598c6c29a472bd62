import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import type { Listener } from './listener.ts';
import type { TargetGroup } from './target-group.ts';

export interface LoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  readonly port: number;
  readonly scheme: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly vpcId: string;
}

/** Every load balancer, listener and target group of a rehearsal, by ARN. */
export interface LoadBalancing {
  readonly loadBalancers: Map<string, LoadBalancer>;
  readonly listeners: Map<string, { readonly listener: Listener; readonly loadBalancerArn: string }>;
  readonly targetGroups: Map<string, TargetGroup>;
  /** ARNs of the load balancers that forward to a target group, by its ARN. */
  readonly usedBy: Map<string, Set<string>>;
}

export const loadBalancingOf = perWorld((world: World): LoadBalancing => {
  const parts: LoadBalancing = {
    loadBalancers: new Map(),
    listeners: new Map(),
    targetGroups: new Map(),
    usedBy: new Map(),
  };
  world.onClose(async () => {
    for (const group of parts.targetGroups.values()) group.close();
    for (const { listener } of parts.listeners.values()) await listener.close();
  });
  return parts;
});
