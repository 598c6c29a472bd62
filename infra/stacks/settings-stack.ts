import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { Settings } from '../constructs/settings.ts';
import { MoodleStack } from './moodle-stack.ts';

/** What rollouts change: a stack of its own, because the others read the values when they are deployed. */
export class SettingsStack extends MoodleStack {
  constructor(scope: Construct, config: Config) {
    super(scope, 'Settings', config, { description: `Moodle ${config.site}: settings that rollouts change` });
    new Settings(this, 'Settings', { site: config.site });
  }
}
