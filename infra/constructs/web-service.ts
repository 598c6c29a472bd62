import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { nodePort } from './load-balancer.ts';
import type { NodeTask } from './node-task.ts';
import type { Nodes } from './nodes.ts';
import type { CurrentSettings } from './settings.ts';

export interface WebServiceProps {
  readonly config: Config;
  readonly nodes: Nodes;
  readonly task: NodeTask;
  readonly loadBalancer: LoadBalancer;
  readonly settings: CurrentSettings;
}

/** The nodes that serve the site: none until a rollout starts the first. */
export class WebService extends Construct {
  readonly service: ecs.FargateService;

  constructor(scope: Construct, id: string, { config, nodes, task, loadBalancer, settings }: WebServiceProps) {
    super(scope, id);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: nodes.cluster,
      taskDefinition: task.definition,
      desiredCount: settings.number('desired-nodes'),
      platformVersion: ecs.FargatePlatformVersion.VERSION1_4,
      vpcSubnets: nodes.network.nodeSubnets,
      securityGroups: [nodes.securityGroup],
      assignPublicIp: false,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      // Only to learn that a deployment failed: the rollout itself puts back what belongs together.
      circuitBreaker: { enable: true, rollback: false },
      healthCheckGracePeriod: Duration.seconds(config.healthGraceSeconds),
    });
    this.service.attachToApplicationTargetGroup(loadBalancer.targetGroup);
    nodes.connections.allowFrom(loadBalancer.alb, ec2.Port.tcp(nodePort));
    const range = this.service.autoScaleTaskCount({
      minCapacity: settings.number('minimum-nodes'),
      maxCapacity: settings.number('maximum-nodes'),
    });
    range.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: config.cpuTargetPercent });
  }
}
