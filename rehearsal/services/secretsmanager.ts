import { AwsError, type Operation, type Service } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import { findSecret, type StoredSecret, secretArn } from './secrets-store.ts';

/** Secrets Manager, as far as reading goes. */
export function secretsManagerService(world: World): Service {
  return {
    signingName: 'secretsmanager',
    protocol: 'json-1.1',
    targetPrefix: 'secretsmanager',
    operations: { GetSecretValue: getSecretValue(world), DescribeSecret: describeSecret(world) },
  };
}

/** What IAM is asked about: the whole ARN, whatever way the caller named the secret. */
export function secretResource(world: World, id: string): string {
  return findSecret(world, id)?.arn ?? (id.startsWith('arn:') ? id : secretArn(world, id));
}

function requireSecret(world: World, id: string): StoredSecret {
  const secret = findSecret(world, id);
  if (secret) return secret;
  throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
}

const getSecretValue = (world: World): Operation<{ SecretId: string; VersionId?: string; VersionStage?: string }> => ({
  members: ['SecretId', 'VersionId', 'VersionStage'],
  required: ['SecretId'],
  permissions: ({ SecretId }) => [
    { action: 'secretsmanager:GetSecretValue', resource: secretResource(world, SecretId) },
  ],
  run({ SecretId, VersionId, VersionStage = 'AWSCURRENT' }) {
    const secret = requireSecret(world, SecretId);
    if (VersionStage !== 'AWSCURRENT' || (VersionId !== undefined && VersionId !== secret.versionId)) {
      throw new AwsError('ResourceNotFoundException', 'The rehearsal keeps the current version of a secret only.');
    }
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: secret.versionId,
      SecretString: secret.secretString,
      VersionStages: ['AWSCURRENT'],
      CreatedDate: new Date(secret.created),
    };
  },
});

const describeSecret = (world: World): Operation<{ SecretId: string }> => ({
  members: ['SecretId'],
  required: ['SecretId'],
  permissions: ({ SecretId }) => [
    { action: 'secretsmanager:DescribeSecret', resource: secretResource(world, SecretId) },
  ],
  run({ SecretId }) {
    const secret = requireSecret(world, SecretId);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Description: secret.description,
      CreatedDate: new Date(secret.created),
      VersionIdsToStages: { [secret.versionId]: ['AWSCURRENT'] },
    };
  },
});
