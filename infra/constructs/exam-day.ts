import { Duration, TimeZone } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { FunctionBundles } from '../function-bundles.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { phaseEnvironment } from './phase-environment.ts';
import { PhaseFunction } from './phase-function.ts';
import { phasePermissions } from './phase-permissions.ts';

export interface ExamDayProps {
  readonly platform: PlatformStack;
  readonly config: Config;
  readonly bundles: FunctionBundles;
}

/** Two schedules, and what they call: more nodes from the one to the other. Nothing where there is no exam day. */
export class ExamDay extends Construct {
  constructor(scope: Construct, id: string, { platform, config, bundles }: ExamDayProps) {
    super(scope, id);
    const { examDayStart, examDayEnd, examDayNodes } = config;
    if (examDayStart === undefined || examDayEnd === undefined) return;
    const { SITE, CLUSTER_ARN, WEB_SERVICE_NAME, PARAMETER_PREFIX } = phaseEnvironment(platform, config);
    const may = phasePermissions(platform, config);
    const { function: change } = new PhaseFunction(this, 'ScheduleNodes', {
      description: 'Begins and ends an exam day',
      codeFolder: bundles.folderOf('schedule-nodes'),
      timeoutSeconds: 60,
      environment: { SITE, CLUSTER_ARN, WEB_SERVICE_NAME, PARAMETER_PREFIX },
      permissions: [
        ...may['read settings'],
        ...may['change settings'],
        ...may['read scaling'],
        ...may['change scaling'],
      ],
      logRetentionDays: config.logRetentionDays,
    });
    schedule(this, 'Start', examDayStart, change, { site: config.site, nodes: examDayNodes }, config);
    schedule(this, 'End', examDayEnd, change, { site: config.site, nodes: 0 }, config);
  }
}

function schedule(
  scope: Construct,
  id: string,
  cron: string,
  target: lambda.IFunction,
  input: { readonly site: string; readonly nodes: number },
  { site, timeZone }: Config,
): void {
  new scheduler.Schedule(scope, id, {
    description: `${id} of the exam day of ${site}`,
    schedule: scheduler.ScheduleExpression.expression(cron, TimeZone.of(timeZone)),
    target: new LambdaInvoke(target, {
      input: scheduler.ScheduleTargetInput.fromObject({ ...input, execution: `exam day ${id.toLowerCase()}` }),
      // An exam that began an hour ago is served by automatic scaling.
      maxEventAge: Duration.hours(1),
      retryAttempts: 60,
    }),
  });
}
