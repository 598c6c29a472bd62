import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeFindings } from '../acknowledge.ts';
import { logGroup } from './logs.ts';

export interface PhaseFunctionProps {
  readonly description: string;
  readonly codeFolder: string;
  readonly timeoutSeconds: number;
  readonly environment: Record<string, string>;
  readonly permissions: readonly iam.PolicyStatement[];
  readonly logRetentionDays: number;
  /** Absent: the function runs outside the site's network. */
  readonly network?: Pick<lambda.FunctionProps, 'vpc' | 'vpcSubnets' | 'securityGroups'>;
}

/** One function of a phase, with a role and a log group of its own. */
export class PhaseFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: PhaseFunctionProps) {
    super(scope, id);
    const logs = logGroup(this, 'Logs', props.logRetentionDays);
    // CDK's own role would let the function write to every log group of the account.
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logs.grantWrite(this.role);
    for (const statement of props.permissions) this.role.addToPolicy(statement);
    if (props.network) this.role.addToPolicy(networkInterfaces());
    this.function = new lambda.Function(this, 'Function', {
      description: props.description,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      code: lambda.Code.fromAsset(props.codeFolder),
      handler: 'index.handler',
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: 512,
      environment: { ...props.environment, NODE_OPTIONS: '--enable-source-maps' },
      role: this.role,
      logGroup: logs,
      tracing: lambda.Tracing.ACTIVE,
      ...props.network,
    });
    acknowledge(
      this,
      'NIST.800.53.R5-LambdaDLQ',
      'Step Functions calls it and waits for its answer: no event to lose.',
    );
    acknowledge(
      this,
      'NIST.800.53.R5-LambdaConcurrency',
      'A rollout calls one function at a time; concurrency set aside for it would be taken from the whole account.',
    );
    acknowledge(
      this,
      'NIST.800.53.R5-LambdaInsideVPC',
      "It calls AWS's APIs alone, signed and over TLS; it stands in the network where it has to reach the database there.",
    );
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::\*$/,
      'Actions that IAM knows no resource for: X-Ray, Describe and List calls, network interfaces. Conditions narrow them.',
    );
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::arn:aws:rds:.*:(cluster|db|snapshot|cluster-snapshot|subgrp|pg|cluster-pg|og):(moodle-[a-z0-9-]+-)?\*$/,
      "What a restored database is made of and called: RDS's names follow the rollout; conditions on tags narrow what they can.",
    );
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^(Action::kms:GenerateDataKey\*|Resource::.*\/manifests\/\*)$/,
      "Publishing with the topic's key; and the manifests of images, each under its tag.",
    );
    acknowledgeFindings(
      this,
      'AwsSolutions-IAM5',
      /^Resource::arn:aws:(ssm:.*:parameter\/moodle\/|ecs:.*:task(-definition)?\/|application-autoscaling:.*:scalable-target\/)/,
      "The site's own settings, tasks of its cluster, revisions of its families: AWS chooses what follows.",
    );
  }
}

/** Lambda makes a function's network interfaces with the function's role; EC2 can be narrowed no further here. */
function networkInterfaces(): iam.PolicyStatement {
  return new iam.PolicyStatement({
    actions: [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ],
    resources: ['*'],
  });
}
