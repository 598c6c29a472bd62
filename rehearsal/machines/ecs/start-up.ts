import { callOperation, findService } from '../../endpoint/dispatch.ts';
import { authorize } from '../../iam/authorize.ts';
import { arn, type World } from '../../world.ts';
import { findRepository, imagesOf } from '../ecr-state.ts';
import { filesOf, sharedFolder } from '../files.ts';
import { containerOf } from './task-definitions.ts';
import type { TaskDefinition, Volume } from './types.ts';

/** A task that could not be started; the message is what `stoppedReason` shows. */
export class TaskStartError extends Error {
  override readonly name = 'TaskStartError';
}

/** What ECS fetches before it starts a container. */
export interface Prepared {
  readonly tag: string;
  readonly imageDigest: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Folders by the path that they are mounted at. */
  readonly mounts: ReadonlyMap<string, string>;
}

/**
 * Does what ECS's agent does before a container starts, with the roles' own permissions: finds the image, fetches the
 * secrets, opens the log, mounts the shared files.
 *
 * @throws TaskStartError in ECS's words
 */
export async function prepare(world: World, definition: TaskDefinition): Promise<Prepared> {
  const secrets = await fetchSecrets(world, definition);
  const image = pullImage(world, definition);
  openLog(world, definition);
  return { ...image, secrets, mounts: mount(world, definition) };
}

async function fetchSecrets(world: World, definition: TaskDefinition): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const { name, valueFrom } of containerOf(definition).secrets ?? []) {
    values[name] = await fetchSecret(world, definition.executionRoleArn ?? '', valueFrom);
  }
  return values;
}

async function fetchSecret(world: World, executionRole: string, valueFrom: string): Promise<string> {
  const context = {
    principal: { kind: 'role', roleArn: executionRole, sessionName: 'ecs-agent' } as const,
    requestId: 'ecs-agent',
  };
  const call = (service: string, operation: string, input: Record<string, unknown>) =>
    callOperation(world, findService(world, service), operation, input, context);
  const fromSecretsManager = valueFrom.startsWith('arn:') && valueFrom.split(':')[2] === 'secretsmanager';
  try {
    if (!fromSecretsManager) {
      const name = valueFrom
        .replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:parameter(?=\/)/, '')
        .replace(/^arn:.*:parameter\//, '');
      const answer = (await call('ssm', 'GetParameters', { Names: [name], WithDecryption: true })) as ParametersAnswer;
      const [parameter] = answer.Parameters ?? [];
      if (!parameter) throw new Error(`invalid ssm parameters: ${name}`);
      return parameter.Value;
    }
    // arn:aws:secretsmanager:region:account:secret:name:json-key:version-stage:version-id
    const [, , , , , , , jsonKey = '', versionStage = '', versionId = ''] = valueFrom.split(':');
    if (versionStage !== '' || versionId !== '') throw new Error('the rehearsal has one version of each secret');
    const id = valueFrom.split(':').slice(0, 7).join(':');
    const answer = (await call('secretsmanager', 'GetSecretValue', { SecretId: id })) as { SecretString: string };
    return jsonKey === '' ? answer.SecretString : fieldOf(answer.SecretString, jsonKey);
  } catch (error) {
    const [from, what] = fromSecretsManager ? ['asm', 'secret'] : ['ssm', 'parameter'];
    throw new TaskStartError(
      `ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ${what} from ${from}: ${nameAndMessage(error)}`,
    );
  }
}

interface ParametersAnswer {
  readonly Parameters?: readonly { readonly Value: string }[];
}

function fieldOf(secretString: string, key: string): string {
  const fields = JSON.parse(secretString) as Record<string, unknown>;
  if (!Object.hasOwn(fields, key)) throw new Error(`retrieved secret did not contain json key ${key}`);
  return String(fields[key]);
}

