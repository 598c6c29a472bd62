import { findDatabase } from '../machines/databases.ts';
import { physicalName } from '../template/physical-name.ts';
import type { ResourceProvider } from '../template/provider.ts';
import { arn } from '../world.ts';
import { generateSecretString } from './secret-string.ts';
import { createSecret, findSecret, parseFields, secretArn, updateSecret } from './secrets-store.ts';

/** A secret is made up once per folder: a later deploy does not change it, as CloudFormation does not. */
const secret: ResourceProvider = {
  type: 'AWS::SecretsManager::Secret',
  properties: ['Description', 'GenerateSecretString', 'KmsKeyId', 'Name', 'SecretString', 'Tags'],
  create(resource, world) {
    const { Name, Description, SecretString, GenerateSecretString } = resource.properties;
    const name: string = Name ?? physicalName(world, resource, 512);
    const known = findSecret(world, secretArn(world, name));
    const secretString = known?.secretString ?? SecretString ?? generateSecretString(GenerateSecretString ?? {});
    const made = createSecret(world, { name, secretString, description: Description });
    return { ref: made.arn, attributes: { Id: made.arn } };
  },
};

/** How the ARN of a database names it. */
const targetResources: Readonly<Record<string, string>> = {
  'AWS::RDS::DBCluster': 'cluster',
  'AWS::RDS::DBInstance': 'db',
};

/** Adds to the secret how its database is reached, as the service does. */
const secretTargetAttachment: ResourceProvider = {
  type: 'AWS::SecretsManager::SecretTargetAttachment',
  properties: ['SecretId', 'TargetId', 'TargetType'],
  create({ properties: { SecretId, TargetId, TargetType } }, world) {
    const resource = targetResources[TargetType];
    if (!resource) throw new Error(`TargetType ${TargetType}: only databases are known.`);
    const database = findDatabase(world, arn(world, 'rds', `${resource}:${TargetId}`));
    const found = findSecret(world, SecretId);
    if (!database || !found) throw new Error(`There is no database ${TargetId} or no secret ${SecretId}.`);
    updateSecret(
      world,
      found,
      JSON.stringify({
        ...parseFields(found),
        engine: database.engine,
        host: database.host,
        port: database.port,
        [database.kind === 'cluster' ? 'dbClusterIdentifier' : 'dbInstanceIdentifier']: TargetId,
        ...(database.databaseName === undefined ? {} : { dbname: database.databaseName }),
      }),
    );
    return { ref: found.arn, attributes: { Id: found.arn } };
  },
};

export const secretsManagerProviders: readonly ResourceProvider[] = [secret, secretTargetAttachment];
