import { AwsError, type Operation, type Permission, type Service } from '../endpoint/service.ts';
import { type Cluster, clustersOf, serviceArn, taskArn } from '../machines/ecs/cluster.ts';
import { describeService, describeTask, describeTaskDefinition } from '../machines/ecs/describe.ts';
import { type RunTaskInput, runTask } from '../machines/ecs/run-task.ts';
import type { Task } from '../machines/ecs/task.ts';
import {
  findTaskDefinition,
  type NewTaskDefinition,
  registerMembers,
  registerTaskDefinition,
  revisionsOf,
  taskDefinitionsOf,
} from '../machines/ecs/task-definitions.ts';
import type { TaskDefinition } from '../machines/ecs/types.ts';
import { type UpdateServiceInput, updateService } from '../machines/ecs/update-service.ts';
import { arn, type World } from '../world.ts';

interface InCluster {
  readonly cluster?: string;
}

/** The part of the Amazon ECS API that rollouts and operators use. */
export function ecs(world: World): Service {
  return {
    signingName: 'ecs',
    protocol: 'json-1.1',
    targetPrefix: 'AmazonEC2ContainerServiceV20141113',
    operations: {
      ...clusterOperations(world),
      ...serviceOperations(world),
      ...taskOperations(world),
      ...definitionOperations(world),
    },
  };
}

function clusterOperations(world: World): Record<string, Operation> {
  const clusters = clustersOf(world);
  return {
    ListClusters: {
      members: ['maxResults', 'nextToken'],
      permissions: () => [{ action: 'ecs:ListClusters', resource: '*' }],
      run: () => ({ clusterArns: [...clusters.clusters.values()].map(({ clusterArn }) => clusterArn) }),
    },
    DescribeClusters: {
      members: ['clusters', 'include'],
      permissions: ({ clusters: names = ['default'] }: { clusters?: string[] }) =>
        names.map((name) => ({ action: 'ecs:DescribeClusters', resource: clusters.find(name).clusterArn })),
      run: ({ clusters: names = ['default'] }: { clusters?: string[] }) => ({
        clusters: names.map((name) => describeCluster(world, clusters.find(name))),
        failures: [],
      }),
    },
  };
}

function serviceOperations(world: World): Record<string, Operation> {
  const clusters = clustersOf(world);
  return {
    ListServices: {
      members: ['cluster', 'maxResults', 'nextToken', 'launchType', 'schedulingStrategy'],
      permissions: ({ cluster }: InCluster) => [
        { action: 'ecs:ListServices', resource: '*', conditions: inCluster(clusters.find(cluster)) },
      ],
      run: ({ cluster }: InCluster) => ({
        serviceArns: [...clusters.services.values()]
          .map(({ record }) => record)
          .filter(({ clusterArn }) => clusterArn === clusters.find(cluster).clusterArn)
          .map((record) => record.serviceArn),
      }),
    },
    DescribeServices: {
      members: ['cluster', 'services', 'include'],
      permissions: ({ cluster, services }: InCluster & { services: string[] }) => {
        const home = clusters.find(cluster);
        return services.map((name) => onService(world, 'ecs:DescribeServices', home, name));
      },
      run: ({ cluster, services }: InCluster & { services: string[] }) => {
        const home = clusters.find(cluster);
        const found = services.map((name) => clusters.service(home, name));
        return {
          services: found.flatMap((service) => (service ? [describeService(service)] : [])),
          failures: services
            .filter((_, index) => !found[index])
            .map((name) => ({ arn: serviceArn(world, home, name), reason: 'MISSING' })),
        };
      },
    },
    UpdateService: {
      members: [
        'cluster',
        'service',
        'desiredCount',
        'taskDefinition',
        'forceNewDeployment',
        'healthCheckGracePeriodSeconds',
        'deploymentConfiguration',
        'enableExecuteCommand',
        'networkConfiguration',
      ],
      permissions: ({ cluster, service }: InCluster & { service: string }) => [
        onService(world, 'ecs:UpdateService', clusters.find(cluster), service),
      ],
      run: ({ cluster, service: name, ...input }: InCluster & UpdateServiceInput & { service: string }) => {
        const service = clusters.service(clusters.find(cluster), name);
        if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.');
        updateService(world, service, input);
        return { service: describeService(service) };
      },
    },
  };
}