function pullImage(world: World, definition: TaskDefinition): { tag: string; imageDigest: string } {
  const { image } = containerOf(definition);
  const found = findRepository(world, image);
  if (!found) {
    throw new TaskStartError(
      `CannotPullContainerError: the rehearsal has only images of its own account's repositories, not ${image}`,
    );
  }
  const { repository, tag } = found;
  const role = definition.executionRoleArn;
  if (role !== undefined) {
    for (const [action, resource] of [
      ['ecr:GetAuthorizationToken', '*'],
      ['ecr:BatchGetImage', repository.repositoryArn],
      ['ecr:GetDownloadUrlForLayer', repository.repositoryArn],
    ] as const) {
      allow(world, role, action, resource, (words) => `CannotPullContainerError: pull image manifest: ${words}`);
    }
  }
  const known = imagesOf(world).get(`${repository.repositoryName}:${tag}`);
  if (!known)
    throw new TaskStartError(
      `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${image}: ${image}: not found`,
    );
  return { tag, imageDigest: known.imageDigest };
}

function openLog(world: World, definition: TaskDefinition): void {
  const { logConfiguration } = containerOf(definition);
  if (!logConfiguration) return;
  const { logDriver, options = {} } = logConfiguration;
  if (logDriver !== 'awslogs') throw new TaskStartError(`The rehearsal does not know the log driver ${logDriver}.`);
  const stream = arn(world, 'logs', `log-group:${options['awslogs-group']}:log-stream:rehearsal`);
  for (const action of ['logs:CreateLogStream', 'logs:PutLogEvents']) {
    allow(
      world,
      definition.executionRoleArn ?? '',
      action,
      stream,
      (words) =>
        `ResourceInitializationError: failed to validate logger args: failed to create Cloudwatch log stream: ${words}`,
    );
  }
}

function mount(world: World, definition: TaskDefinition): Map<string, string> {
  const volumes = new Map(definition.volumes.map((volume) => [volume.name, volume]));
  return new Map(
    (containerOf(definition).mountPoints ?? []).map(({ sourceVolume, containerPath }) => {
      const volume = volumes.get(sourceVolume);
      return [containerPath, volumeFolder(world, definition, volume ?? { name: sourceVolume })];
    }),
  );
}

function volumeFolder(world: World, definition: TaskDefinition, volume: Volume): string {
  const efs = volume.efsVolumeConfiguration;
  if (!efs) throw new TaskStartError(`The rehearsal does not know volumes other than EFS (${volume.name}).`);
  const { accessPointId, iam } = efs.authorizationConfig ?? {};
  const fileSystem = filesOf(world).fileSystems.get(efs.fileSystemId);
  const accessPoint = accessPointId === undefined ? undefined : filesOf(world).accessPoints.get(accessPointId);
  if (!fileSystem || (accessPointId !== undefined && !accessPoint)) {
    throw new TaskStartError(
      `ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: File system ${efs.fileSystemId} or access point ${accessPointId ?? ''} does not exist`,
    );
  }
  if (iam === 'ENABLED') {
    const conditions = accessPoint && { 'elasticfilesystem:AccessPointArn': accessPoint.accessPointArn };
    for (const action of ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite']) {
      allow(
        world,
        definition.taskRoleArn ?? '',
        action,
        fileSystem.fileSystemArn,
        (words) =>
          `ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: mount.nfs4: access denied by server while mounting: ${words}`,
        conditions,
      );
    }
  }
  return sharedFolder(world, efs.fileSystemId, accessPoint?.path ?? efs.rootDirectory ?? '/');
}

function allow(
  world: World,
  roleArn: string,
  action: string,
  resource: string,
  problem: (words: string) => string,
  conditions?: Readonly<Record<string, string>>,
): void {
  try {
    const permission = { action, resource, ...(conditions ? { conditions } : {}) };
    authorize(world, { kind: 'role', roleArn, sessionName: 'ecs-agent' }, permission);
  } catch (error) {
    throw new TaskStartError(problem(nameAndMessage(error)));
  }
}

function nameAndMessage(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
