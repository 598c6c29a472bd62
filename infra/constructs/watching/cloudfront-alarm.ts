import { Duration } from 'aws-cdk-lib';
import { type IAlarm, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { SiteDistribution } from '../site-distribution.ts';
import { cloudFrontMetrics } from './metrics.ts';
import { siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface CloudFrontAlarmProps {
  readonly distribution: SiteDistribution;
  /** Of us-east-1, as CloudFront's metrics are and so the alarm. */
  readonly topic: sns.ITopic;
}

/** What visitors meet where CloudFront stands before the load balancer, which does not see what never reached it. */
export class CloudFrontAlarm extends Construct {
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, { distribution, topic }: CloudFrontAlarmProps) {
    super(scope, id);
    const { percent, atLeastRequests, minutes } = thresholds.cloudFront;
    const { requests, errors } = cloudFrontMetrics(distribution);
    const alarm = siteAlarm(this, 'Errors', {
      title: 'CloudFront errors',
      says: `At least ${percent} of 100 answers of CloudFront are errors of the site, for ${minutes} minutes.`,
      metric: new MathExpression({
        expression: `IF(requests >= ${atLeastRequests}, errors, 0)`,
        usingMetrics: { requests, errors },
        label: 'failing requests, percent',
      }),
      comparison: 'at least',
      threshold: percent,
      period: Duration.minutes(5),
      lasting: Duration.minutes(minutes),
    });
    tell(alarm, topic);
    this.alarms = [alarm];
  }
}
