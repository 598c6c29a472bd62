import { Stack } from 'aws-cdk-lib';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { acknowledgeFindings } from '../../acknowledge.ts';

export interface InsightsRetentionProps {
  readonly cluster: ecs.ICluster;
  readonly retentionDays: number;
}

/**
 * Lets the log of Container Insights expire. ECS makes that group when it first measures, under a name that has the
 * cluster's in it, so that no stack can make it in time. EventBridge Scheduler sets its retention once a day, without a
 * function in between; on a day on which there is no such group the call fails, and nothing is lost.
 */
export class InsightsRetention extends Construct {
  constructor(scope: Construct, id: string, { cluster, retentionDays }: InsightsRetentionProps) {
    super(scope, id);
    const { account } = Stack.of(this);
    const logGroupName = `/aws/ecs/containerinsights/${cluster.clusterName}/performance`;
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    });
    // CloudWatch Logs matches a group by an ARN that ends in :* for all actions but those of tags.
    role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:PutRetentionPolicy'],
        resources: [Stack.of(this).formatArn({ service: 'logs', resource: `log-group:${logGroupName}:*` })],
      }),
    );
    acknowledgeFindings(
      role,
      'AwsSolutions-IAM5',
      /^Resource::arn:aws:logs:.*:log-group:\/aws\/ecs\/containerinsights\/.*\/performance:\*$/,
      'One log group, as CloudWatch Logs names it.',
    );
    new scheduler.CfnSchedule(this, 'Schedule', {
      description: 'Lets the log of Container Insights expire',
      scheduleExpression: 'rate(1 day)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: `arn:${Stack.of(this).partition}:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy`,
        roleArn: role.roleArn,
        input: JSON.stringify({ LogGroupName: logGroupName, RetentionInDays: retentionDays }),
        retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: 3600 },
      },
    });
  }
}
