import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Config } from '../config.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { databaseCopyPermissions } from './database-copy-permissions.ts';
import { settingPrefix } from './settings.ts';

/** What phases may do, by what it is for: the narrowest statements that IAM can express for these calls. */
export type Permission = keyof ReturnType<typeof phasePermissions>;

export function phasePermissions(platform: PlatformStack, config: Config) {
  const stack = Stack.of(platform);
  const cluster = platform.nodes.cluster;
  const services = [platform.web.service.serviceArn, platform.cron.service.serviceArn];
  const taskDefinitions = [platform.webTask.definition, platform.cronTask.definition];
  const targetGroup = platform.loadBalancer.targetGroup.targetGroupArn;
  const inCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
  const revisionsOf = (family: string) =>
    stack.formatArn({ service: 'ecs', resource: 'task-definition', resourceName: `${family}:*` });
  const settings = stack.formatArn({
    service: 'ssm',
    resource: 'parameter',
    resourceName: `${settingPrefix(config.site).slice(1)}/*`,
  });
  const manifests = platform.imageBuild.manifests.arnForObjects('manifests/*');
  // Whoever has ECS start a task hands it the roles of its task definition.
  const passNodeRoles = allow(
    ['iam:PassRole'],
    taskDefinitions.flatMap((definition) => [definition.taskRole.roleArn, definition.obtainExecutionRole().roleArn]),
    { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
  );
  return {
    'use the database': [
      allow(['secretsmanager:GetSecretValue'], [platform.database.secret.secretArn]),
      ...(config.databaseAccess === 'data-api' ? [allow(dataApi, [platform.database.arn])] : []),
    ],
    'read settings': [allow(['ssm:GetParameters'], [settings])],
    'change settings': [allow(['ssm:PutParameter'], [settings])],
    'read services': [allow(['ecs:DescribeServices'], services)],
    'change services': [allow(['ecs:UpdateService'], services), passNodeRoles],
    'register task definitions': [
      allow(
        ['ecs:RegisterTaskDefinition'],
        taskDefinitions.map(({ family }) => revisionsOf(family)),
      ),
      // ECS has no resource to name when it describes a task definition.
      allow(['ecs:DescribeTaskDefinition'], ['*']),
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
    ],
    // Bound to the cluster by condition: on Fargate there is no container instance to name.
    'list tasks': [allow(['ecs:ListTasks'], ['*'], inCluster)],
    // Application Auto Scaling has no resource to name when it describes.
    'read scaling': [allow(['application-autoscaling:DescribeScalableTargets'], ['*'])],
    // Application Auto Scaling asks ECS with the rights of whoever registers the target.
    'change scaling': [
      allow(['ecs:DescribeServices', 'ecs:UpdateService'], [platform.web.service.serviceArn]),
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
    'build images': [
      allow(['ecr:DescribeImages', 'ecr:DescribeImageScanFindings'], [platform.imageBuild.repository.repositoryArn]),
      allow(['codebuild:StartBuild', 'codebuild:BatchGetBuilds'], [platform.imageBuild.project.projectArn]),
      allow(['logs:GetLogEvents'], [platform.imageBuild.logs.logGroupArn]),
    ],
    'remove images': [
      allow(['ecr:BatchDeleteImage', 'ecr:DescribeImages'], [platform.imageBuild.repository.repositoryArn]),
    ],
    'read manifests': [
      allow(['s3:GetObject'], [manifests]),
      // Without it S3 answers that a manifest which is not there may not be read.
      allow(['s3:ListBucket'], [platform.imageBuild.manifests.bucketArn]),
    ],
    'write manifests': [allow(['s3:PutObject'], [manifests])],
    'stop tasks': [
      allow(
        ['ecs:StopTask'],
        [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` })],
        inCluster,
      ),
    ],
    'notify the operator': [
      allow(['sns:Publish'], [platform.notifications.topic.topicArn]),
      allow(['kms:Decrypt', 'kms:GenerateDataKey*'], [platform.watchingKey.key.keyArn]),
    ],
    ...databaseCopyPermissions(platform, config),
    'read stores': [
      allow([platform.sessionStore.describe], [platform.sessionStore.arn]),
      allow([platform.applicationStore.describe], [platform.applicationStore.arn]),
    ],
    // Elastic Load Balancing has no resource to name when it describes.
    'read target health': [allow(['elasticloadbalancing:DescribeTargetHealth'], ['*'])],
    'read stickiness': [allow(['elasticloadbalancing:DescribeTargetGroupAttributes'], ['*'])],
    'change stickiness': [allow(['elasticloadbalancing:ModifyTargetGroupAttributes'], [targetGroup])],
    'log in as administrator': [
      allow(['secretsmanager:GetSecretValue'], [platform.siteSecrets.administrator.secretArn]),
    ],
  } as const satisfies Readonly<Record<string, readonly PolicyStatement[]>>;
}

const dataApi = [
  'rds-data:BeginTransaction',
  'rds-data:CommitTransaction',
  'rds-data:ExecuteStatement',
  'rds-data:RollbackTransaction',
];

function allow(actions: string[], resources: string[], conditions?: Record<string, unknown>): PolicyStatement {
  return new PolicyStatement({ actions, resources, ...(conditions && { conditions }) });
}
