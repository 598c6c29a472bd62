import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { BackupNotices } from '../constructs/watching/backup-notices.ts';
import { CacheAlarms } from '../constructs/watching/cache-alarms.ts';
import { CloudFrontAlarm } from '../constructs/watching/cloudfront-alarm.ts';
import { CronAlarm } from '../constructs/watching/cron-alarm.ts';
import { DatabaseAlarms } from '../constructs/watching/database-alarms.ts';
import { ExamDayAlarm } from '../constructs/watching/exam-day-alarm.ts';
import { FilesAlarms } from '../constructs/watching/files-alarms.ts';
import { InsightsRetention } from '../constructs/watching/insights-retention.ts';
import { NodeEvents } from '../constructs/watching/node-events.ts';
import { RolloutAlarms } from '../constructs/watching/rollout-alarms.ts';
import { RolloutNotices } from '../constructs/watching/rollout-notices.ts';
import { RolloutWidget } from '../constructs/watching/rollout-widget.ts';
import { RotationAlarm } from '../constructs/watching/rotation-alarm.ts';
import { SavedQueries } from '../constructs/watching/saved-queries.ts';
import { SiteDashboard } from '../constructs/watching/site-dashboard.ts';
import { Trail } from '../constructs/watching/trail.ts';
import { VisitorAlarms } from '../constructs/watching/visitor-alarms.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import type { LifecycleStack } from './lifecycle-stack.ts';
import { MoodleStack } from './moodle-stack.ts';
import { watchingOutputs } from './outputs.ts';
import type { PlatformStack } from './platform-stack.ts';

/** Who looks at the site when nobody does: alarms, messages, and a dashboard for when somebody comes. */
export class WatchingStack extends MoodleStack {
  readonly dashboard: SiteDashboard;

  constructor(
    scope: Construct,
    config: Config,
    platform: PlatformStack,
    lifecycle: LifecycleStack,
    bundles: FunctionBundles,
  ) {
    super(scope, 'Watching', config, { description: `Moodle ${config.site}: alarms and dashboard` });
    const { topic } = platform.notifications;
    const { rollouts } = lifecycle;
    const { site } = config;

    new RolloutNotices(this, 'RolloutNotices', { site, rollouts, topic });
    if (config.backups) new BackupNotices(this, 'BackupNotices', { site, backups: platform.backups, topic });
    const rollout = new RolloutAlarms(this, 'Rollout', { site, rollouts, topic });
    const visitors = new VisitorAlarms(this, 'Visitors', { platform, rolloutAtWork: rollout.atWork, topic });
    const cron = new CronAlarm(this, 'Cron', { platform, topic });
    const nodes = new NodeEvents(this, 'Nodes', { platform, topic });
    const examDay = new ExamDayAlarm(this, 'ExamDay', { examDay: lifecycle.examDay, topic });
    const database = new DatabaseAlarms(this, 'Database', { config, database: platform.database, topic });
    const rotation = new RotationAlarm(this, 'Rotation', { rotation: platform.databaseRotation, topic });
    const caches = new CacheAlarms(this, 'Caches', { platform, topic });
    const files = new FilesAlarms(this, 'Files', { config, files: platform.files, topic });

    const { distribution } = platform;
    const cloudFront =
      distribution && config.region === 'us-east-1'
        ? new CloudFrontAlarm(this, 'CloudFront', { distribution, topic })
        : { alarms: [] };

    this.dashboard = new SiteDashboard(this, 'Dashboard', {
      platform,
      rollouts: new RolloutWidget(this, 'RolloutWidget', { config, rollouts, bundles }),
      spotInterruptions: nodes.spotInterruptions,
      alarms: [visitors, rollout, cron, nodes, examDay, database, rotation, caches, files, cloudFront].flatMap(
        ({ alarms }) => alarms,
      ),
    });
    new SavedQueries(this, 'Queries', { platform, lifecycle });
    if (config.containerInsights !== 'off') {
      const { cluster } = platform.nodes;
      new InsightsRetention(this, 'InsightsRetention', { cluster, retentionDays: config.logRetentionDays });
    }
    if (config.cloudTrail) new Trail(this, 'Trail', { config, key: platform.watchingKey.key });
    watchingOutputs(this);
  }
}
