import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { type Capacity, fargateCapacity } from './capacity.ts';
import { InstanceCapacity } from './instance-capacity.ts';
import { logGroup } from './logs.ts';
import type { Network } from './network.ts';

/** Where nodes run: the cluster, its capacity, and the security group that all of them share. */
export class Nodes extends Construct implements ec2.IConnectable {
  readonly cluster: ecs.ICluster;
  readonly capacity: Capacity;
  readonly securityGroup: ec2.SecurityGroup;
  readonly network: Network;

  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id);
    this.network = network;
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: network.vpc,
      enableFargateCapacityProviders: config.compute === 'fargate',
      containerInsightsV2: insights[config.containerInsights],
      ...(config.ecsExec && { executeCommandConfiguration: loggedShell(this, config) }),
    });
    this.cluster = cluster as ecs.ICluster;
    if (config.containerInsights === 'off') {
      acknowledge(
        cluster,
        'AwsSolutions-ECS4',
        'The option containerInsights says so: CloudWatch charges for each metric.',
      );
    }
    // Out to everywhere: Moodle fetches feeds, repositories, badges and mail from hosts that nobody can list.
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: `Nodes of ${config.site}`,
      allowAllOutbound: true,
    });
    this.capacity =
      config.compute === 'fargate'
        ? fargateCapacity(config)
        : new InstanceCapacity(this, 'Capacity', { config, network, cluster, securityGroup: this.securityGroup });
  }

  get connections(): ec2.Connections {
    return this.securityGroup.connections;
  }
}

const insights = {
  off: ecs.ContainerInsights.DISABLED,
  on: ecs.ContainerInsights.ENABLED,
  enhanced: ecs.ContainerInsights.ENHANCED,
} as const;

/** Every session is written to a log of its own. The data channel is encrypted with TLS already. */
function loggedShell(scope: Construct, config: Config): ecs.ExecuteCommandConfiguration {
  return {
    logging: ecs.ExecuteCommandLogging.OVERRIDE,
    logConfiguration: { cloudWatchLogGroup: logGroup(scope, 'ShellLogs', config.logRetentionDays) },
  };
}
