import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { Notifications } from '../constructs/notifications.ts';
import { pascalCase } from '../constructs/phase-functions.ts';
import type { SiteDistribution } from '../constructs/site-distribution.ts';
import { CloudFrontAlarm } from '../constructs/watching/cloudfront-alarm.ts';
import { WatchingKey } from '../constructs/watching-key.ts';
import { MoodleStack } from './moodle-stack.ts';

/** Watches CloudFront from us-east-1, where alone its metrics are, for a site of another region. */
export class EdgeWatchingStack extends MoodleStack {
  constructor(scope: Construct, config: Config, distribution: SiteDistribution) {
    super(scope, `EdgeWatching${pascalCase(config.region)}`, config, {
      description: `Moodle ${config.site}: alarm of CloudFront`,
      env: { region: 'us-east-1' },
      crossRegionReferences: true,
    });
    const { key } = new WatchingKey(this, 'Key', { ...config, cloudTrail: false });
    // An alarm tells topics of its own region alone.
    const { topic } = new Notifications(this, 'Notifications', {
      site: config.site,
      key,
      email: config.notificationEmail,
    });
    new CloudFrontAlarm(this, 'CloudFront', { distribution, topic });
  }

  /** A site in us-east-1 has the alarm among its others. */
  static isNeeded({ cloudFront, region }: Config): boolean {
    return cloudFront && region !== 'us-east-1';
  }
}
