import { Stack } from 'aws-cdk-lib';
import { EventField, Rule } from 'aws-cdk-lib/aws-events';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { LifecycleStateMachine } from '../lifecycle-state-machine.ts';
import { publishLines } from './publish-lines.ts';

export interface RolloutNoticesProps {
  readonly site: string;
  readonly rollouts: readonly LifecycleStateMachine[];
  readonly topic: sns.ITopic;
}

interface Notice {
  readonly detail: Readonly<Record<string, readonly string[]>>;
  /** What happened, after “the rollout … ”. */
  readonly title: string;
  readonly cause: string;
  readonly section: string;
}

/**
 * Errors that end an execution past its catchers, so that it could not tell itself: `States.ALL` does not catch the
 * first two, and a Choice has no catcher. All other failures are told by the rollout, whose message has more to say.
 */
export const untoldErrors = ['States.Runtime', 'States.DataLimitExceeded', 'States.NoChoiceMatched'];

const notices: Readonly<Record<string, Notice>> = {
  Stopped: {
    detail: { status: ['ABORTED'] },
    title: 'was stopped by hand',
    cause: 'somebody ended it where it was. Nothing was put back, and it still holds the site.',
    section: 'a-rollout-was-stopped-by-hand',
  },
  TimedOut: {
    detail: { status: ['TIMED_OUT'] },
    title: 'took longer than its state machine allows',
    cause: 'Step Functions ended it where it was. Nothing was put back, and it still holds the site.',
    section: 'the-site-is-held-by-a-rollout-that-is-gone',
  },
  FailedUntold: {
    detail: { status: ['FAILED'], error: untoldErrors },
    title: 'failed without putting anything back',
    cause: 'Step Functions could not go on with its data. It still holds the site.',
    section: 'statesruntime-statesdatalimitexceeded-statesnochoicematched',
  },
};

/**
 * Tells of the ends that no state of a rollout sees: stopped by hand, out of time as a whole, or broken off by Step
 * Functions. The words of Step Functions itself are not in the message but behind a command, because they may hold
 * anything.
 */
export class RolloutNotices extends Construct {
  constructor(scope: Construct, id: string, { site, rollouts, topic }: RolloutNoticesProps) {
    super(scope, id);
    const machines = rollouts.map(({ stateMachine }) => stateMachine.stateMachineArn);
    for (const [name, notice] of Object.entries(notices)) {
      new Rule(this, name, {
        description: `A rollout of ${site} ${notice.title}`,
        eventPattern: {
          source: ['aws.states'],
          detailType: ['Step Functions Execution Status Change'],
          detail: { stateMachineArn: machines, ...notice.detail },
        },
        targets: [publishLines(topic, words(site, Stack.of(this).region, notice))],
      });
    }
  }
}

function words(site: string, region: string, { title, cause, section }: Notice): readonly string[] {
  const execution = EventField.fromPath('$.detail.executionArn');
  const stateMachine = EventField.fromPath('$.detail.stateMachineArn');
  const aws = (command: string) => `aws stepfunctions ${command} --region ${region}`;
  return [
    `Moodle site ${site}: the rollout ${EventField.fromPath('$.detail.name')} ${title}`,
    `Cause: ${cause}`,
    `In the words of Step Functions: ${aws('describe-execution')} --execution-arn ${execution} --query '[error,cause]' --output text`,
    `Next: start it again; it takes the site over and goes on, or puts back: ${aws('start-execution')} --state-machine-arn ${stateMachine} --input '{}'`,
    `Console: https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${execution}`,
    `Runbook: docs/runbook.md#${section}`,
  ];
}
