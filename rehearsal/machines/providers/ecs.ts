import { physicalName } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import type { World } from '../../world.ts';
import { changedProperties } from '../deployed.ts';
import { apiCase } from '../ecs/api-case.ts';
import { clustersOf, recordsOf, requireCapacity, serviceArn } from '../ecs/cluster.ts';
import {
  findTaskDefinition,
  type NewTaskDefinition,
  registerTaskDefinition,
  revisionsOf,
} from '../ecs/task-definitions.ts';
import type { DeploymentConfiguration, NetworkConfiguration, ServiceRecord } from '../ecs/types.ts';
import { loadBalancingOf } from '../load-balancer/registry.ts';

const cluster: ResourceProvider = {
  type: 'AWS::ECS::Cluster',
  // No metrics, no other capacity than this computer's.
  properties: [
    'ClusterName',
    'CapacityProviders',
    'ClusterSettings',
    'Configuration',
    'DefaultCapacityProviderStrategy',
    'Tags',
  ],
  create(resource, world) {
    const name = String(resource.properties.ClusterName ?? physicalName(world, resource, 255));
    const { clusterArn, clusterName } = clustersOf(world).make(name);
    return { ref: clusterName, attributes: { Arn: clusterArn } };
  },
};

const capacityProviders: ResourceProvider = {
  type: 'AWS::ECS::ClusterCapacityProviderAssociations',
  properties: ['CapacityProviders', 'Cluster', 'DefaultCapacityProviderStrategy'],
  create({ properties }, world) {
    const { capacityProviders: associated } = clustersOf(world).find(properties.Cluster);
    for (const name of properties.CapacityProviders) associated.add(name);
    return { ref: properties.Cluster, attributes: {} };
  },
};

const taskDefinition: ResourceProvider = {
  type: 'AWS::ECS::TaskDefinition',
  properties: [
    'ContainerDefinitions',
    'Cpu',
    'EphemeralStorage',
    'ExecutionRoleArn',
    'Family',
    'Memory',
    'NetworkMode',
    'PlacementConstraints',
    'RequiresCompatibilities',
    'RuntimePlatform',
    'Tags',
    'TaskRoleArn',
    'Volumes',
  ],
  create(resource, world) {
    const revisions = world.state.collection<string>('template-task-definitions');
    const key = `${resource.stackName}/${resource.logicalId}`;
    const family = String(resource.properties.Family ?? physicalName(world, resource, 255));
    const changed = changedProperties(world, resource).size > 0;
    const known = revisions.get(key);
    const isKnown = known !== undefined && revisionsOf(world, family).some((one) => one.taskDefinitionArn === known);
    if (!changed && isKnown) return { ref: known, attributes: { TaskDefinitionArn: known } };
    const wanted = apiCase({ ...resource.properties, Family: family }) as NewTaskDefinition;
    const { taskDefinitionArn } = registerTaskDefinition(world, wanted);
    revisions.set(key, taskDefinitionArn);
    return { ref: taskDefinitionArn, attributes: { TaskDefinitionArn: taskDefinitionArn } };
  },
};

const service: ResourceProvider = {
  type: 'AWS::ECS::Service',
  properties: [
    'CapacityProviderStrategy',
    'Cluster',
    'DeploymentConfiguration',
    'DesiredCount',
    'EnableExecuteCommand',
    'HealthCheckGracePeriodSeconds',
    'LaunchType',
    'LoadBalancers',
    'NetworkConfiguration',
    'PlatformVersion',
    'ServiceName',
    'TaskDefinition',
    // One computer to place nodes on, as many as are wanted, and no tags.
    'PlacementStrategies',
    'SchedulingStrategy',
    'EnableECSManagedTags',
    'PropagateTags',
    'Tags',
  ],
  create(resource, world) {
    const { properties } = resource;
    const home = clustersOf(world).find(properties.Cluster);
    const name = String(properties.ServiceName ?? physicalName(world, resource, 255));
    const key = serviceArn(world, home, name);
    requireCapacity(home, strategyOf(resource));
    const changed = changedProperties(world, resource);
    const known = recordsOf(world).get(key);
    const record = known ? updated(known, resource, changed) : made(resource, key, name, home.clusterArn);
    for (const { targetGroupArn } of record.loadBalancers) requireTargetGroup(world, targetGroupArn);
    findTaskDefinition(world, record.taskDefinition);
    const scheduler = clustersOf(world).openService(record, home.clusterName);
    const [primary] = record.deployments;
    if (primary?.taskDefinition !== record.taskDefinition) scheduler.deploy(record.taskDefinition);
    return { ref: key, attributes: { Name: name, ServiceArn: key } };
  },
};

