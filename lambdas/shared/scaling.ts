import {
  type ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { readParameters, type SiteParameters } from './parameters.ts';
import type { Settings } from './settings.ts';

/** The range of the autoscaling of the web service. */
export interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

export interface Capacity extends Range {
  readonly suspended: boolean;
}

interface Releasing {
  readonly scaling: ApplicationAutoScalingClient;
  readonly ssm: SSMClient;
  readonly settings: Settings;
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

/** A range outside exam days, raised by what the exam day of this moment asks for. A site without a minimum has no nodes. */
export function withScheduled(usual: Range, parameters: SiteParameters): Range {
  const scheduled = Number(parameters['scheduled-nodes']);
  if (usual.minimum === 0 || scheduled <= usual.minimum) return usual;
  return { minimum: scheduled, maximum: Math.max(usual.maximum, scheduled) };
}

/** The other way round: what a range was outside the exam day that it was found on. */
export function withoutScheduled(found: Capacity, parameters: SiteParameters): Capacity {
  const raised = found.minimum > 0 && found.minimum === Number(parameters['scheduled-nodes']);
  return raised ? { ...found, minimum: Number(parameters['minimum-nodes']) } : found;
}

/**
 * What automatic scaling was before a rollout, and what the exam day of this moment asks for.
 *
 * @returns the range of this moment; undefined where it was suspended before
 */
export async function putScalingBack(clients: Releasing, before: Capacity): Promise<Range | undefined> {
  if (!before.suspended) return releaseScaling(clients, { minimum: before.minimum, maximum: before.maximum });
  await setCapacity(clients.scaling, clients.settings, before);
  return undefined;
}

/**
 * Gives the node count to automatic scaling. While a rollout holds it (suspended), the schedule writes down what it wants
 * and changes nothing; so that is looked for here, and once more afterwards, in case it was written in between.
 *
 * @param usual the range outside exam days
 * @returns the range of this moment
 */
export async function releaseScaling({ scaling, ssm, settings }: Releasing, usual: Range): Promise<Range> {
  let range = withScheduled(usual, await readParameters(ssm, settings));
  for (;;) {
    await setCapacity(scaling, settings, { ...range, suspended: false });
    const now = withScheduled(usual, await readParameters(ssm, settings));
    if (now.minimum === range.minimum && now.maximum === range.maximum) return range;
    range = now;
  }
}
