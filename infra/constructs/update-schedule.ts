import { Duration, TimeZone } from 'aws-cdk-lib';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';

export interface UpdateScheduleProps {
  readonly config: Config;
  readonly target: sfn.IStateMachine;
}

/**
 * Starts plugin updates by the clock; nothing where the options say `off`. EventBridge may start one twice: the site's
 * hold then refuses the second.
 */
export class UpdateSchedule extends Construct {
  constructor(scope: Construct, id: string, { config, target }: UpdateScheduleProps) {
    super(scope, id);
    const { site, timeZone, updateSchedule, updateWindowMinutes } = config;
    if (updateSchedule === 'off') return;
    const notStarted = new sqs.Queue(this, 'NotStarted', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    acknowledge(notStarted, 'AwsSolutions-SQS3', 'It is itself where the starts go that failed.');
    new scheduler.Schedule(this, 'Schedule', {
      description: `Plugin updates of ${site}`,
      schedule: scheduler.ScheduleExpression.expression(updateSchedule, TimeZone.of(timeZone)),
      ...(updateWindowMinutes > 0 && {
        timeWindow: scheduler.TimeWindow.flexible(Duration.minutes(updateWindowMinutes)),
      }),
      target: new StepFunctionsStartExecution(target, {
        input: scheduler.ScheduleTargetInput.fromObject({
          what: config.updateWhat.split(','),
          maximumRisk: config.updateMaximumRisk,
          approval: config.updateApproval,
          reason: 'scheduled plugin update',
        }),
        deadLetterQueue: notStarted,
        // After that it would meet the day's users; the next one is not far.
        maxEventAge: Duration.hours(2),
        retryAttempts: 20,
      }),
    });
  }
}
