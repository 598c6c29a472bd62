import { Duration } from 'aws-cdk-lib';
import { type Alarm, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { ExamDay } from '../exam-day.ts';
import { siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface ExamDayAlarmProps {
  readonly examDay: ExamDay;
  readonly topic: sns.ITopic;
}

/** The nodes of an exam day could not be set. Nothing where there is no exam day. */
export class ExamDayAlarm extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { examDay, topic }: ExamDayAlarmProps) {
    super(scope, id);
    if (examDay.function === undefined) {
      this.alarms = [];
      return;
    }
    const { tries, minutes } = thresholds.examDay;
    const alarm = siteAlarm(this, 'NotSet', {
      title: 'exam day not set',
      says: `The nodes of the exam day could not be set in ${tries} tries.`,
      metric: examDay.function.metricErrors({ statistic: Stats.SUM }),
      comparison: 'at least',
      threshold: tries,
      period: Duration.minutes(minutes),
      lasting: Duration.minutes(minutes),
    });
    tell(alarm, topic);
    this.alarms = [alarm];
  }
}
