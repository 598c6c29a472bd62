import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { NodeTask } from './node-task.ts';
import type { Nodes } from './nodes.ts';
import type { CurrentSettings } from './settings.ts';

export interface CronServiceProps {
  readonly nodes: Nodes;
  readonly task: NodeTask;
  readonly settings: CurrentSettings;
}

/** Moodle's cron on a node of its own: none until a rollout starts it, never more than one. */
export class CronService extends Construct {
  readonly service: ecs.FargateService;

  constructor(scope: Construct, id: string, { nodes, task, settings }: CronServiceProps) {
    super(scope, id);
    this.service = new ecs.FargateService(this, 'Service', {
      cluster: nodes.cluster,
      taskDefinition: task.definition,
      desiredCount: settings.number('cron-nodes'),
      platformVersion: ecs.FargatePlatformVersion.VERSION1_4,
      vpcSubnets: nodes.network.nodeSubnets,
      securityGroups: [nodes.securityGroup],
      assignPublicIp: false,
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      circuitBreaker: { enable: true, rollback: false },
    });
  }
}
