import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

type Members = Readonly<Record<string, string>>;

/** The members of a secret that is a JSON object, as RDS and the platform keep them. Never logged, never returned. */
export async function readSecret(client: SecretsManagerClient, secretArn: string): Promise<Members> {
  return (await read(client, secretArn, 'AWSCURRENT')).members;
}

/** As `readSecret`, of the version that a rotation is bringing into use; undefined when there is none. */
export async function readPendingSecret(client: SecretsManagerClient, secretArn: string): Promise<Members | undefined> {
  try {
    return (await read(client, secretArn, 'AWSPENDING')).members;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** A database's user and password, and the version of the secret that they are of. */
export interface CurrentLogin {
  readonly username: string;
  readonly password: string;
  readonly version: string;
}

export async function readLogin(client: SecretsManagerClient, secretArn: string): Promise<CurrentLogin> {
  const { members, version } = await read(client, secretArn, 'AWSCURRENT');
  return { username: members.username ?? '', password: members.password ?? '', version };
}

async function read(
  client: SecretsManagerClient,
  secretArn: string,
  stage: string,
): Promise<{ members: Members; version: string }> {
  const { SecretString = '{}', VersionId = '' } = await client.send(
    new GetSecretValueCommand({ SecretId: secretArn, VersionStage: stage }),
  );
  try {
    return { members: JSON.parse(SecretString), version: VersionId };
  } catch {
    // The parser's message would quote the secret.
    throw new TypeError(`The secret ${secretArn} is not a JSON object.`);
  }
}
