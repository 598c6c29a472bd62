import { Duration } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeFindings } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import type { Capacity } from './capacity.ts';
import type { Files } from './files.ts';
import { nodePort } from './load-balancer.ts';
import { logGroup } from './logs.ts';
import type { NodeSettings } from './node-settings.ts';

/** The name of the one container in a task. */
export const containerName = 'moodle';
/** Where the shared files are mounted. */
export const dataroot = '/mnt/moodle';

export interface NodeTaskProps {
  readonly config: Config;
  readonly capacity: Capacity;
  readonly role: 'web' | 'cron';
  readonly image: ecs.ContainerImage;
  readonly files: Files;
  readonly settings: NodeSettings;
}

/** The task definition of a role of the image. Rollouts register further revisions of its family. */
export class NodeTask extends Construct {
  readonly definition: ecs.TaskDefinition;
  readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, { config, capacity, role, image, files, settings }: NodeTaskProps) {
    super(scope, id);
    this.logGroup = logGroup(this, 'Logs', config.logRetentionDays);
    const volumes = [sharedFiles(files)];
    this.definition =
      capacity.compute === 'fargate'
        ? new ecs.FargateTaskDefinition(this, 'Definition', {
            cpu: config.taskCpu,
            memoryLimitMiB: config.taskMemory,
            runtimePlatform: {
              cpuArchitecture: config.architecture === 'arm64' ? ecs.CpuArchitecture.ARM64 : ecs.CpuArchitecture.X86_64,
              operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
            },
            volumes,
          })
        : new ecs.TaskDefinition(this, 'Definition', {
            compatibility: ecs.Compatibility.EC2,
            // An interface and a security group for each node, as on Fargate.
            networkMode: ecs.NetworkMode.AWS_VPC,
            cpu: String(config.taskCpu),
            memoryMiB: String(config.taskMemory),
            volumes,
          });
    files.grantMount(this.definition.taskRole);
    for (const statement of settings.permissions) this.definition.addToTaskRolePolicy(statement);
    const container = this.definition.addContainer(containerName, {
      containerName,
      image,
      command: [role],
      environment: settings.environment,
      secrets: settings.secrets,
      logging: ecs.LogDrivers.awsLogs({
        streamPrefix: role,
        logGroup: this.logGroup,
      }),
      linuxParameters: new ecs.LinuxParameters(this, 'Init', { initProcessEnabled: true }),
      // A node finishes the requests in flight before it goes.
      stopTimeout: Duration.seconds(config.stopTimeoutSeconds),
      ...(role === 'web' ? { healthCheck: answering, portMappings: [{ containerPort: nodePort }] } : {}),
    });
    container.addMountPoints({ sourceVolume: 'moodledata', containerPath: dataroot, readOnly: false });
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::(\*|arn:aws:logs:.*:log-group:.*:\*)$/,
      'Logging in to ECR and opening the channels of ECS Exec have no resource; log streams are named when they begin.',
    );
    acknowledge(
      this,
      'AwsSolutions-ECS2',
      'Names and addresses are plain variables; what is secret comes by `secrets`.',
    );
  }
}

function sharedFiles(files: Files): ecs.Volume {
  return {
    name: 'moodledata',
    efsVolumeConfiguration: {
      fileSystemId: files.fileSystem.fileSystemId,
      transitEncryption: 'ENABLED',
      authorizationConfig: { accessPointId: files.accessPoint.accessPointId, iam: 'ENABLED' },
    },
  };
}

/** Beside the load balancer's own check, so that a node shows as unhealthy in ECS too. */
const answering: ecs.HealthCheck = {
  command: ['CMD', 'curl', '--fail', '--silent', '--max-time', '4', `http://127.0.0.1:${nodePort}/health/live`],
  interval: Duration.seconds(10),
  timeout: Duration.seconds(5),
  retries: 3,
};
