import { readFileSync } from 'node:fs';
import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeFindings } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { logGroup } from './logs.ts';
import { type PhaseFunctions, type PhaseName, pascalCase } from './phase-functions.ts';

export interface LifecycleStateMachineProps {
  /** Name of the definition, `statemachines/<name>.asl.json`, and what operators call it. */
  readonly name: 'install' | 'plugin-update' | 'hold';
  readonly config: Config;
  readonly functions: PhaseFunctions;
  readonly topic: sns.ITopic;
}

/** Tags by which `npx lifecycle` finds the state machines of a site: their own names are made by CloudFormation. */
export const siteTag = 'moodle-lifecycle:site';
export const nameTag = 'moodle-lifecycle:name';

/** A state machine of `statemachines/`. Its definition is written by hand, so everything that it may do is granted here. */
export class LifecycleStateMachine extends Construct {
  readonly name: LifecycleStateMachineProps['name'];
  readonly stateMachine: sfn.StateMachine;
  readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, { name, config, functions, topic }: LifecycleStateMachineProps) {
    super(scope, id);
    this.name = name;
    this.logGroup = logGroup(this, 'Logs', config.logRetentionDays);
    const definition = readFileSync(new URL(`../../statemachines/${name}.asl.json`, import.meta.url), 'utf8');
    const called = [...functions.byName].filter(([phase]) => definition.includes(placeholder(phase)));
    const notifies = definition.includes('${NotificationTopicArn}');
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody: sfn.DefinitionBody.fromString(definition),
      definitionSubstitutions: {
        Site: config.site,
        ...(notifies ? { NotificationTopicArn: topic.topicArn } : {}),
        ...Object.fromEntries(
          called.map(([phase, { function: lambda }]) => [placeholder(phase).slice(2, -1), lambda.functionArn]),
        ),
      },
      logs: {
        destination: this.logGroup,
        level: sfn.LogLevel.ALL,
        // Input and output stay in the execution's history, where access is granted per state machine: they hold the
        // administrator's address, and a log outlives them.
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    const alone = { includeResourceTypes: [sfn.CfnStateMachine.CFN_RESOURCE_TYPE_NAME] };
    Tags.of(this.stateMachine).add(siteTag, config.site, alone);
    Tags.of(this.stateMachine).add(nameTag, name, alone);
    // Written out: CDK's own grant would also let every version and alias be invoked.
    this.stateMachine.addToRolePolicy(
      new iam.PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: called.map(([, { function: lambda }]) => lambda.functionArn),
      }),
    );
    if (notifies) topic.grantPublish(this.stateMachine);
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^(Resource::\*|Action::kms:GenerateDataKey\*)$/,
      "Delivering logs and traces: IAM knows no resource for these actions; and publishing with the topic's own key.",
    );
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Action::kms:GenerateDataKey\*$/,
      "Publishing to the encrypted topic: CDK's own grant, on that key alone.",
    );
  }

  /**
   * Lets functions ask whether an execution of these state machines still runs, before they take over its hold.
   * A policy of its own: the role's would make the state machine wait for the function and the function for it.
   */
  static letRead(
    scope: Construct,
    machines: readonly LifecycleStateMachine[],
    functions: PhaseFunctions,
    readers: readonly PhaseName[],
  ): void {
    const executions = machines.map(({ stateMachine }) =>
      Stack.of(scope).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: `${stateMachine.stateMachineName}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    const policy = new iam.Policy(scope, 'ReadExecutions', {
      roles: readers.map((reader) => functions.of(reader).role),
      statements: [new iam.PolicyStatement({ actions: ['states:DescribeExecution'], resources: executions })],
    });
    acknowledgeFindings(
      policy,
      'AwsSolutions-IAM5',
      /^Resource::arn:aws:states:.*:execution:.*:\*$/,
      "Executions of the site's own state machines: their names are made when they start.",
    );
  }
}

/** `check-site` is `${CheckSiteFunctionArn}` in a definition. */
function placeholder(phase: PhaseName): string {
  return `\${${pascalCase(phase)}FunctionArn}`;
}
