import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { nodePort } from './load-balancer.ts';
import { NodeScaling } from './node-scaling.ts';
import { NodeService } from './node-service.ts';
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
export class WebService extends NodeService {
  constructor(scope: Construct, id: string, props: WebServiceProps) {
    super(scope, id, {
      ...props,
      count: 'desired-nodes',
      strategy: props.nodes.capacity.mixed,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      healthGraceSeconds: props.config.healthGraceSeconds,
    });
    const { config, nodes, loadBalancer, settings } = props;
    this.service.attachToApplicationTargetGroup(loadBalancer.targetGroup);
    nodes.connections.allowFrom(loadBalancer.alb, ec2.Port.tcp(nodePort));
    new NodeScaling(this, 'Scaling', {
      config,
      service: this.service,
      targetGroup: loadBalancer.targetGroup,
      settings,
    });
  }
}
