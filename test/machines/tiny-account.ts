import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { servicesOf } from '../../rehearsal/endpoint/dispatch.ts';
import type { Service } from '../../rehearsal/endpoint/service.ts';
import { attachPolicy, rolesOf } from '../../rehearsal/iam/roles.ts';
import { containerRuntimeOf } from '../../rehearsal/machines/container.ts';
import { imagesOf } from '../../rehearsal/machines/ecr-state.ts';
import { machineProviders, machineServices } from '../../rehearsal/machines/index.ts';
import { createSecret } from '../../rehearsal/services/secrets-store.ts';
import { secretsManagerService } from '../../rehearsal/services/secretsmanager.ts';
import { makeWorld } from './make-world.ts';

/** A node for tests: a small HTTP server whose behaviour is its image's tag. */
const node = `
import { createServer } from 'node:http';
const [host, port] = process.env.MOODLE_LISTEN.split(':');
const tag = process.env.TEST_TAG;
if (tag.startsWith('crashes')) { console.log('the node crashes'); process.exit(3); }
const metadata = await (await fetch(process.env.ECS_CONTAINER_METADATA_URI_V4 + '/task')).json();
const server = createServer((request, response) => {
  response.setHeader('X-Node', metadata.TaskARN.split('/').pop());
  response.setHeader('X-Tag', tag);
  if (request.url === '/health/live') return response.writeHead(tag.startsWith('ill') ? 503 : 200).end('ok');
  if (request.url === '/slow') return setTimeout(() => response.end('slow but whole'), 1500);
  if (request.url === '/environment') return response.end(JSON.stringify(process.env));
  response.end('hello');
});
process.on('SIGTERM', () => {
  if (tag.startsWith('deaf')) return;
  server.close(() => process.exit(0));
});
server.listen(Number(port), host);
`;

export type TinyAccount = Awaited<ReturnType<typeof openTinyAccount>>;

