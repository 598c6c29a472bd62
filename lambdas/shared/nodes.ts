import { isDeepStrictEqual } from 'node:util';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  type ECSClient,
  ListTasksCommand,
  type ListTasksCommandInput,
  RegisterTaskDefinitionCommand,
  type RegisterTaskDefinitionCommandInput,
  type Service,
  type Task,
  type TaskDefinition,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { NodesNotHealthy, NodesStillBeingReplaced } from './errors.ts';
import { assertHeld, type Rollout, write } from './hold.ts';
import { type MoodleDatabase, number, textOrNull } from './moodle-database.ts';
import type { Settings } from './settings.ts';

/** ECS ends a deployment by its circuit breaker at three failed tasks at least; the same here where it has none. */
export const tooManyStoppedTasks = 3;

/** ECS is eventually consistent: for so long an answer may not know what was just asked for. */
export const settlingSeconds = 120;

/** A node is known by the last part of its task’s ARN. */
export const nodeId = (task: Task | string): string => {
  const arn = typeof task === 'string' ? task : (task.taskArn ?? '');
  return arn.split('/').at(-1) ?? arn;
};

export async function describeService(ecs: ECSClient, settings: Settings, name: string): Promise<Service> {
  const { services = [], failures = [] } = await ecs.send(
    new DescribeServicesCommand({ cluster: settings.clusterArn, services: [name] }),
  );
  const [service] = services;
  if (service?.status === 'ACTIVE') return service;
  const reason = failures[0]?.reason ?? service?.status ?? 'not found';
  throw new TypeError(`The ECS service ${name} is not there (${reason}). Deploy the platform stack.`);
}

export const primaryDeployment = (service: Service) =>
  service.deployments?.find((deployment) => deployment.status === 'PRIMARY');

/** Tasks of a service in one of ECS's two lists. Stopped ones are known for about an hour. */
export async function serviceTasks(
  ecs: ECSClient,
  settings: Settings,
  serviceName: string,
  desiredStatus: 'RUNNING' | 'STOPPED',
): Promise<Task[]> {
  return listTasks(ecs, settings, { serviceName, desiredStatus });
}

/** ECS lists a hundred at most at a time, and describes as many: a node that fails all the time leaves more in an hour. */
export async function listTasks(
  ecs: ECSClient,
  { clusterArn: cluster }: Settings,
  which: Pick<ListTasksCommandInput, 'serviceName' | 'family' | 'desiredStatus'>,
): Promise<Task[]> {
  const found: Task[] = [];
  let nextToken: string | undefined;
  do {
    const page = await ecs.send(new ListTasksCommand({ cluster, ...which, ...(nextToken ? { nextToken } : {}) }));
    const { taskArns = [] } = page;
    nextToken = page.nextToken;
    if (taskArns.length === 0) continue;
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
    found.push(...tasks);
  } while (nextToken);
  return found;
}

/** Nodes of the web service that run and are not being stopped. */
export async function runningNodes(ecs: ECSClient, settings: Settings): Promise<Task[]> {
  const tasks = await serviceTasks(ecs, settings, settings.webServiceName, 'RUNNING');
  return tasks.filter((task) => task.lastStatus === 'RUNNING');
}

/** Plain words for why a task stopped: ECS's reason, and the container's exit code and reason. */
export function whyStopped(task: Task): string {
  const container = task.containers?.find((one) => one.exitCode !== undefined || one.reason);
  const words = [
    task.stoppedReason ?? task.stopCode ?? 'no reason given',
    container?.exitCode === undefined ? '' : `exit code ${container.exitCode}`,
    container?.reason ?? '',
  ];
  return `node ${nodeId(task).slice(0, 8)}: ${words.filter(Boolean).join(', ')}`;
}

/** Stopped tasks of one deployment that stopped by themselves, newest first. */
export async function failedTasks(
  ecs: ECSClient,
  settings: Settings,
  serviceName: string,
  deploymentId: string,
): Promise<Task[]> {
  const stopped = await serviceTasks(ecs, settings, serviceName, 'STOPPED');
  return stopped
    .filter((task) => task.startedBy === deploymentId && task.stopCode !== 'ServiceSchedulerInitiated')
    .sort((a, b) => (b.stoppedAt?.getTime() ?? 0) - (a.stoppedAt?.getTime() ?? 0));
}

