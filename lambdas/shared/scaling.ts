import {
  type ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { Settings } from './settings.ts';

/** The range of the autoscaling of the web service, and whether it is suspended. */
export interface Capacity {
  readonly minimum: number;
  readonly maximum: number;
  readonly suspended: boolean;
}

const target = (settings: Settings) => ({
  ServiceNamespace: 'ecs' as const,
  ResourceId: `service/${settings.clusterArn.split('/').at(-1)}/${settings.webServiceName}`,
  ScalableDimension: 'ecs:service:DesiredCount' as const,
});

export async function readCapacity(scaling: ApplicationAutoScalingClient, settings: Settings): Promise<Capacity> {
  const { ServiceNamespace, ResourceId, ScalableDimension } = target(settings);
  const { ScalableTargets = [] } = await scaling.send(
    new DescribeScalableTargetsCommand({ ServiceNamespace, ResourceIds: [ResourceId], ScalableDimension }),
  );
  const [found] = ScalableTargets;
  if (!found) throw new TypeError(`${ResourceId} has no scalable target. Deploy the platform stack.`);
  return {
    minimum: found.MinCapacity ?? 0,
    maximum: found.MaxCapacity ?? 0,
    suspended: found.SuspendedState?.DynamicScalingOutSuspended ?? false,
  };
}

/**
 * Range and suspension in one call: an update clamps the current capacity into the range, so that lowering the minimum
 * and suspending apart would leave a moment in which capacity is forced up.
 */
export async function setCapacity(
  scaling: ApplicationAutoScalingClient,
  settings: Settings,
  wanted: Capacity,
): Promise<void> {
  const current = await readCapacity(scaling, settings);
  const same =
    current.minimum === wanted.minimum && current.maximum === wanted.maximum && current.suspended === wanted.suspended;
  if (same) return;
  await scaling.send(
    new RegisterScalableTargetCommand({
      ...target(settings),
      MinCapacity: wanted.minimum,
      MaxCapacity: wanted.maximum,
      SuspendedState: {
        DynamicScalingInSuspended: wanted.suspended,
        DynamicScalingOutSuspended: wanted.suspended,
        ScheduledScalingSuspended: wanted.suspended,
      },
    }),
  );
}
