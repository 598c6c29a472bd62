import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { ExamDay } from '../constructs/exam-day.ts';
import { LifecycleStateMachine } from '../constructs/lifecycle-state-machine.ts';
import { PhaseFunctions } from '../constructs/phase-functions.ts';
import { UpdateSchedule } from '../constructs/update-schedule.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import { MoodleStack } from './moodle-stack.ts';
import { lifecycleOutputs } from './outputs.ts';
import type { PlatformStack } from './platform-stack.ts';

/** What takes the site through its life: rollouts and their phases. */
export class LifecycleStack extends MoodleStack {
  readonly functions: PhaseFunctions;
  readonly examDay: ExamDay;
  readonly install: LifecycleStateMachine;
  readonly pluginUpdate: LifecycleStateMachine;
  readonly hold: LifecycleStateMachine;

  constructor(scope: Construct, config: Config, platform: PlatformStack, bundles: FunctionBundles) {
    super(scope, 'Lifecycle', config, { description: `Moodle ${config.site}: rollouts` });
    this.functions = new PhaseFunctions(this, 'Phases', { platform, config, bundles });
    const parts = { config, functions: this.functions, topic: platform.notifications.topic };
    this.install = new LifecycleStateMachine(this, 'Install', { name: 'install', ...parts });
    this.pluginUpdate = new LifecycleStateMachine(this, 'PluginUpdate', { name: 'plugin-update', ...parts });
    this.hold = new LifecycleStateMachine(this, 'Hold', { name: 'hold', ...parts });
    LifecycleStateMachine.letRead(this, this.rollouts, this.functions, [
      'check-site',
      'check-site-for-update',
      'operator-hold',
    ]);
    new UpdateSchedule(this, 'UpdateSchedule', { config, target: this.pluginUpdate.stateMachine });
    this.examDay = new ExamDay(this, 'ExamDay', { platform, config, bundles });
    lifecycleOutputs(this);
  }

  /** What the operator follows. A person's hold is over within a second. */
  get rollouts(): readonly LifecycleStateMachine[] {
    return [this.install, this.pluginUpdate];
  }
}