function taskOperations(world: World): Record<string, Operation> {
  const clusters = clustersOf(world);
  const describe = (task: Task, { clusterArn }: Cluster) => describeTask(world, clusterArn, task);
  return {
    RunTask: {
      members: [
        'cluster',
        'taskDefinition',
        'count',
        'overrides',
        'startedBy',
        'group',
        'clientToken',
        'capacityProviderStrategy',
        // One network and one kind of computer here.
        'launchType',
        'networkConfiguration',
        'platformVersion',
        'enableECSManagedTags',
        'enableExecuteCommand',
        'propagateTags',
        'referenceId',
      ],
      permissions: ({ cluster, taskDefinition }: RunTaskInput) => {
        const definition = findTaskDefinition(world, taskDefinition);
        const conditions = inCluster(clusters.find(cluster));
        return [
          { action: 'ecs:RunTask', resource: definition.taskDefinitionArn, conditions },
          ...passRoles(definition),
        ];
      },
      run: (input: RunTaskInput) => {
        const { tasks, cluster } = runTask(world, input);
        return { tasks: tasks.map((task) => describe(task, cluster)), failures: [] };
      },
    },
    DescribeTasks: {
      members: ['cluster', 'tasks', 'include'],
      permissions: ({ cluster, tasks }: InCluster & { tasks: string[] }) =>
        tasks.map((name) => onTask(world, 'ecs:DescribeTasks', clusters.find(cluster), name)),
      run: ({ cluster, tasks }: InCluster & { tasks: string[] }) => {
        const home = clusters.find(cluster);
        const found = tasks.map((name) => clusters.task(home, name));
        return {
          tasks: found.flatMap((task) => (task ? [describe(task, home)] : [])),
          failures: tasks
            .filter((_, index) => !found[index])
            .map((name) => ({ arn: taskArn(world, home, name), reason: 'MISSING' })),
        };
      },
    },
    ListTasks: {
      members: [
        'cluster',
        'serviceName',
        'family',
        'startedBy',
        'desiredStatus',
        'launchType',
        'maxResults',
        'nextToken',
      ],
      // No resource of its own: policies narrow it by the condition key.
      permissions: ({ cluster }: InCluster) => [
        { action: 'ecs:ListTasks', resource: '*', conditions: inCluster(clusters.find(cluster)) },
      ],
      run: ({ cluster, serviceName, family, startedBy, desiredStatus = 'RUNNING' }: ListTasksInput) => {
        const home = clusters.find(cluster);
        const group = serviceName && `service:${serviceName.split('/').pop()}`;
        const tasks = [...clusters.tasks.values()].filter(
          (task) =>
            task.desiredStatus === desiredStatus &&
            task.request.clusterName === home.clusterName &&
            (group === undefined || task.request.group === group) &&
            (family === undefined || task.request.definition.family === family) &&
            (startedBy === undefined || task.request.startedBy === startedBy),
        );
        return { taskArns: tasks.map((task) => task.taskArn) };
      },
    },
    StopTask: {
      members: ['cluster', 'task', 'reason'],
      permissions: ({ cluster, task }: InCluster & { task: string }) => [
        onTask(world, 'ecs:StopTask', clusters.find(cluster), task),
      ],
      run: ({ cluster, task: name, reason }: InCluster & { task: string; reason?: string }) => {
        const home = clusters.find(cluster);
        const task = clusters.task(home, name);
        if (!task) throw new AwsError('InvalidParameterException', 'The referenced task was not found.');
        void task.stop('UserInitiated', reason ?? 'Task stopped by user');
        return { task: describe(task, home) };
      },
    },
  };
}

interface ListTasksInput extends InCluster {
  readonly serviceName?: string;
  readonly family?: string;
  readonly startedBy?: string;
  readonly desiredStatus?: string;
}

function definitionOperations(world: World): Record<string, Operation> {
  return {
    DescribeTaskDefinition: {
      members: ['taskDefinition', 'include'],
      permissions: () => [{ action: 'ecs:DescribeTaskDefinition', resource: '*' }],
      run: ({ taskDefinition }: { taskDefinition: string }) => ({
        taskDefinition: describeTaskDefinition(findTaskDefinition(world, taskDefinition)),
        tags: [],
      }),
    },
    RegisterTaskDefinition: {
      members: registerMembers,
      permissions: (input: NewTaskDefinition) => [
        // A revision's number is not known before it is registered.
        { action: 'ecs:RegisterTaskDefinition', resource: arn(world, 'ecs', `task-definition/${input.family}:*`) },
        ...passRoles(input),
      ],
      run: (input: NewTaskDefinition) => ({
        taskDefinition: describeTaskDefinition(registerTaskDefinition(world, input)),
        tags: [],
      }),
    },
    ListTaskDefinitions: {
      members: ['familyPrefix', 'status', 'sort', 'maxResults', 'nextToken'],
      permissions: () => [{ action: 'ecs:ListTaskDefinitions', resource: '*' }],
      run: ({ familyPrefix, sort }: { familyPrefix?: string; sort?: string }) => {
        const all = familyPrefix
          ? revisionsOf(world, familyPrefix)
          : taskDefinitionsOf(world)
              .entries()
              .map(([, definition]) => definition);
        const arns = all.map(({ taskDefinitionArn }) => taskDefinitionArn);
        return { taskDefinitionArns: sort === 'DESC' ? arns.reverse() : arns };
      },
    },
  };
}

function describeCluster(world: World, { clusterArn, clusterName }: Cluster): object {
  const { services, tasks } = clustersOf(world);
  const here = [...tasks.values()].filter(
    ({ request, desiredStatus }) => request.clusterName === clusterName && desiredStatus === 'RUNNING',
  );
  const running = here.filter(({ lastStatus }) => lastStatus === 'RUNNING').length;
  return {
    clusterArn,
    clusterName,
    status: 'ACTIVE',
    runningTasksCount: running,
    pendingTasksCount: here.length - running,
    activeServicesCount: [...services.values()].filter(({ record }) => record.clusterArn === clusterArn).length,
    registeredContainerInstancesCount: 0,
  };
}

function inCluster({ clusterArn }: Cluster): Record<string, string> {
  return { 'ecs:cluster': clusterArn };
}

function onService(world: World, action: string, cluster: Cluster, name: string): Permission {
  return { action, resource: serviceArn(world, cluster, name), conditions: inCluster(cluster) };
}

function onTask(world: World, action: string, cluster: Cluster, name: string): Permission {
  return { action, resource: taskArn(world, cluster, name), conditions: inCluster(cluster) };
}

/** Whoever has ECS run something with a role must be allowed to hand that role to it. */
function passRoles({
  taskRoleArn,
  executionRoleArn,
}: Pick<TaskDefinition, 'taskRoleArn' | 'executionRoleArn'>): Permission[] {
  return [taskRoleArn, executionRoleArn].flatMap((role) =>
    role === undefined
      ? []
      : [{ action: 'iam:PassRole', resource: role, conditions: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } }],
  );
}
