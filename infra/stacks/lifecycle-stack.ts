import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { InstallStateMachine } from '../constructs/install-state-machine.ts';
import { Notifications } from '../constructs/notifications.ts';
import { PhaseFunctions } from '../constructs/phase-functions.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import { MoodleStack } from './moodle-stack.ts';
import { lifecycleOutputs } from './outputs.ts';
import type { PlatformStack } from './platform-stack.ts';

/** What takes the site through its life: rollouts, their phases, and who is told. */
export class LifecycleStack extends MoodleStack {
  readonly functions: PhaseFunctions;
  readonly notifications: Notifications;
  readonly install: InstallStateMachine;

  constructor(scope: Construct, config: Config, platform: PlatformStack, bundles: FunctionBundles) {
    super(scope, 'Lifecycle', config, { description: `Moodle ${config.site}: rollouts` });
    this.notifications = new Notifications(this, 'Notifications', { email: config.notificationEmail });
    this.functions = new PhaseFunctions(this, 'Phases', { platform, config, bundles });
    this.install = new InstallStateMachine(this, 'Install', {
      config,
      functions: this.functions,
      topic: this.notifications.topic,
    });
    lifecycleOutputs(this);
  }
}
