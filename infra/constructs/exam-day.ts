import { Aws, Duration, TimeZone } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { acknowledgeFindings } from '../acknowledge.ts';
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
  /** What the schedules call; absent where there is no exam day. */
  readonly function: lambda.IFunction | undefined;

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
    this.function = change as lambda.IFunction;
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    });
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::<ExamDayScheduleNodesFunction\w+\.Arn>:\*$/,
      'The versions of one function, which has none.',
    );
    const call = (name: string, cron: string, nodes: number) =>
      new scheduler.Schedule(this, name, {
        description: `${name} of the exam day of ${config.site}`,
        schedule: scheduler.ScheduleExpression.expression(cron, TimeZone.of(config.timeZone)),
        target: new LambdaInvoke(change, {
          role,
          input: scheduler.ScheduleTargetInput.fromObject({
            site: config.site,
            execution: `exam day ${name.toLowerCase()}`,
            nodes,
          }),
          // An exam that began an hour ago is served by automatic scaling.
          maxEventAge: Duration.hours(1),
          retryAttempts: 60,
        }),
      });
    call('Start', examDayStart, examDayNodes);
    call('End', examDayEnd, 0);
  }
}
