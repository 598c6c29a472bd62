import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

type Members = Readonly<Record<string, string>>;

/** The members of a secret that is a JSON object, as RDS and the platform keep them. Never logged, never returned. */
export async function readSecret(client: SecretsManagerClient, secretArn: string): Promise<Members> {
  return read(client, secretArn, 'AWSCURRENT');
}

/** As `readSecret`, of the version that a rotation is bringing into use; undefined when there is none. */
export async function readPendingSecret(client: SecretsManagerClient, secretArn: string): Promise<Members | undefined> {
  try {
    return await read(client, secretArn, 'AWSPENDING');
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function read(client: SecretsManagerClient, secretArn: string, stage: string): Promise<Members> {
  const { SecretString = '{}' } = await client.send(
    new GetSecretValueCommand({ SecretId: secretArn, VersionStage: stage }),
  );
  try {
    return JSON.parse(SecretString);
  } catch {
    // The parser's message would quote the secret.
    throw new TypeError(`The secret ${secretArn} is not a JSON object.`);
  }
}
