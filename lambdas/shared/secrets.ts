import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The members of a secret that is a JSON object, as RDS and the platform keep them. Never logged, never returned. */
export async function readSecret(
  client: SecretsManagerClient,
  secretArn: string,
): Promise<Readonly<Record<string, string>>> {
  const { SecretString = '{}' } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
  try {
    return JSON.parse(SecretString);
  } catch {
    // The parser's message would quote the secret.
    throw new TypeError(`The secret ${secretArn} is not a JSON object.`);
  }
}
