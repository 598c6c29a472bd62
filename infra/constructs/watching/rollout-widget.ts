import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledgeFindings } from '../../acknowledge.ts';
import type { Config } from '../../config.ts';
import type { FunctionBundles } from '../../function-bundles.ts';
import type { LifecycleStateMachine } from '../lifecycle-state-machine.ts';
import { PhaseFunction } from '../phase-function.ts';

export interface RolloutWidgetProps {
  readonly config: Config;
  readonly rollouts: readonly LifecycleStateMachine[];
  readonly bundles: FunctionBundles;
}

/**
 * The function that draws the rollouts on the dashboard. It reads executions and nothing else, and only those of this
 * site: what a viewer gives it decides over nothing. CloudWatch calls it with the viewer's own permissions.
 */
export class RolloutWidget extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, { config, rollouts, bundles }: RolloutWidgetProps) {
    super(scope, id);
    const machines = rollouts.map(({ stateMachine }) => stateMachine);
    const executions = machines.map(({ stateMachineName }) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${stateMachineName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    this.function = new PhaseFunction(this, 'Widget', {
      description: `Draws the rollouts of ${config.site} on the dashboard`,
      codeFolder: bundles.folderOf('show-rollouts'),
      timeoutSeconds: 20,
      environment: {
        SITE: config.site,
        ROLLOUTS: JSON.stringify(
          Object.fromEntries(rollouts.map(({ name, stateMachine }) => [name, stateMachine.stateMachineArn])),
        ),
      },
      permissions: [
        new iam.PolicyStatement({
          actions: ['states:ListExecutions'],
          resources: machines.map(({ stateMachineArn }) => stateMachineArn),
        }),
        new iam.PolicyStatement({
          actions: [
            'states:DescribeExecution',
            'states:DescribeStateMachineForExecution',
            'states:GetExecutionHistory',
          ],
          resources: executions,
        }),
      ],
      logRetentionDays: config.logRetentionDays,
    }).function;
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::arn:aws:states:.*:execution:/,
      "Executions of the site's own state machines: Step Functions and people choose their names.",
    );
  }
}
