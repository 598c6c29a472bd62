import type { ResourceProvider } from '../../template/provider.ts';
import { arn } from '../../world.ts';
import { changedProperties } from '../deployed.ts';
import { registerScalableTarget, scalableTargetsOf } from '../scalable-targets.ts';

const scalableTarget: ResourceProvider = {
  type: 'AWS::ApplicationAutoScaling::ScalableTarget',
  properties: [
    'MaxCapacity',
    'MinCapacity',
    'ResourceId',
    'RoleARN',
    'ScalableDimension',
    'ServiceNamespace',
    'SuspendedState',
  ],
  create(resource, world) {
    const { MaxCapacity, MinCapacity, ResourceId, RoleARN, ScalableDimension, ServiceNamespace, SuspendedState } =
      resource.properties;
    const known = scalableTargetsOf(world).get(ResourceId);
    if (changedProperties(world, resource).size > 0 || !known) {
      registerScalableTarget(world, {
        ServiceNamespace,
        ResourceId,
        ScalableDimension,
        MinCapacity: Number(MinCapacity),
        MaxCapacity: Number(MaxCapacity),
        ...(RoleARN === undefined ? {} : { RoleARN }),
        ...(SuspendedState === undefined ? {} : { SuspendedState }),
      });
    }
    return { ref: `${ResourceId}|${ScalableDimension}|${ServiceNamespace}`, attributes: { Id: ResourceId } };
  },
};

const scalingPolicy: ResourceProvider = {
  type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
  // Nothing measures CPU here, so a policy never acts.
  properties: [
    'PolicyName',
    'PolicyType',
    'ResourceId',
    'ScalableDimension',
    'ScalingTargetId',
    'ServiceNamespace',
    'StepScalingPolicyConfiguration',
    'TargetTrackingScalingPolicyConfiguration',
  ],
  create(resource, world) {
    const ref = arn(world, 'autoscaling', `scalingPolicy:rehearsal:policyName/${resource.properties.PolicyName}`);
    return { ref, attributes: { Arn: ref } };
  },
};

export const autoScalingProviders: readonly ResourceProvider[] = [scalableTarget, scalingPolicy];
