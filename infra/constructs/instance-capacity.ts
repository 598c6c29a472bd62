import { Stack } from 'aws-cdk-lib';
import * as autoscaling from 'aws-cdk-lib/aws-autoscaling';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeFindings } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import type { Capacity } from './capacity.ts';
import type { Network } from './network.ts';

export interface InstanceCapacityProps {
  readonly config: Config;
  readonly network: Network;
  readonly cluster: ecs.Cluster;
  /** Of the nodes: an instance mounts the shared files for its nodes, so that it has to be let in as they are. */
  readonly securityGroup: ec2.ISecurityGroup;
}

/**
 * EC2 instances that ECS starts when nodes find no room and ends when they stand empty. Nobody logs in to them: a shell in
 * a node is ECS Exec's.
 */
export class InstanceCapacity extends Construct implements Capacity {
  readonly compute = 'ec2';
  readonly steady: string;
  readonly mixed: readonly ecs.CapacityProviderStrategy[];
  readonly autoScalingGroupName: string;

  constructor(scope: Construct, id: string, { config, network, cluster, securityGroup }: InstanceCapacityProps) {
    super(scope, id);
    const { onDemandWeight, spotWeight } = config;
    const group = new autoscaling.AutoScalingGroup(this, 'Instances', {
      vpc: network.vpc,
      vpcSubnets: network.nodeSubnets,
      minCapacity: 0,
      // Twice the nodes while all are replaced, cron, and a one-off task.
      maxCapacity: 2 * config.maximumNodes + 2,
      mixedInstancesPolicy: {
        launchTemplate: launchTemplate(this, config, securityGroup),
        instancesDistribution: {
          onDemandBaseCapacity: config.onDemandBase,
          onDemandPercentageAboveBaseCapacity: Math.round((100 * onDemandWeight) / (onDemandWeight + spotWeight)),
          spotAllocationStrategy: autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        },
        launchTemplateOverrides: [{ instanceType: new ec2.InstanceType(config.instanceType) }],
      },
      groupMetrics: [autoscaling.GroupMetrics.all()],
    });
    const provider = new ecs.AsgCapacityProvider(this, 'Provider', {
      autoScalingGroup: group,
      enableManagedScaling: true,
      // Nodes leave an instance in order before it ends, and come back elsewhere first.
      enableManagedDraining: true,
      // Protected instances also withstand the deletion of their stack (aws/containers-roadmap#2862), so that a site which
      // is to leave nothing behind does without: there, managed draining alone moves the nodes.
      enableManagedTerminationProtection: config.keepData,
      machineImageType: ecs.MachineImageType.AMAZON_LINUX_2,
    });
    cluster.addAsgCapacityProvider(provider);
    // By ECS_ENABLE_SPOT_INSTANCE_DRAINING the agent drains its own instance on the notice of two minutes; CDK grants this
    // only to instances that it knows to be Spot.
    group.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['ecs:UpdateContainerInstancesState'],
        resources: [
          Stack.of(this).formatArn({
            service: 'ecs',
            resource: 'container-instance',
            resourceName: `${cluster.clusterName}/*`,
          }),
        ],
      }),
    );
    acknowledge(group, 'AwsSolutions-AS3', 'Instances come and go with the nodes: nobody is to be told of each.');
    const inTemplate = "The launch template of the group says so; the rule reads the older launch configuration's.";
    acknowledge(group, 'AwsSolutions-EC26', inTemplate);
    acknowledge(group, 'NIST.800.53.R5-EC2IMDSv2Enabled', inTemplate);
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^(Action::ecs:Submit\*|Resource::(\*|arn:aws:ecs:.*:container-instance\/<NodesCluster\w+>\/\*))$/,
      "What CDK grants to ECS's agent: it registers its instance, asks for work and drains, by conditions and names in this cluster alone.",
    );
    group.addUserData(
      // By hand, because CDK sees no Spot instances in a mix.
      'echo ECS_ENABLE_SPOT_INSTANCE_DRAINING=true >> /etc/ecs/ecs.config',
      'echo ECS_AWSVPC_BLOCK_IMDS=true >> /etc/ecs/ecs.config',
    );
    this.autoScalingGroupName = group.autoScalingGroupName;
    this.steady = provider.capacityProviderName;
    this.mixed = [{ capacityProvider: provider.capacityProviderName, weight: 1 }];
  }
}

/** Amazon's own image for ECS, the newest at each deploy; running instances keep theirs until they are replaced. */
function launchTemplate(scope: Construct, config: Config, securityGroup: ec2.ISecurityGroup): ec2.LaunchTemplate {
  const hardware = config.architecture === 'arm64' ? ecs.AmiHardwareType.ARM : ecs.AmiHardwareType.STANDARD;
  return new ec2.LaunchTemplate(scope, 'Template', {
    instanceType: new ec2.InstanceType(config.instanceType),
    machineImage: ecs.EcsOptimizedImage.amazonLinux2023(hardware),
    userData: ec2.UserData.forLinux(),
    role: new iam.Role(scope, 'Role', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') }),
    securityGroup,
    requireImdsv2: true,
    // Containers do not reach the instance's own credentials.
    httpPutResponseHopLimit: 1,
    associatePublicIpAddress: false,
    detailedMonitoring: true,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        volume: ec2.BlockDeviceVolume.ebs(30, { encrypted: true, volumeType: ec2.EbsDeviceVolumeType.GP3 }),
      },
    ],
  });
}