function made(resource: ResolvedResource, key: string, name: string, clusterArn: string): ServiceRecord {
  const { properties } = resource;
  return {
    serviceName: name,
    serviceArn: key,
    clusterArn,
    createdAt: Date.now(),
    // What the API does when the property is left out.
    desiredCount: Number(properties.DesiredCount ?? 1),
    taskDefinition: String(properties.TaskDefinition),
    deploymentConfiguration: deploymentConfiguration(properties),
    healthCheckGracePeriodSeconds: Number(properties.HealthCheckGracePeriodSeconds ?? 0),
    enableExecuteCommand: String(properties.EnableExecuteCommand) === 'true',
    networkConfiguration: network(properties),
    launchType: String(properties.LaunchType ?? 'FARGATE'),
    capacityProviderStrategy: strategyOf(resource),
    platformVersion: String(properties.PlatformVersion ?? 'LATEST'),
    loadBalancers: (apiCase(properties.LoadBalancers ?? []) as ServiceRecord['loadBalancers']).map((one) => ({
      ...one,
      containerPort: Number(one.containerPort),
    })),
    deployments: [],
    events: [],
  };
}

/** What CloudFormation would send to UpdateService, over what the service was left with. */
function updated(known: ServiceRecord, resource: ResolvedResource, changed: ReadonlySet<string>): ServiceRecord {
  const { properties } = resource;
  const [primary] = known.deployments;
  return {
    ...known,
    ...(changed.has('DesiredCount') ? { desiredCount: Number(properties.DesiredCount ?? known.desiredCount) } : {}),
    ...(changed.has('TaskDefinition') ? { taskDefinition: String(properties.TaskDefinition) } : {}),
    ...(changed.has('DeploymentConfiguration') ? { deploymentConfiguration: deploymentConfiguration(properties) } : {}),
    ...(changed.has('HealthCheckGracePeriodSeconds')
      ? { healthCheckGracePeriodSeconds: Number(properties.HealthCheckGracePeriodSeconds ?? 0) }
      : {}),
    ...(changed.has('CapacityProviderStrategy') ? { capacityProviderStrategy: strategyOf(resource) } : {}),
    ...(changed.has('NetworkConfiguration') ? { networkConfiguration: network(properties) } : {}),
    // No task outlived the rehearsal before: what was deployed is to be started again.
    deployments: primary ? [{ ...primary, status: 'PRIMARY', rolloutState: 'IN_PROGRESS', failedTasks: 0 }] : [],
  };
}

function deploymentConfiguration(properties: ResolvedResource['properties']): DeploymentConfiguration {
  const { MaximumPercent = 200, MinimumHealthyPercent = 100, ...rest } = properties.DeploymentConfiguration ?? {};
  const { DeploymentCircuitBreaker: breaker, Strategy = 'ROLLING', ...unknown } = rest;
  if (Strategy !== 'ROLLING' || Object.keys(unknown).length > 0) {
    throw new Error(`the rehearsal knows rolling deployments only, without ${[Strategy, ...Object.keys(unknown)]}.`);
  }
  return {
    maximumPercent: Number(MaximumPercent),
    minimumHealthyPercent: Number(MinimumHealthyPercent),
    ...(breaker
      ? {
          deploymentCircuitBreaker: {
            enable: String(breaker.Enable) === 'true',
            rollback: String(breaker.Rollback) === 'true',
          },
        }
      : {}),
  };
}

function strategyOf({ properties }: ResolvedResource): ServiceRecord['capacityProviderStrategy'] {
  return (apiCase(properties.CapacityProviderStrategy ?? []) as ServiceRecord['capacityProviderStrategy']).map(
    (part) => ({
      capacityProvider: part.capacityProvider,
      base: Number(part.base ?? 0),
      weight: Number(part.weight ?? 0),
    }),
  );
}

function network(properties: ResolvedResource['properties']): NetworkConfiguration {
  return apiCase(properties.NetworkConfiguration ?? {}) as NetworkConfiguration;
}

function requireTargetGroup(world: World, targetGroupArn: string): void {
  const group = loadBalancingOf(world).targetGroups.get(targetGroupArn);
  if (!group) throw new Error(`there is no target group ${targetGroupArn}.`);
  if (!group.inUse) {
    throw new Error(`The target group ${group.name} does not have an associated load balancer.`);
  }
}

export const ecsProviders: readonly ResourceProvider[] = [cluster, capacityProviders, taskDefinition, service];