export function imageOf(definition: TaskDefinition, settings: Settings): string {
  return definition.containerDefinitions?.find((one) => one.name === settings.containerName)?.image ?? '';
}

export async function describeTaskDefinition(ecs: ECSClient, taskDefinition: string): Promise<TaskDefinition> {
  const { taskDefinition: found } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
  if (!found) throw new TypeError(`The task definition ${taskDefinition} is not there. Deploy the platform stack.`);
  return found;
}

/**
 * ARN of a revision that is the service's own in all but the image. Registers one only when neither the service's nor
 * the newest of the family is it, so that a repeated call makes no second one.
 */
export async function revisionWithImage(
  ecs: ECSClient,
  settings: Settings,
  service: Service,
  family: string,
  tag: string,
): Promise<string> {
  const image = `${settings.repositoryUri}:${tag}`;
  const deployed = await describeTaskDefinition(ecs, service.taskDefinition ?? family);
  const wanted = registration(deployed, settings, image);
  for (const candidate of [deployed, await describeTaskDefinition(ecs, family)]) {
    if (isDeepStrictEqual(registration(candidate, settings), wanted) && candidate.taskDefinitionArn)
      return candidate.taskDefinitionArn;
  }
  const { taskDefinition } = await ecs.send(new RegisterTaskDefinitionCommand(wanted));
  return taskDefinition?.taskDefinitionArn ?? '';
}

/** The members of a described task definition that a registration takes, with another image where one is given. */
function registration(
  definition: TaskDefinition,
  settings: Settings,
  image?: string,
): RegisterTaskDefinitionCommandInput {
  const members = {
    family: definition.family,
    taskRoleArn: definition.taskRoleArn,
    executionRoleArn: definition.executionRoleArn,
    networkMode: definition.networkMode,
    containerDefinitions: definition.containerDefinitions?.map((container) =>
      image && container.name === settings.containerName ? { ...container, image } : container,
    ),
    volumes: definition.volumes,
    placementConstraints: definition.placementConstraints,
    requiresCompatibilities: definition.requiresCompatibilities,
    cpu: definition.cpu,
    memory: definition.memory,
    pidMode: definition.pidMode,
    ipcMode: definition.ipcMode,
    proxyConfiguration: definition.proxyConfiguration,
    ephemeralStorage: definition.ephemeralStorage,
    runtimePlatform: definition.runtimePlatform,
    enableFaultInjection: definition.enableFaultInjection,
  };
  return Object.fromEntries(
    Object.entries<unknown>(members).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  ) as unknown as RegisterTaskDefinitionCommandInput;
}

export interface ServiceChange {
  readonly taskDefinition?: string;
  readonly desiredCount?: number;
  readonly healthCheckGracePeriodSeconds?: number;
}

/** Changes of a service that start no deployment (a task definition does); sent only when something differs. */
export async function updateService(
  ecs: ECSClient,
  settings: Settings,
  name: string,
  wanted: ServiceChange,
): Promise<Service> {
  const service = await describeService(ecs, settings, name);
  const differs = Object.entries(wanted).some(([key, value]) => service[key as keyof ServiceChange] !== value);
  if (!differs) return service;
  const answer = await ecs.send(new UpdateServiceCommand({ cluster: settings.clusterArn, service: name, ...wanted }));
  return answer.service ?? service;
}

interface Replacing {
  readonly ecs: ECSClient;
  readonly database: MoodleDatabase;
  readonly settings: Settings;
}

export interface Replacement {
  readonly deploymentId: string;
  /** Seconds since the replacement was asked for. */
  readonly age: number;
}

/** The deployment that this execution asked for under this purpose, if it did. */
export async function readReplacement(
  database: MoodleDatabase,
  rollout: Rollout,
  purpose: string,
): Promise<Replacement | undefined> {
  const { now, epoch } = database.dialect;
  const [row] = await database.query(
    `SELECT deployment_id, ${epoch(now)} - ${epoch('requested_at')} AS age
       FROM moodle_lifecycle.node_replacement WHERE site = :site AND execution = :execution AND purpose = :purpose`,
    { ...rollout, purpose },
  );
  const deploymentId = textOrNull(row, 'deployment_id');
  return deploymentId ? { deploymentId, age: number(row, 'age') } : undefined;
}

