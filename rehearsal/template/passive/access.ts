import { arn } from '../../world.ts';
import { ec2Id, type PassiveType } from './passive-type.ts';

/** Resource-based policies and keys: the rehearsal asks identity-based policies only, and encrypts nothing. */
export const accessTypes: readonly PassiveType[] = [
  {
    type: 'AWS::Lambda::Permission',
    properties: ['Action', 'FunctionName', 'Principal', 'SourceAccount', 'SourceArn'],
    attributes: (_resource, _world, ref) => ({ Id: ref }),
  },
  { type: 'AWS::SNS::TopicPolicy', properties: ['PolicyDocument', 'Topics'] },
  // No password changes here by itself.
  {
    type: 'AWS::SecretsManager::RotationSchedule',
    properties: ['HostedRotationLambda', 'RotateImmediatelyOnUpdate', 'RotationRules', 'SecretId'],
  },
  { type: 'AWS::SecretsManager::ResourcePolicy', properties: ['BlockPublicPolicy', 'ResourcePolicy', 'SecretId'] },
  { type: 'AWS::S3::BucketPolicy', properties: ['Bucket', 'PolicyDocument'] },
  // Empties a bucket when its stack goes; a rehearsal's go with its folder.
  { type: 'Custom::S3AutoDeleteObjects', properties: ['BucketName', 'ServiceToken'] },
  // Works when the platform goes, and a rehearsal's goes with its folder.
  { type: 'Custom::Leftovers', properties: ['ServiceToken'] },
  {
    type: 'AWS::KMS::Key',
    properties: [
      'Description',
      'EnableKeyRotation',
      'Enabled',
      'KeyPolicy',
      'KeySpec',
      'KeyUsage',
      'PendingWindowInDays',
      'Tags',
    ],
    ref: ec2Id('key'),
    attributes: (_, world, ref) => ({ Arn: arn(world, 'kms', `key/${ref}`), KeyId: ref }),
  },
  { type: 'AWS::KMS::Alias', properties: ['AliasName', 'TargetKeyId'], ref: ({ properties }) => properties.AliasName },
];
