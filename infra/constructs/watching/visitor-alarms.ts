import { Duration } from 'aws-cdk-lib';
import { AlarmRule, AlarmState, CompositeAlarm, type IAlarm, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { acknowledge } from '../../acknowledge.ts';
import type { PlatformStack } from '../../stacks/platform-stack.ts';
import { visitorMetrics } from './metrics.ts';
import { describe, siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface VisitorAlarmsProps {
  readonly platform: PlatformStack;
  /** While it is set off, a rollout replaces nodes, installs, or shows its maintenance page. */
  readonly rolloutAtWork: IAlarm;
  readonly topic: sns.ITopic;
}

/**
 * What visitors suffer from. One cause shows in several of these at once, so a composite tells of them in one message,
 * and not while a rollout is at work: that looks after the site itself, and tells when it cannot.
 */
export class VisitorAlarms extends Construct {
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, { platform, rolloutAtWork, topic }: VisitorAlarmsProps) {
    super(scope, id);
    const { requests, nodeErrors, balancerErrors, responseTime, healthyNodes, unhealthyNodes } =
      visitorMetrics(platform);
    const { serverErrors, slowResponses } = thresholds;
    const symptoms = [
      siteAlarm(this, 'ServerErrors', {
        title: 'server errors',
        says: `At least ${serverErrors.percent} of 100 requests fail, for ${serverErrors.minutes} minutes.`,
        // Gives no data while no node is registered: before the first rollout the load balancer answers 503 by right.
        metric: new MathExpression({
          expression: `IF(nodes >= 0 AND errors >= ${serverErrors.atLeastPerMinute}, 100 * errors / all, 0)`,
          usingMetrics: {
            nodes: healthyNodes,
            errors: new MathExpression({
              expression: 'FILL(fromNodes, 0) + FILL(fromBalancer, 0)',
              usingMetrics: { fromNodes: nodeErrors, fromBalancer: balancerErrors },
            }),
            // What the load balancer answers itself is no request in its own count.
            all: new MathExpression({
              expression: 'FILL(served, 0) + FILL(fromBalancer, 0)',
              usingMetrics: { served: requests, fromBalancer: balancerErrors },
            }),
          },
          label: 'failing requests, percent',
        }),
        comparison: 'at least',
        threshold: serverErrors.percent,
        period: Duration.minutes(1),
        // The newest minutes may still lack the count of errors, which is filled with 0.
        lasting: Duration.minutes(serverErrors.minutes + 2),
        datapointsToAlarm: serverErrors.minutes,
      }),
      siteAlarm(this, 'SlowResponses', {
        title: 'slow responses',
        says: `${100 - slowResponses.percentile} of 100 answers take ${slowResponses.seconds} s and more, for ${slowResponses.minutes} minutes.`,
        metric: responseTime(slowResponses.percentile),
        comparison: 'at least',
        threshold: slowResponses.seconds,
        period: Duration.minutes(5),
        lasting: Duration.minutes(slowResponses.minutes),
        needsSamples: true,
      }),
      siteAlarm(this, 'UnhealthyNodes', {
        title: 'unhealthy nodes',
        says: `A node fails its health checks and is not replaced, for ${thresholds.unhealthyNodes.minutes} minutes.`,
        metric: unhealthyNodes,
        comparison: 'at least',
        threshold: 1,
        period: Duration.minutes(1),
        lasting: Duration.minutes(thresholds.unhealthyNodes.minutes),
      }),
      siteAlarm(this, 'NoHealthyNode', {
        title: 'no healthy node',
        says: `No node passes its health checks, for ${thresholds.noHealthyNode.minutes} minutes: the site is down.`,
        metric: healthyNodes,
        comparison: 'at most',
        threshold: 0,
        period: Duration.minutes(1),
        lasting: Duration.minutes(thresholds.noHealthyNode.minutes),
      }),
    ];
    const unwell = new CompositeAlarm(this, 'SiteUnwell', {
      alarmDescription: describe({
        title: 'site unwell',
        says: 'Visitors meet errors, slow pages or no site at all.',
      }),
      alarmRule: AlarmRule.anyOf(...symptoms.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
      actionsSuppressor: rolloutAtWork,
      actionsSuppressorWaitPeriod: Duration.minutes(thresholds.suppression.wait),
      actionsSuppressorExtensionPeriod: Duration.minutes(thresholds.suppression.after),
    });
    tell(unwell, topic);
    for (const symptom of symptoms)
      acknowledge(symptom, 'NIST.800.53.R5-CloudWatchAlarmAction', 'SiteUnwell tells of it.');
    this.alarms = [unwell, ...symptoms];
  }
}
