import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config } from '../config.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { settingPrefix } from './settings.ts';

/** What phases may do, by what it is for: the narrowest statements that IAM can express for these calls. */
export type Permission =
  | 'use the database'
  | 'read settings'
  | 'change settings'
  | 'read capacity'
  | 'change capacity'
  | 'replace nodes'
  | 'run one-off tasks'
  | 'read tasks'
  | 'build images'
  | 'read stores'
  | 'read target health'
  | 'change stickiness'
  | 'log in as administrator';

export function phasePermissions(
  platform: PlatformStack,
  config: Config,
): Readonly<Record<Permission, readonly PolicyStatement[]>> {
  const stack = Stack.of(platform);
  const cluster = platform.nodes.cluster;
  const services = [platform.web.service.serviceArn, platform.cron.service.serviceArn];
  const taskDefinitions = [platform.webTask.definition, platform.cronTask.definition];
  const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
  const revisionsOf = (family: string) =>
    stack.formatArn({ service: 'ecs', resource: 'task-definition', resourceName: `${family}:*` });
  const settings = stack.formatArn({
    service: 'ssm',
    resource: 'parameter',
    resourceName: `${settingPrefix(config.site).slice(1)}/*`,
  });
  // A service or a task that names roles: ECS starts its tasks with them.
  const passNodeRoles = allow(
    ['iam:PassRole'],
    taskDefinitions.flatMap((definition) => [definition.taskRole.roleArn, definition.obtainExecutionRole().roleArn]),
    { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
  );
  return {
    'use the database': [
      allow(['secretsmanager:GetSecretValue'], [platform.database.secret.secretArn]),
      ...(config.databaseDriver === 'data-api'
        ? [
            allow(
              [
                'rds-data:BeginTransaction',
                'rds-data:CommitTransaction',
                'rds-data:ExecuteStatement',
                'rds-data:RollbackTransaction',
              ],
              [platform.database.cluster.clusterArn],
            ),
          ]
        : []),
    ],
    'read settings': [allow(['ssm:GetParameter', 'ssm:GetParameters'], [settings])],
    'change settings': [allow(['ssm:PutParameter'], [settings])],
    'read capacity': [
      allow(['ecs:DescribeServices'], services),
      // Application Auto Scaling has no resource to name when it describes.
      allow(['application-autoscaling:DescribeScalableTargets'], ['*']),
    ],
    'change capacity': [
      allow(['ecs:UpdateService'], services),
      // The id of a scalable target is AWS's own; the conditions narrow it to the node count of ECS services.
      allow(
        ['application-autoscaling:RegisterScalableTarget'],
        [stack.formatArn({ service: 'application-autoscaling', resource: 'scalable-target', resourceName: '*' })],
        {
          StringEquals: {
            'application-autoscaling:service-namespace': 'ecs',
            'application-autoscaling:scalable-dimension': 'ecs:service:DesiredCount',
          },
        },
      ),
    ],
    'replace nodes': [
      // ECS has no resource to name when it registers or describes task definitions.
      allow(['ecs:RegisterTaskDefinition', 'ecs:DescribeTaskDefinition'], ['*']),
      passNodeRoles,
    ],
    'run one-off tasks': [
      allow(['ecs:RunTask'], [revisionsOf(platform.webTask.definition.family)], inCluster),
      passNodeRoles,
    ],
    'read tasks': [
      allow(
        ['ecs:DescribeTasks'],
        [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` })],
        inCluster,
      ),
      // Listing tasks is bound to a cluster by condition; on Fargate there is no resource to name.
      allow(['ecs:ListTasks'], ['*'], inCluster),
    ],
    'build images': [
      allow(['ecr:DescribeImages'], [platform.imageBuild.repository.repositoryArn]),
      allow(['codebuild:StartBuild', 'codebuild:BatchGetBuilds'], [platform.imageBuild.project.projectArn]),
    ],
    'read stores': [
      allow(
        [
          platform.sessionStore.type === 'redis'
            ? 'elasticache:DescribeReplicationGroups'
            : 'elasticache:DescribeCacheClusters',
        ],
        [platform.sessionStore.arn],
      ),
      allow(['elasticache:DescribeReplicationGroups'], [platform.applicationStore.arn]),
    ],
    'read target health': [
      // Elastic Load Balancing has no resource to name when it describes.
      allow(['elasticloadbalancing:DescribeTargetHealth', 'elasticloadbalancing:DescribeTargetGroupAttributes'], ['*']),
    ],
    'change stickiness': [
      allow(['elasticloadbalancing:ModifyTargetGroupAttributes'], [platform.loadBalancer.targetGroup.targetGroupArn]),
    ],
    'log in as administrator': [
      allow(['secretsmanager:GetSecretValue'], [platform.siteSecrets.administrator.secretArn]),
    ],
  };
}

function allow(actions: string[], resources: string[], conditions?: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({ actions, resources, ...(conditions && { conditions }) });
}
