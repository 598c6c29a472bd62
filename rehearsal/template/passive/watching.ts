import { arn } from '../../world.ts';
import { physicalName } from '../physical-name.ts';
import type { PassiveType } from './passive-type.ts';

/** Logs and alarms: a rehearsal writes its logs to files, and nothing watches it but the person at the terminal. */
export const watchingTypes: readonly PassiveType[] = [
  {
    type: 'AWS::Logs::LogGroup',
    properties: ['KmsKeyId', 'LogGroupClass', 'LogGroupName', 'RetentionInDays', 'Tags'],
    ref: (resource, world) => resource.properties.LogGroupName ?? physicalName(world, resource),
    attributes: (_, world, ref) => ({ Arn: arn(world, 'logs', `log-group:${ref}:*`) }),
  },
  { type: 'AWS::Logs::ResourcePolicy', properties: ['PolicyDocument', 'PolicyName'] },
  {
    type: 'AWS::Logs::MetricFilter',
    properties: ['FilterName', 'FilterPattern', 'LogGroupName', 'MetricTransformations'],
  },
  {
    type: 'AWS::Logs::QueryDefinition',
    properties: ['LogGroupNames', 'Name', 'QueryLanguage', 'QueryString'],
    attributes: (_resource, _world, ref) => ({ QueryDefinitionId: ref }),
  },
  {
    type: 'AWS::CloudWatch::Alarm',
    properties: [
      'ActionsEnabled',
      'AlarmActions',
      'AlarmDescription',
      'AlarmName',
      'ComparisonOperator',
      'DatapointsToAlarm',
      'Dimensions',
      'EvaluateLowSampleCountPercentile',
      'EvaluationPeriods',
      'ExtendedStatistic',
      'InsufficientDataActions',
      'MetricName',
      'Metrics',
      'Namespace',
      'OKActions',
      'Period',
      'Statistic',
      'Tags',
      'Threshold',
      'TreatMissingData',
      'Unit',
    ],
    attributes: (_, world, ref) => ({ Arn: arn(world, 'cloudwatch', `alarm:${ref}`) }),
  },
  {
    type: 'AWS::CloudWatch::CompositeAlarm',
    properties: [
      'ActionsEnabled',
      'ActionsSuppressor',
      'ActionsSuppressorExtensionPeriod',
      'ActionsSuppressorWaitPeriod',
      'AlarmActions',
      'AlarmDescription',
      'AlarmName',
      'AlarmRule',
      'InsufficientDataActions',
      'OKActions',
      'Tags',
    ],
    attributes: (_, world, ref) => ({ Arn: arn(world, 'cloudwatch', `alarm:${ref}`) }),
  },
  {
    type: 'AWS::CloudTrail::Trail',
    properties: [
      'CloudWatchLogsLogGroupArn',
      'CloudWatchLogsRoleArn',
      'EnableLogFileValidation',
      'EventSelectors',
      'IncludeGlobalServiceEvents',
      'IsLogging',
      'IsMultiRegionTrail',
      'KMSKeyId',
      'S3BucketName',
      'S3KeyPrefix',
      'Tags',
    ],
    attributes: (_, world, ref) => ({ Arn: arn(world, 'cloudtrail', `trail/${ref}`) }),
  },
  // Kept for people to read; nothing here reads or writes one.
  {
    type: 'AWS::SQS::Queue',
    properties: ['KmsMasterKeyId', 'MessageRetentionPeriod', 'QueueName', 'SqsManagedSseEnabled', 'Tags'],
    ref: (resource, world) =>
      `https://sqs.${world.region}.amazonaws.com/${world.account}/${physicalName(world, resource, 80)}`,
    attributes: (resource, world, ref) => ({
      Arn: arn(world, 'sqs', physicalName(world, resource, 80)),
      QueueName: physicalName(world, resource, 80),
      QueueUrl: ref,
    }),
  },
  { type: 'AWS::SQS::QueuePolicy', properties: ['PolicyDocument', 'Queues'] },
  {
    type: 'AWS::RDS::EventSubscription',
    properties: ['Enabled', 'EventCategories', 'SnsTopicArn', 'SourceIds', 'SourceType', 'Tags'],
  },
  { type: 'AWS::CloudWatch::Dashboard', properties: ['DashboardBody', 'DashboardName'] },
  { type: 'AWS::CDK::Metadata', properties: ['Analytics'] },
];
