import { AwsError } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import { type Cluster, clustersOf, requireCapacity } from './cluster.ts';
import { Task } from './task.ts';
import { containerOf, findTaskDefinition } from './task-definitions.ts';
import type { TaskOverride } from './types.ts';

export interface RunTaskInput {
  readonly cluster?: string;
  readonly taskDefinition: string;
  readonly count?: number;
  readonly overrides?: TaskOverride;
  readonly startedBy?: string;
  readonly group?: string;
  readonly clientToken?: string;
  readonly capacityProviderStrategy?: readonly { readonly capacityProvider: string }[];
}

const CONTAINER_OVERRIDES = ['name', 'command', 'environment', 'cpu', 'memory'];
const OVERRIDES_CHARACTERS = 8_192;

/**
 * Starts tasks outside a service. The same clientToken with the same input gives the tasks of the first call.
 *
 * @throws AwsError InvalidParameterException, ClientException, ConflictException
 */
export function runTask(world: World, input: RunTaskInput): { cluster: Cluster; tasks: Task[] } {
  const clusters = clustersOf(world);
  const cluster = clusters.find(input.cluster);
  const { clientToken } = input;
  const asked = JSON.stringify(input);
  const before = clientToken === undefined ? undefined : clusters.tokens.get(clientToken);
  if (before) {
    if (before.input !== asked) {
      throw new AwsError('ConflictException', `The clientToken ${clientToken} was used with other parameters.`);
    }
    return { cluster, tasks: before.taskArns.flatMap((taskArn) => clusters.tasks.get(taskArn) ?? []) };
  }
  const definition = findTaskDefinition(world, input.taskDefinition);
  const overrides = input.overrides ?? {};
  requireCapacity(cluster, input.capacityProviderStrategy);
  checkOverrides(overrides, containerOf(definition).name);
  const tasks = Array.from({ length: countOf(input) }, () => {
    const task = new Task(world, {
      clusterName: cluster.clusterName,
      definition,
      overrides,
      ...(input.startedBy === undefined ? {} : { startedBy: input.startedBy }),
      group: input.group ?? `family:${definition.family}`,
      changed: () => {},
    });
    clusters.remember(task);
    return task;
  });
  if (clientToken !== undefined) {
    clusters.tokens.set(clientToken, { input: asked, taskArns: tasks.map(({ taskArn }) => taskArn) });
  }
  return { cluster, tasks };
}

function countOf({ count = 1, clientToken, startedBy }: RunTaskInput): number {
  if (count < 1 || count > 10) invalid('count is a number from 1 to 10.');
  if (clientToken !== undefined && clientToken.length > 64) invalid('clientToken has at most 64 characters.');
  if (startedBy !== undefined && startedBy.length > 128) invalid('startedBy has at most 128 characters.');
  return count;
}

function checkOverrides(overrides: TaskOverride, containerName: string): void {
  if (JSON.stringify(overrides).length > OVERRIDES_CHARACTERS) {
    invalid(`overrides have at most ${OVERRIDES_CHARACTERS} characters.`);
  }
  const unknown = Object.keys(overrides).filter((member) => member !== 'containerOverrides');
  if (unknown.length > 0) {
    throw new AwsError(
      'UnsupportedParameter',
      `The rehearsal does not know the override ${unknown}. Nothing was started.`,
    );
  }
  for (const override of overrides.containerOverrides ?? []) {
    const members = Object.keys(override).filter((member) => !CONTAINER_OVERRIDES.includes(member));
    if (members.length > 0) {
      throw new AwsError(
        'UnsupportedParameter',
        `The rehearsal does not know ${members} of a container override. Nothing was started.`,
      );
    }
    if (override.name !== containerName) {
      invalid(`Override for container named ${override.name} is not a container in the TaskDefinition.`);
    }
  }
}

function invalid(words: string): never {
  throw new AwsError('InvalidParameterException', words);
}
