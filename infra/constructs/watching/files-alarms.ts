import { Duration } from 'aws-cdk-lib';
import { type Alarm, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Config } from '../../config.ts';
import type { Files } from '../files.ts';
import { filesMetric } from './metrics.ts';
import { type SiteAlarmProps, siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

export interface FilesAlarmsProps {
  readonly config: Config;
  readonly files: Files;
  readonly topic: sns.ITopic;
}

/** The shared files at their limits: then every node waits for them. */
export class FilesAlarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { config, files, topic }: FilesAlarmsProps) {
    super(scope, id);
    const { ioPercent, throughputPercent, burstCreditBytes, minutes } = thresholds.files;
    const title = 'files at their limit';
    const lasting = { period: Duration.minutes(5), lasting: Duration.minutes(minutes) };
    const wanted: Record<string, SiteAlarmProps> = {
      Operations: {
        ...lasting,
        title,
        says: `The shared files are at ${ioPercent} percent of the operations that they allow and more, for ${minutes} minutes.`,
        metric: filesMetric(files, 'PercentIOLimit'),
        comparison: 'at least',
        threshold: ioPercent,
      },
    };
    if (config.filesThroughput === 'provisioned') {
      wanted.Throughput = {
        ...lasting,
        title,
        says: `The shared files are at ${throughputPercent} percent of filesProvisionedMiBps and more, for ${minutes} minutes.`,
        metric: new MathExpression({
          expression: '100 * (metered / PERIOD(metered)) / permitted',
          usingMetrics: {
            metered: filesMetric(files, 'MeteredIOBytes', { statistic: Stats.SUM }),
            permitted: filesMetric(files, 'PermittedThroughput'),
          },
          label: 'throughput, percent',
        }),
        comparison: 'at least',
        threshold: throughputPercent,
      };
    }
    if (config.filesThroughput === 'bursting') {
      wanted.BurstCredit = {
        ...lasting,
        title,
        says: 'The shared files have used up two thirds of the credit that lets them be faster than their size allows.',
        metric: filesMetric(files, 'BurstCreditBalance', { statistic: Stats.MINIMUM }),
        comparison: 'at most',
        threshold: burstCreditBytes,
      };
    }
    this.alarms = Object.entries(wanted).map(([name, props]) => siteAlarm(this, name, props));
    for (const alarm of this.alarms) tell(alarm, topic);
  }
}
