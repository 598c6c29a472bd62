import { randomUUID } from 'node:crypto';
import { AwsError, type Operation, type Service } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import { findSecret, promoteSecret, type StoredSecret, secretArn, stageSecret, updateSecret } from './secrets-store.ts';

/** Secrets Manager, as far as reading and rotating go. */
export function secretsManagerService(world: World): Service {
  return {
    signingName: 'secretsmanager',
    protocol: 'json-1.1',
    targetPrefix: 'secretsmanager',
    operations: {
      GetSecretValue: getSecretValue(world),
      DescribeSecret: describeSecret(world),
      PutSecretValue: putSecretValue(world),
      UpdateSecretVersionStage: updateSecretVersionStage(world),
    },
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
    const version = VersionStage === 'AWSCURRENT' ? secret : VersionStage === 'AWSPENDING' ? secret.pending : undefined;
    if (!version || (VersionId !== undefined && VersionId !== version.versionId)) {
      throw new AwsError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for staging label: ${VersionStage}`,
      );
    }
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: version.versionId,
      SecretString: version.secretString,
      VersionStages: [VersionStage],
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
      VersionIdsToStages: {
        [secret.versionId]: ['AWSCURRENT'],
        ...(secret.pending && { [secret.pending.versionId]: ['AWSPENDING'] }),
      },
    };
  },
});

interface PutSecretValue {
  readonly SecretId: string;
  readonly SecretString: string;
  readonly ClientRequestToken?: string;
  readonly VersionStages?: readonly string[];
}

const putSecretValue = (world: World): Operation<PutSecretValue> => ({
  members: ['SecretId', 'SecretString', 'ClientRequestToken', 'VersionStages'],
  required: ['SecretId', 'SecretString'],
  permissions: ({ SecretId }) => [
    { action: 'secretsmanager:PutSecretValue', resource: secretResource(world, SecretId) },
  ],
  run({ SecretId, SecretString, ClientRequestToken = randomUUID(), VersionStages = ['AWSCURRENT'] }) {
    const secret = requireSecret(world, SecretId);
    const [stage, ...more] = VersionStages;
    if (more.length > 0 || (stage !== 'AWSCURRENT' && stage !== 'AWSPENDING')) {
      throw new AwsError('UnsupportedParameter', `The rehearsal does not know the stages ${VersionStages.join(', ')}.`);
    }
    const VersionId =
      stage === 'AWSPENDING'
        ? stageSecret(world, secret, SecretString, ClientRequestToken)
        : updateSecret(world, secret, SecretString).versionId;
    return { ARN: secret.arn, Name: secret.name, VersionId, VersionStages };
  },
});

interface UpdateSecretVersionStage {
  readonly SecretId: string;
  readonly VersionStage: string;
  readonly MoveToVersionId?: string;
  readonly RemoveFromVersionId?: string;
}

/** The last step of a rotation: the pending version becomes the current one. */
const updateSecretVersionStage = (world: World): Operation<UpdateSecretVersionStage> => ({
  members: ['SecretId', 'VersionStage', 'MoveToVersionId', 'RemoveFromVersionId'],
  required: ['SecretId', 'VersionStage'],
  permissions: ({ SecretId }) => [
    { action: 'secretsmanager:UpdateSecretVersionStage', resource: secretResource(world, SecretId) },
  ],
  run({ SecretId, VersionStage, MoveToVersionId, RemoveFromVersionId }) {
    const secret = requireSecret(world, SecretId);
    if (VersionStage !== 'AWSCURRENT' || MoveToVersionId !== secret.pending?.versionId) {
      throw new AwsError('InvalidParameterException', 'The rehearsal moves AWSCURRENT to the pending version only.');
    }
    if (RemoveFromVersionId !== secret.versionId) {
      throw new AwsError('InvalidParameterException', 'RemoveFromVersionId must be the version that is current.');
    }
    promoteSecret(world, secret);
    return { ARN: secret.arn, Name: secret.name };
  },
});
