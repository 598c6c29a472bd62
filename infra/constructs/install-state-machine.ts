import { readFileSync } from 'node:fs';
import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { logGroup } from './logs.ts';
import { type PhaseFunctions, pascalCase } from './phase-functions.ts';

const definitionFile = new URL('../../statemachines/install.asl.json', import.meta.url);

export interface InstallStateMachineProps {
  readonly config: Config;
  readonly functions: PhaseFunctions;
  readonly topic: sns.ITopic;
}

/** The rollout `install`. Its definition is written by hand, so everything that it may do is granted here. */
export class InstallStateMachine extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { config, functions, topic }: InstallStateMachineProps) {
    super(scope, id);
    const arns = [...functions.byName].map(([name, phase]) => [
      `${pascalCase(name)}FunctionArn`,
      phase.function.functionArn,
    ]);
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineType: sfn.StateMachineType.STANDARD,
      definitionBody: sfn.DefinitionBody.fromString(readFileSync(definitionFile, 'utf8')),
      definitionSubstitutions: {
        Site: config.site,
        NotificationTopicArn: topic.topicArn,
        ...Object.fromEntries(arns),
      },
      logs: {
        destination: logGroup(this, 'Logs', config.logRetentionDays),
        level: sfn.LogLevel.ALL,
        // Input and output stay in the execution's history, where access is granted per state machine: they hold the
        // administrator's address, and a log outlives them.
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    for (const phase of functions.byName.values()) phase.function.grantInvoke(this.stateMachine);
    topic.grantPublish(this.stateMachine);
    this.#letRolloutsBeTakenOver(functions);
  }

  /**
   * A hold is taken over only from an execution that is no longer running, so the function that holds the site asks.
   * A policy of its own: the role's would make the state machine wait for the function and the function for it.
   */
  #letRolloutsBeTakenOver(functions: PhaseFunctions): void {
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${this.stateMachine.stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    new iam.Policy(this, 'ReadExecutions', {
      roles: [functions.of('check-site').role],
      statements: [new iam.PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] })],
    });
  }
}