/** A cluster with a web service behind a load balancer, made by the providers, without templates and without Moodle. */
export async function openTinyAccount(serviceProperties: Record<string, unknown> = {}) {
  const world = await makeWorld();
  const script = join(world.directory, 'node.mjs');
  writeFileSync(script, node);
  containerRuntimeOf(world).processFor = ({ tag, command, port, environment }) => ({
    command: process.execPath,
    args: command[0] === 'web' ? [script] : ['-e', command.join(' ')],
    env: {
      PATH: process.env.PATH ?? '',
      ...environment,
      MOODLE_LISTEN: `127.0.0.1:${port}`,
      TEST_TAG: tag,
    },
  });
  const services = new Map<string, Service>();
  for (const service of [...machineServices(world), secretsManagerService(world)]) {
    services.set(service.signingName, service);
    servicesOf(world).set(service.signingName, service);
  }
  const executionRole = makeRole('execution');
  const taskRole = makeRole('task');
  const secret = createSecret(world, { name: 'database', secretString: '{"password":"from the secret"}' });
  const make = async (type: string, logicalId: string, properties: Record<string, unknown>) => {
    const provider = machineProviders.find((one) => one.type === type);
    if (!provider) throw new Error(`no provider of ${type}`);
    return await provider.create({ stackName: 'Tiny', logicalId, type, properties }, world);
  };
  const repository = await make('AWS::ECR::Repository', 'Repository', { RepositoryName: 'tiny' });
  const imageOf = (tag: string) => `${repository.attributes.RepositoryUri}:${tag}`;
  const push = (imageTag: string) =>
    imagesOf(world).set(`tiny:${imageTag}`, {
      repositoryName: 'tiny',
      imageTag,
      imageDigest: `sha256:${'0'.repeat(64)}`,
      imagePushedAt: new Date().toISOString(),
      imageSizeInBytes: 1,
    });
  const fileSystem = await make('AWS::EFS::FileSystem', 'Files', {});
  const accessPoint = await make('AWS::EFS::AccessPoint', 'Data', {
    FileSystemId: fileSystem.ref,
    RootDirectory: { Path: '/data' },
  });
  attachPolicy(roleOf(executionRole), 'all', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['ecr:*', 'secretsmanager:GetSecretValue'], Resource: '*' }],
  });
  attachPolicy(roleOf(taskRole), 'files', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'elasticfilesystem:Client*', Resource: fileSystem.attributes.Arn ?? '' }],
  });
  const balancer = await make('AWS::ElasticLoadBalancingV2::LoadBalancer', 'Alb', { Type: 'application' });
  const group = await make('AWS::ElasticLoadBalancingV2::TargetGroup', 'Nodes', {
    HealthCheckPath: '/health/live',
    HealthCheckIntervalSeconds: 10,
    HealthyThresholdCount: 2,
    UnhealthyThresholdCount: 2,
    Port: 8080,
    Protocol: 'HTTP',
    TargetType: 'ip',
    TargetGroupAttributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '30' }],
  });
  await make('AWS::ElasticLoadBalancingV2::Listener', 'Http', {
    DefaultActions: [{ Type: 'forward', TargetGroupArn: group.ref }],
    LoadBalancerArn: balancer.ref,
    Port: 80,
    Protocol: 'HTTP',
  });
  const cluster = await make('AWS::ECS::Cluster', 'Cluster', { ClusterName: 'tiny' });
  const taskDefinition = await make('AWS::ECS::TaskDefinition', 'Task', {
    Family: 'web',
    ExecutionRoleArn: executionRole,
    TaskRoleArn: taskRole,
    ContainerDefinitions: [
      {
        Name: 'moodle',
        Image: imageOf('one'),
        Essential: true,
        Command: ['web'],
        Environment: [{ Name: 'DATAROOT', Value: '/mnt/data' }],
        Secrets: [{ Name: 'PASSWORD', ValueFrom: `${secret.arn}:password::` }],
        PortMappings: [{ ContainerPort: 8080, Protocol: 'tcp' }],
        MountPoints: [{ ContainerPath: '/mnt/data', SourceVolume: 'data', ReadOnly: false }],
        StopTimeout: 5,
      },
    ],
    Volumes: [
      {
        Name: 'data',
        EFSVolumeConfiguration: {
          FilesystemId: fileSystem.ref,
          TransitEncryption: 'ENABLED',
          AuthorizationConfig: { AccessPointId: accessPoint.ref, IAM: 'ENABLED' },
        },
      },
    ],
  });
  const service = await make('AWS::ECS::Service', 'Web', {
    ServiceName: 'web',
    Cluster: cluster.ref,
    DesiredCount: 0,
    TaskDefinition: taskDefinition.ref,
    DeploymentConfiguration: {
      MaximumPercent: 200,
      MinimumHealthyPercent: 100,
      DeploymentCircuitBreaker: { Enable: true, Rollback: false },
    },
    // Real seconds: more than a node takes to answer on a busy computer.
    HealthCheckGracePeriodSeconds: 30,
    LoadBalancers: [{ ContainerName: 'moodle', ContainerPort: 8080, TargetGroupArn: group.ref }],
    ...serviceProperties,
  });
  push('one');
  const call = async (signingName: string, operation: string, input: object): Promise<unknown> =>
    await services.get(signingName)?.operations[operation]?.run(input, {
      principal: { kind: 'operator' },
      requestId: 'test',
    });
  const describe = async () => {
    const answer = (await call('ecs', 'DescribeServices', { cluster: 'tiny', services: ['web'] })) as Described;
    const [found] = answer.services;
    if (!found) throw new Error('the service web is gone');
    return found;
  };
  return {
    world,
    call,
    make,
    push,
    describe,
    imageOf,
    address: `http://${balancer.attributes.DNSName}`,
    targetGroupArn: group.ref,
    taskDefinitionArn: taskDefinition.ref,
    serviceArn: service.ref,
    executionRole: roleOf(executionRole),
    taskRole: roleOf(taskRole),
    update: (input: object) => call('ecs', 'UpdateService', { cluster: 'tiny', service: 'web', ...input }),
    /** Registers the task definition's next revision with this image and gives its ARN. */
    revise: async (tag: string) => {
      const { taskDefinition: known } = (await call('ecs', 'DescribeTaskDefinition', {
        taskDefinition: 'web',
      })) as Definition;
      const [container] = known.containerDefinitions;
      const { taskDefinition: made } = (await call('ecs', 'RegisterTaskDefinition', {
        family: known.family,
        executionRoleArn: known.executionRoleArn,
        taskRoleArn: known.taskRoleArn,
        volumes: known.volumes,
        containerDefinitions: [{ ...container, image: imageOf(tag) }],
      })) as Definition;
      return made.taskDefinitionArn;
    },
    close: () => world.close(),
  };

  function makeRole(name: string): string {
    const roleArn = `arn:aws:iam::${world.account}:role/${name}`;
    rolesOf(world).set(roleArn, {
      roleName: name,
      roleArn,
      trusted: ['ecs-tasks.amazonaws.com'],
      policies: new Map(),
    });
    return roleArn;
  }

  function roleOf(roleArn: string) {
    const role = rolesOf(world).get(roleArn);
    if (!role) throw new Error(`no role ${roleArn}`);
    return role;
  }
}

interface Definition {
  readonly taskDefinition: {
    readonly taskDefinitionArn: string;
    readonly family: string;
    readonly executionRoleArn: string;
    readonly taskRoleArn: string;
    readonly volumes: object[];
    readonly containerDefinitions: object[];
  };
}

export interface Described {
  readonly services: readonly {
    readonly desiredCount: number;
    readonly runningCount: number;
    readonly pendingCount: number;
    readonly taskDefinition: string;
    readonly deployments: readonly {
      readonly id: string;
      readonly status: string;
      readonly rolloutState: string;
      readonly failedTasks: number;
      readonly runningCount: number;
      readonly taskDefinition: string;
    }[];
    readonly events: readonly { readonly message: string }[];
  }[];
}
