import { Aws, CfnCondition, Duration, Fn, Token } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { NodeTask } from './node-task.ts';
import type { Nodes } from './nodes.ts';
import type { CurrentSettings, Setting } from './settings.ts';

export interface NodeServiceProps {
  readonly config: Config;
  readonly nodes: Nodes;
  readonly task: NodeTask;
  readonly settings: CurrentSettings;
  /** The setting that is 0 as long as no rollout has started a node of this service. */
  readonly count: Extract<Setting, 'desired-nodes' | 'cron-nodes'>;
  readonly strategy: readonly ecs.CapacityProviderStrategy[];
  readonly minHealthyPercent: number;
  readonly maxHealthyPercent: number;
  /** Only for a service behind the load balancer. */
  readonly healthGraceSeconds?: number;
}

/** An ECS service of nodes: none until a rollout starts the first; from then on how many is no deploy's business. */
export class NodeService extends Construct {
  readonly service: ecs.FargateService | ecs.Ec2Service;

  constructor(scope: Construct, id: string, props: NodeServiceProps) {
    super(scope, id);
    const { config, nodes, task, healthGraceSeconds } = props;
    const common = {
      cluster: nodes.cluster,
      taskDefinition: task.definition,
      desiredCount: this.#count(props),
      capacityProviderStrategies: [...props.strategy],
      vpcSubnets: { subnets: nodes.network.nodeSubnets.subnets },
      securityGroups: [nodes.securityGroup],
      minHealthyPercent: props.minHealthyPercent,
      maxHealthyPercent: props.maxHealthyPercent,
      // Only to learn that a deployment failed. ECS's own rollback would bring back an image without the database that
      // belongs to it: the rollout puts back both.
      circuitBreaker: { enable: true, rollback: false },
      enableExecuteCommand: config.ecsExec,
      ...(healthGraceSeconds !== undefined && { healthCheckGracePeriod: Duration.seconds(healthGraceSeconds) }),
    };
    this.service =
      nodes.capacity.compute === 'fargate'
        ? new ecs.FargateService(this, 'Service', {
            ...common,
            platformVersion: ecs.FargatePlatformVersion.VERSION1_4,
            assignPublicIp: false,
          })
        : new ecs.Ec2Service(this, 'Service', {
            ...common,
            placementStrategies: [
              ecs.PlacementStrategy.spreadAcross('attribute:ecs.availability-zone'),
              ecs.PlacementStrategy.packedByCpu(),
            ],
          });
    // Of the cluster's parts, the one that makes its capacity known: ECS refuses a service that comes before it.
    this.service.node.addDependency(nodes.cluster);
  }

  /**
   * 0 before the first rollout, since ECS would start one node where nothing is said; left out afterwards, which leaves
   * the count to rollouts and to automatic scaling.
   */
  #count({ settings, count }: NodeServiceProps): number {
    const none = new CfnCondition(this, 'None', { expression: Fn.conditionEquals(settings.text(count), '0') });
    return Token.asNumber(Fn.conditionIf(none.logicalId, 0, Aws.NO_VALUE));
  }
}
