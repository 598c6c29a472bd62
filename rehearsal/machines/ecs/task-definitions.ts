import { AwsError } from '../../endpoint/service.ts';
import { requireTrust } from '../../iam/roles.ts';
import { arn, type World } from '../../world.ts';
import type { ContainerDefinition, TaskDefinition, Volume } from './types.ts';

/** Members of a task definition that a rehearsal obeys, and those that it knowingly sets aside. */
const definitionMembers = {
  obeyed: ['family', 'containerDefinitions', 'volumes', 'taskRoleArn', 'executionRoleArn', 'cpu', 'memory'],
  // One network and one kind of computer here: nothing to choose.
  setAside: [
    'networkMode',
    'requiresCompatibilities',
    'runtimePlatform',
    'ephemeralStorage',
    'placementConstraints',
    'tags',
  ],
};

const containerMembers = {
  obeyed: [
    'name',
    'image',
    'essential',
    'command',
    'environment',
    'secrets',
    'portMappings',
    'mountPoints',
    'healthCheck',
    'stopTimeout',
    'logConfiguration',
  ],
  // Walls of a container, which a process here does not have.
  setAside: [
    'cpu',
    'memory',
    'memoryReservation',
    'linuxParameters',
    'readonlyRootFilesystem',
    'user',
    'ulimits',
    'dockerLabels',
    'volumesFrom',
    'systemControls',
  ],
};

export const registerMembers: readonly string[] = [...definitionMembers.obeyed, ...definitionMembers.setAside];

export type NewTaskDefinition = Omit<TaskDefinition, 'taskDefinitionArn' | 'revision' | 'status' | 'registeredAt'>;

export function taskDefinitionsOf(world: Pick<World, 'state'>) {
  return world.state.collection<TaskDefinition>('ecs-task-definitions');
}

/**
 * Registers the next revision of the family.
 *
 * @throws AwsError ClientException for what ECS refuses, UnsupportedParameter for what the rehearsal does not know
 */
export function registerTaskDefinition(world: World, input: NewTaskDefinition): TaskDefinition {
  check(world, input);
  const revision = revisionsOf(world, input.family).length + 1;
  const definition: TaskDefinition = {
    ...input,
    volumes: input.volumes ?? [],
    taskDefinitionArn: arn(world, 'ecs', `task-definition/${input.family}:${revision}`),
    revision,
    status: 'ACTIVE',
    registeredAt: Date.now(),
  };
  taskDefinitionsOf(world).set(`${input.family}:${revision}`, definition);
  return definition;
}

/** The revisions of a family, the oldest first. */
export function revisionsOf(world: Pick<World, 'state'>, family: string): TaskDefinition[] {
  return taskDefinitionsOf(world)
    .entries()
    .map(([, definition]) => definition)
    .filter((definition) => definition.family === family)
    .sort((one, other) => one.revision - other.revision);
}

/**
 * @param name family (its newest revision), `family:revision` or ARN
 * @throws AwsError ClientException when there is none
 */
export function findTaskDefinition(world: Pick<World, 'state'>, name: string): TaskDefinition {
  const word = name.replace(/^arn:.*:task-definition\//, '');
  const found = word.includes(':') ? taskDefinitionsOf(world).get(word) : revisionsOf(world, word).at(-1);
  if (!found) throw new AwsError('ClientException', `Unable to describe task definition: there is no ${name}.`);
  return found;
}

/** The one container of a task. */
export function containerOf(definition: Pick<TaskDefinition, 'containerDefinitions'>): ContainerDefinition {
  const [container] = definition.containerDefinitions;
  if (!container) throw new Error('A task definition without a container was registered.');
  return container;
}

function check(world: World, input: NewTaskDefinition): void {
  refuseUnknown('task definition', input, registerMembers);
  if (input.containerDefinitions?.length !== 1) {
    refuse(
      `The rehearsal runs one container per task; ${input.family} has ${input.containerDefinitions?.length ?? 0}.`,
    );
  }
  const container = containerOf(input);
  refuseUnknown('container definition', container, [...containerMembers.obeyed, ...containerMembers.setAside]);
  for (const mount of container.mountPoints ?? []) {
    if (!(input.volumes ?? []).some(({ name }) => name === mount.sourceVolume)) {
      throw new AwsError('ClientException', `Unknown volume '${mount.sourceVolume}'.`);
    }
  }
  for (const volume of input.volumes ?? []) refuseUnknown('volume', volume satisfies Volume, volumeMembers);
  if ((container.secrets ?? []).length > 0 && input.executionRoleArn === undefined) {
    throw new AwsError(
      'ClientException',
      "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    );
  }
  for (const role of [input.taskRoleArn, input.executionRoleArn]) {
    if (role !== undefined) requireTrust(world, role, 'ecs-tasks.amazonaws.com');
  }
}

const volumeMembers = ['name', 'efsVolumeConfiguration', 'host'];

function refuseUnknown(what: string, value: object, known: readonly string[]): void {
  const unknown = Object.keys(value).filter((member) => !known.includes(member));
  if (unknown.length > 0) refuse(`The rehearsal does not know ${unknown.join(', ')} of a ${what}.`);
}

function refuse(words: string): never {
  throw new AwsError('UnsupportedParameter', `${words} Nothing was registered.`);
}
