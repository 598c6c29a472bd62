import { stableLetters } from '../../template/physical-name.ts';
import type { World } from '../../world.ts';
import { LOOPBACK } from '../ports.ts';
import type { ServiceScheduler } from './scheduler.ts';
import type { Task } from './task.ts';
import { containerOf } from './task-definitions.ts';
import type { ServiceRecord, TaskDefinition } from './types.ts';

const moment = (milliseconds: number | undefined) => (milliseconds === undefined ? undefined : new Date(milliseconds));

/** A service in the shape of DescribeServices. */
export function describeService(service: ServiceScheduler): object {
  const { record } = service;
  return {
    serviceArn: record.serviceArn,
    serviceName: record.serviceName,
    clusterArn: record.clusterArn,
    loadBalancers: record.loadBalancers,
    serviceRegistries: [],
    status: 'ACTIVE',
    desiredCount: record.desiredCount,
    ...service.counts(),
    ...capacity(record),
    platformVersion: record.platformVersion,
    platformFamily: 'Linux',
    taskDefinition: record.taskDefinition,
    deploymentConfiguration: record.deploymentConfiguration,
    deployments: record.deployments.map((deployment) => ({
      ...deployment,
      createdAt: moment(deployment.createdAt),
      updatedAt: moment(deployment.updatedAt),
      desiredCount: deployment.status === 'PRIMARY' ? record.desiredCount : 0,
      ...service.counts(deployment),
      ...capacity(record),
      platformVersion: record.platformVersion,
      networkConfiguration: record.networkConfiguration,
    })),
    events: record.events.map((event) => ({ ...event, createdAt: moment(event.createdAt) })),
    createdAt: moment(record.createdAt),
    placementConstraints: [],
    placementStrategy: [],
    networkConfiguration: record.networkConfiguration,
    healthCheckGracePeriodSeconds: record.healthCheckGracePeriodSeconds,
    schedulingStrategy: 'REPLICA',
    deploymentController: { type: 'ECS' },
    enableECSManagedTags: false,
    enableExecuteCommand: record.enableExecuteCommand,
    propagateTags: 'NONE',
  };
}

function capacity({ launchType, capacityProviderStrategy }: ServiceRecord): object {
  return capacityProviderStrategy.length > 0 ? { capacityProviderStrategy } : { launchType };
}

/** A task in the shape of DescribeTasks. */
export function describeTask(world: World, clusterArn: string, task: Task): object {
  const { definition, overrides, startedBy, group } = task.request;
  const container = containerOf(definition);
  const attachmentId = stableLetters(world, `attachment/${task.id}`, 32);
  return {
    taskArn: task.taskArn,
    clusterArn,
    taskDefinitionArn: definition.taskDefinitionArn,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: container.healthCheck ? task.healthStatus : 'UNKNOWN',
    startedBy,
    group,
    launchType: 'FARGATE',
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    cpu: definition.cpu,
    memory: definition.memory,
    overrides: { containerOverrides: [], inferenceAcceleratorOverrides: [], ...overrides },
    version: 1,
    connectivity: 'CONNECTED',
    createdAt: moment(task.createdAt),
    startedAt: moment(task.startedAt),
    stoppingAt: moment(task.stoppingAt),
    stoppedAt: moment(task.stoppedAt),
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    attachments: [
      {
        id: attachmentId,
        type: 'ElasticNetworkInterface',
        status: task.lastStatus === 'STOPPED' ? 'DELETED' : 'ATTACHED',
        details: [{ name: 'privateIPv4Address', value: LOOPBACK }],
      },
    ],
    containers: [
      {
        containerArn: `${task.taskArn.replace(':task/', ':container/')}/${stableLetters(world, `container/${task.id}`, 32)}`,
        taskArn: task.taskArn,
        name: container.name,
        image: container.image,
        imageDigest: task.imageDigest,
        runtimeId: task.id,
        lastStatus: containerStatus(task),
        exitCode: task.exitCode,
        reason: task.stopCode === 'TaskFailedToStart' ? task.stoppedReason : undefined,
        healthStatus: container.healthCheck ? task.healthStatus : 'UNKNOWN',
        // Every node has the loopback address here; its own port tells it apart, as in DescribeTargetHealth.
        networkBindings:
          task.port === undefined
            ? []
            : [{ bindIP: LOOPBACK, hostPort: task.port, containerPort: task.port, protocol: 'tcp' }],
        networkInterfaces: [{ attachmentId, privateIpv4Address: LOOPBACK }],
      },
    ],
    tags: [],
  };
}

export function describeTaskDefinition(definition: TaskDefinition): object {
  return {
    ...definition,
    registeredAt: moment(definition.registeredAt),
    compatibilities: ['EC2', 'FARGATE'],
    requiresAttributes: [],
    placementConstraints: [],
  };
}

function containerStatus(task: Task): string {
  if (task.lastStatus === 'STOPPED') return 'STOPPED';
  return task.startedAt === undefined ? 'PENDING' : 'RUNNING';
}
