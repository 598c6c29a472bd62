import { Duration } from 'aws-cdk-lib';
import { type IAlarm, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { acknowledge } from '../../acknowledge.ts';
import type { LifecycleStateMachine } from '../lifecycle-state-machine.ts';
import { ownMetrics } from './metrics.ts';
import { siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface RolloutAlarmsProps {
  readonly site: string;
  readonly rollouts: readonly LifecycleStateMachine[];
  readonly topic: sns.ITopic;
}

/**
 * What the log of a state machine has for each attempt of a phase. Step Functions itself counts only how executions
 * begin and end, so that one which does neither shows nowhere.
 */
export const rolloutStepPattern = '{ $.type = "LambdaFunctionScheduled" || $.type = "TaskScheduled" }';

/** Whether a rollout is at work, whether it comes to no end, and whether one has failed. */
export class RolloutAlarms extends Construct {
  /** Tells nobody: the others ask it. */
  readonly atWork: IAlarm;
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, { site, rollouts, topic }: RolloutAlarmsProps) {
    super(scope, id);
    const { rolloutSteps } = ownMetrics(site);
    for (const rollout of rollouts) {
      new logs.MetricFilter(this, `Steps-${rollout.name}`, {
        logGroup: rollout.logGroup,
        filterPattern: logs.FilterPattern.literal(rolloutStepPattern),
        metricNamespace: rolloutSteps.namespace,
        metricName: rolloutSteps.metricName,
        metricValue: '1',
        defaultValue: 0,
      });
    }
    const { quietMinutes, busyMinutes, stuckHours, stuckAttempts } = thresholds.rollout;
    this.atWork = siteAlarm(this, 'AtWork', {
      title: 'rollout at work',
      says: 'A rollout is at work. This is no trouble, and tells nobody: it holds back the alarm of the site.',
      metric: rolloutSteps,
      comparison: 'at least',
      threshold: 1,
      period: Duration.minutes(1),
      lasting: Duration.minutes(quietMinutes),
      datapointsToAlarm: busyMinutes,
    });
    const stuck = siteAlarm(this, 'Stuck', {
      title: 'rollout stuck',
      says: `A rollout has been at work for ${stuckHours} hours without a pause, longer than any should take.`,
      metric: rolloutSteps,
      comparison: 'at least',
      threshold: stuckAttempts,
      period: Duration.minutes(15),
      lasting: Duration.hours(stuckHours),
    });
    tell(stuck, topic);
    const failed = siteAlarm(this, 'Failed', {
      title: 'rollout failed',
      // No action: the rollout tells itself, and where it cannot, a rule on its end does (RolloutNotices).
      says: 'A rollout failed, timed out or was stopped within the last day. A message of its own told so.',
      metric: new MathExpression({
        expression: 'SUM(METRICS())',
        usingMetrics: Object.fromEntries(rollouts.flatMap(endsOf)),
        label: 'rollouts that did not succeed',
      }),
      comparison: 'at least',
      threshold: 1,
      period: Duration.days(1),
      lasting: Duration.days(1),
    });
    acknowledge(failed, 'NIST.800.53.R5-CloudWatchAlarmAction', 'The rollout, or a rule on its end, has told already.');
    acknowledge(this.atWork, 'NIST.800.53.R5-CloudWatchAlarmAction', 'No trouble: other alarms ask it.');
    this.alarms = [failed, stuck, this.atWork];
  }
}

function endsOf({ name, stateMachine }: LifecycleStateMachine): [string, Metric][] {
  return ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'].map((metricName) => [
    `${name.replace(/[^a-z]/g, '')}${metricName}`,
    new Metric({
      namespace: 'AWS/States',
      metricName,
      dimensionsMap: { StateMachineArn: stateMachine.stateMachineArn },
      statistic: Stats.SUM,
    }),
  ]);
}
