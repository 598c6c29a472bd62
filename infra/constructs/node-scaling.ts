import { CfnCondition, Duration, Fn, Token, Validations } from 'aws-cdk-lib';
import * as appscaling from 'aws-cdk-lib/aws-applicationautoscaling';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { CurrentSettings } from './settings.ts';

export interface NodeScalingProps {
  readonly config: Config;
  readonly service: ecs.BaseService;
  readonly targetGroup: elb.ApplicationTargetGroup;
  readonly settings: CurrentSettings;
}

/** How many web nodes there are between rollouts: by load, within the range that rollouts and the exam day have set. */
export class NodeScaling extends Construct {
  constructor(scope: Construct, id: string, { config, service, targetGroup, settings }: NodeScalingProps) {
    super(scope, id);
    const range = service.autoScaleTaskCount({
      minCapacity: this.#minimum(settings),
      maxCapacity: settings.number('maximum-nodes'),
    });
    Validations.of(service).acknowledge({
      id: 'CloudFormation-Validate::F3012',
      reason: 'The check takes the name of a parameter in a condition for its value, which is a number as text.',
    });
    const { cpuTargetPercent, requestsPerTarget, scaleOutPercent, scaleInPercent } = config;
    if (cpuTargetPercent > 0) range.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: cpuTargetPercent });
    if (requestsPerTarget > 0) {
      range.scaleOnRequestCount('Requests', { requestsPerTarget, targetGroup });
    }
    if (scaleOutPercent > 0) {
      range.scaleOnMetric('CpuThresholds', {
        metric: service.metricCpuUtilization({ period: Duration.minutes(1) }),
        scalingSteps: [
          { upper: scaleInPercent, change: -1 },
          { lower: scaleOutPercent, change: 1 },
        ],
        adjustmentType: appscaling.AdjustmentType.CHANGE_IN_CAPACITY,
        evaluationPeriods: 3,
        cooldown: Duration.minutes(3),
      });
    }
  }

  /** What a rollout has set; on an exam day its minimum, which lambdas/schedule-nodes.ts writes. */
  #minimum(settings: CurrentSettings): number {
    const usual = new CfnCondition(this, 'Usual', {
      expression: Fn.conditionOr(
        Fn.conditionEquals(settings.text('scheduled-nodes'), '0'),
        Fn.conditionEquals(settings.text('minimum-nodes'), '0'),
      ),
    });
    return Token.asNumber(
      Fn.conditionIf(usual.logicalId, settings.text('minimum-nodes'), settings.text('scheduled-nodes')),
    );
  }
}
