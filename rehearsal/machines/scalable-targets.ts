import { AwsError } from '../endpoint/service.ts';
import { stableLetters } from '../template/physical-name.ts';
import { arn, type World } from '../world.ts';
import { clustersOf } from './ecs/cluster.ts';

export interface SuspendedState {
  readonly DynamicScalingInSuspended: boolean;
  readonly DynamicScalingOutSuspended: boolean;
  readonly ScheduledScalingSuspended: boolean;
}

export interface ScalableTarget {
  readonly ServiceNamespace: string;
  readonly ResourceId: string;
  readonly ScalableDimension: string;
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
  readonly RoleARN: string;
  readonly ScalableTargetARN: string;
  readonly SuspendedState: SuspendedState;
  /** ISO 8601. */
  readonly CreationTime: string;
}

export type ScalableTargetRequest = Pick<ScalableTarget, 'ServiceNamespace' | 'ResourceId' | 'ScalableDimension'> & {
  readonly MinCapacity?: number;
  readonly MaxCapacity?: number;
  readonly RoleARN?: string;
  readonly SuspendedState?: Partial<SuspendedState>;
};

/** By resource id. */
export function scalableTargetsOf(world: Pick<World, 'state'>) {
  return world.state.collection<ScalableTarget>('scalable-targets');
}

/**
 * Registers the range of a service's desired count, or changes what is given of it. Each call brings the current
 * capacity into the range, also one that leaves the range out: as AWS does.
 *
 * @throws AwsError ValidationException
 */
export function registerScalableTarget(world: World, request: ScalableTargetRequest): ScalableTarget {
  const { ServiceNamespace, ResourceId, ScalableDimension } = request;
  const [kind, clusterName = '', serviceName = ''] = ResourceId.split('/');
  if (ServiceNamespace !== 'ecs' || ScalableDimension !== 'ecs:service:DesiredCount' || kind !== 'service') {
    throw invalid(
      `The rehearsal scales the desired count of ECS services only, not ${ServiceNamespace} ${ResourceId}.`,
    );
  }
  const service = clustersOf(world).service(clustersOf(world).find(clusterName), serviceName);
  if (!service) throw invalid(`ECS service doesn't exist: ${ResourceId}`);
  const target = merged(world, request, scalableTargetsOf(world).get(ResourceId));
  scalableTargetsOf(world).set(ResourceId, target);
  const { desiredCount } = service.record;
  const clamped = Math.min(Math.max(desiredCount, target.MinCapacity), target.MaxCapacity);
  if (clamped !== desiredCount) service.scale(clamped);
  return target;
}

function merged(world: World, request: ScalableTargetRequest, known: ScalableTarget | undefined): ScalableTarget {
  const { ServiceNamespace, ResourceId, ScalableDimension } = request;
  const MinCapacity = request.MinCapacity ?? known?.MinCapacity;
  const MaxCapacity = request.MaxCapacity ?? known?.MaxCapacity;
  if (MinCapacity === undefined || MaxCapacity === undefined) {
    throw invalid('MinCapacity and MaxCapacity are required when registering a new scalable target.');
  }
  if (MinCapacity < 0 || MinCapacity > MaxCapacity) {
    throw invalid(`Maximum capacity cannot be less than minimum capacity (${MinCapacity}, ${MaxCapacity}).`);
  }
  return {
    ServiceNamespace,
    ResourceId,
    ScalableDimension,
    MinCapacity,
    MaxCapacity,
    RoleARN: request.RoleARN ?? known?.RoleARN ?? serviceLinkedRole(world),
    ScalableTargetARN: arn(world, 'application-autoscaling', `scalable-target/${stableLetters(world, ResourceId, 20)}`),
    SuspendedState: {
      DynamicScalingInSuspended: false,
      DynamicScalingOutSuspended: false,
      ScheduledScalingSuspended: false,
      ...known?.SuspendedState,
      ...request.SuspendedState,
    },
    CreationTime: known?.CreationTime ?? new Date().toISOString(),
  };
}

function serviceLinkedRole(world: World): string {
  return `arn:${world.partition}:iam::${world.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService`;
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
