import { Duration } from 'aws-cdk-lib';
import { type Alarm, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { DatabaseRotation } from '../database-rotation.ts';
import { siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface RotationAlarmProps {
  /** Absent: the database keeps its password. */
  readonly rotation: DatabaseRotation | undefined;
  readonly topic: sns.ITopic;
}

/** The database did not get its new password. Secrets Manager itself tells only whoever has a trail. */
export class RotationAlarm extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { rotation, topic }: RotationAlarmProps) {
    super(scope, id);
    if (rotation === undefined) {
      this.alarms = [];
      return;
    }
    const { tries, hours } = thresholds.rotation;
    const alarm = siteAlarm(this, 'Failed', {
      title: 'password not rotated',
      says: `The password of the database could not be rotated in ${tries} tries within ${hours} hours.`,
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Errors',
        dimensionsMap: { FunctionName: rotation.functionName },
        statistic: Stats.SUM,
        label: 'rotations that failed',
      }),
      comparison: 'at least',
      threshold: tries,
      period: Duration.hours(hours),
      lasting: Duration.hours(hours),
    });
    tell(alarm, topic);
    this.alarms = [alarm];
  }
}
