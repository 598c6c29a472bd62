import { arn } from '../../world.ts';
import { physicalName } from '../physical-name.ts';
import type { PassiveType } from './passive-type.ts';

/** Logs, alarms and rules: a rehearsal writes its logs to files, and nothing watches it but the person at the terminal. */
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
    type: 'AWS::CloudWatch::Alarm',
    properties: [
      'ActionsEnabled',
      'AlarmActions',
      'AlarmDescription',
      'AlarmName',
      'ComparisonOperator',
      'DatapointsToAlarm',
      'Dimensions',
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
    type: 'AWS::RDS::EventSubscription',
    properties: ['Enabled', 'EventCategories', 'SnsTopicArn', 'SourceIds', 'SourceType', 'Tags'],
  },
  { type: 'AWS::CloudWatch::Dashboard', properties: ['DashboardBody', 'DashboardName'] },
  { type: 'AWS::CDK::Metadata', properties: ['Analytics'] },
];