/**
 * Asks ECS for new nodes, once per purpose of an execution, also when the function is killed and called again: a row is
 * written before and completed after. A kill between the two costs one replacement more, never one less.
 *
 * @throws HoldLost
 */
export async function requestReplacement(
  { ecs, database, settings }: Replacing,
  rollout: Rollout,
  purpose: string,
  change: ServiceChange = {},
): Promise<Replacement> {
  const asked = await readReplacement(database, rollout, purpose);
  if (asked) return asked;
  const { now, orUpdate } = database.dialect;
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.node_replacement (site, execution, purpose, requested_at)
     SELECT :site, :execution, :purpose, ${now} WHERE {held}
     ${orUpdate(['site', 'execution', 'purpose'], ['requested_at'])}`,
    { purpose },
  );
  const { service } = await ecs.send(
    new UpdateServiceCommand({
      cluster: settings.clusterArn,
      service: settings.webServiceName,
      forceNewDeployment: true,
      ...change,
    }),
  );
  const deploymentId = (service && primaryDeployment(service)?.id) ?? '';
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.node_replacement SET deployment_id = :deploymentId
      WHERE site = :site AND execution = :execution AND purpose = :purpose AND {held}`,
    { purpose, deploymentId },
  );
  return { deploymentId, age: 0 };
}

/**
 * Waits until the service consists of nodes of this deployment only.
 *
 * @returns the nodes that run now
 * @throws NodesStillBeingReplaced until it is so
 * @throws NodesNotHealthy when ECS gave the deployment up, or another took its place
 */
export async function awaitReplacement(
  { ecs, settings }: Omit<Replacing, 'database'>,
  { deploymentId, age }: Replacement,
): Promise<Task[]> {
  const service = await describeService(ecs, settings, settings.webServiceName);
  const deployment = service.deployments?.find((one) => one.id === deploymentId);
  const failed = await failedTasks(ecs, settings, settings.webServiceName, deploymentId);
  if (deployment?.rolloutState === 'FAILED' || failed.length >= tooManyStoppedTasks) {
    const reasons =
      failed.slice(0, 3).map(whyStopped).join('; ') || deployment?.rolloutStateReason || 'no reason given';
    throw new NodesNotHealthy(
      `New nodes of the service ${settings.webServiceName} do not become healthy (${reasons}). The old nodes were kept ` +
        'by ECS. Read the nodes’ log, mend the cause and start the rollout again.',
    );
  }
  if (!deployment && age < settlingSeconds) {
    throw new NodesStillBeingReplaced(`The replacement of the nodes was asked for (${deploymentId}).`);
  }
  if (deployment?.status !== 'PRIMARY') {
    throw new NodesNotHealthy(
      `The deployment ${deploymentId} of ${settings.webServiceName} is no longer the primary one: another took its ` +
        'place, or ECS rolled it back. Nothing further was changed. See who deploys, and start the rollout again.',
    );
  }
  const tasks = await serviceTasks(ecs, settings, settings.webServiceName, 'RUNNING');
  const fresh = tasks.filter((task) => task.startedBy === deploymentId && task.lastStatus === 'RUNNING');
  const desired = service.desiredCount ?? 0;
  if (deployment.rolloutState === 'COMPLETED' && fresh.length === tasks.length && fresh.length >= desired) return fresh;
  throw new NodesStillBeingReplaced(
    `${fresh.length} of ${desired} nodes are new, ${tasks.length - fresh.length} old or starting ones are left ` +
      `(deployment ${deployment.rolloutState ?? 'IN_PROGRESS'}).`,
  );
}

/** Replaces every node once for this purpose and waits. @throws NodesStillBeingReplaced, NodesNotHealthy, HoldLost */
export async function replaceNodes(
  clients: Replacing,
  rollout: Rollout,
  purpose: string,
  change: ServiceChange = {},
): Promise<Task[]> {
  await assertHeld(clients.database, rollout);
  return awaitReplacement(clients, await requestReplacement(clients, rollout, purpose, change));
}
