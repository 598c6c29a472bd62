import { Duration } from 'aws-cdk-lib';
import { type Alarm, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { PlatformStack } from '../../stacks/platform-stack.ts';
import { ownMetrics, visitorMetrics } from './metrics.ts';
import { siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

/** What the image's entrypoint says after each run of cron that ended well. Moodle's own words change between releases. */
export const cronRunPattern = '"moodle-node: cron run ended"';

/**
 * Moodle's cron does not run, which no visitor notices for days: no mail, no backups, no completions. Measured by the
 * runs that end, and not by the tasks of ECS: a cron that starts and dies, one that hangs and one that was never started
 * all count alike. Silence is filled with 0, but only while nodes serve: before the first rollout there is nothing to
 * run, and while a rollout is at work cron may have been stopped for it.
 */
export class CronAlarm extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(
    scope: Construct,
    id: string,
    { platform, topic }: { readonly platform: PlatformStack; readonly topic: sns.ITopic },
  ) {
    super(scope, id);
    const { cronRuns, rolloutSteps } = ownMetrics(platform.config.site);
    new logs.MetricFilter(this, 'Runs', {
      logGroup: platform.cronTask.logGroup,
      filterPattern: logs.FilterPattern.literal(cronRunPattern),
      metricNamespace: cronRuns.namespace,
      metricName: cronRuns.metricName,
      metricValue: '1',
      defaultValue: 0,
    });
    const alarm = siteAlarm(this, 'NotRun', {
      title: 'cron not run',
      says: `No run of Moodle's cron has ended for ${thresholds.cron.hours} hours, though nodes serve and no rollout is at work.`,
      metric: new MathExpression({
        expression: 'IF(nodes >= 1 AND FILL(steps, 0) == 0, FILL(runs, 0), 1)',
        usingMetrics: {
          nodes: visitorMetrics(platform).healthyNodes.with({ statistic: Stats.MINIMUM }),
          steps: rolloutSteps,
          runs: cronRuns,
        },
        label: 'cron runs in an hour',
      }),
      comparison: 'at most',
      threshold: 0,
      period: Duration.hours(1),
      lasting: Duration.hours(thresholds.cron.hours),
    });
    tell(alarm, topic);
    this.alarms = [alarm];
  }
}
