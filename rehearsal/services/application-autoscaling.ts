import type { Service } from '../endpoint/service.ts';
import { registerScalableTarget, type ScalableTargetRequest, scalableTargetsOf } from '../machines/scalable-targets.ts';
import { arn, type World } from '../world.ts';

/** The part of the Application Auto Scaling API that rollouts and operators use. */
export function applicationAutoScaling(world: World): Service {
  return {
    signingName: 'application-autoscaling',
    protocol: 'json-1.1',
    targetPrefix: 'AnyScaleFrontendService',
    operations: {
      RegisterScalableTarget: {
        members: [
          'ServiceNamespace',
          'ResourceId',
          'ScalableDimension',
          'MinCapacity',
          'MaxCapacity',
          'RoleARN',
          'SuspendedState',
        ],
        permissions: ({ ServiceNamespace, ScalableDimension, ResourceId }: ScalableTargetRequest) => [
          {
            action: 'application-autoscaling:RegisterScalableTarget',
            resource:
              scalableTargetsOf(world).get(ResourceId)?.ScalableTargetARN ??
              arn(world, 'application-autoscaling', 'scalable-target/new'),
            conditions: {
              'application-autoscaling:service-namespace': ServiceNamespace,
              'application-autoscaling:scalable-dimension': ScalableDimension,
            },
          },
        ],
        run: (input: ScalableTargetRequest) => ({
          ScalableTargetARN: registerScalableTarget(world, input).ScalableTargetARN,
        }),
      },
      DescribeScalableTargets: {
        members: ['ServiceNamespace', 'ResourceIds', 'ScalableDimension', 'MaxResults', 'NextToken'],
        permissions: () => [{ action: 'application-autoscaling:DescribeScalableTargets', resource: '*' }],
        run: ({ ServiceNamespace, ResourceIds }: { ServiceNamespace: string; ResourceIds?: string[] }) => ({
          ScalableTargets: scalableTargetsOf(world)
            .entries()
            .map(([, target]) => target)
            .filter((target) => target.ServiceNamespace === ServiceNamespace)
            .filter(({ ResourceId }) => ResourceIds?.includes(ResourceId) ?? true)
            .map((target) => ({ ...target, CreationTime: new Date(target.CreationTime) })),
        }),
      },
    },
  };
}
