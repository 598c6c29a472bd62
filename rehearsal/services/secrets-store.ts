import { randomUUID } from 'node:crypto';
import { stableLetters } from '../template/physical-name.ts';
import { arn, type World } from '../world.ts';

export interface StoredSecret {
  readonly arn: string;
  readonly name: string;
  readonly secretString: string;
  readonly versionId: string;
  /** ISO 8601. */
  readonly created: string;
  readonly description?: string;
  /** The version of the stage AWSPENDING, while the secret is being rotated. */
  readonly pending?: { readonly versionId: string; readonly secretString: string };
}

/** By ARN. The file is readable by the person who runs the rehearsal only. */
export function secretsOf(world: Pick<World, 'state'>) {
  return world.state.collection<StoredSecret>('secrets');
}

/** The ARN that a secret of that name has in this folder: Secrets Manager adds six characters to the name. */
export function secretArn(world: World, name: string): string {
  return arn(world, 'secretsmanager', `secret:${name}-${stableLetters(world, `secret/${name}`, 6)}`);
}

/** Makes a secret, or leaves the one of that name as it is. */
export function createSecret(
  world: World,
  { name, secretString, description }: { name: string; secretString: string; description?: string },
): StoredSecret {
  const secrets = secretsOf(world);
  const key = secretArn(world, name);
  const known = secrets.get(key);
  if (known) return known;
  const made: StoredSecret = {
    arn: key,
    name,
    secretString,
    versionId: randomUUID(),
    created: new Date().toISOString(),
    ...(description === undefined ? {} : { description }),
  };
  secrets.set(key, made);
  return made;
}

/** Gives a secret another value. A value that it has already makes no new version. */
export function updateSecret(world: World, secret: StoredSecret, secretString: string): StoredSecret {
  if (secret.secretString === secretString) return secret;
  const changed: StoredSecret = { ...secret, secretString, versionId: randomUUID() };
  secretsOf(world).set(secret.arn, changed);
  return changed;
}

/** Makes a version that a rotation is to bring into use; the current one stays. @returns the version's id */
export function stageSecret(world: World, secret: StoredSecret, secretString: string, versionId: string): string {
  secretsOf(world).set(secret.arn, { ...secret, pending: { versionId, secretString } });
  return versionId;
}

/** Makes the pending version the current one. */
export function promoteSecret(world: World, { pending, ...secret }: StoredSecret): void {
  secretsOf(world).set(secret.arn, { ...secret, ...pending });
}

/** @param id name, ARN, or ARN without its last six characters */
export function findSecret(world: World, id: string): StoredSecret | undefined {
  return secretsOf(world)
    .entries()
    .map(([, secret]) => secret)
    .find((secret) => secret.arn === id || secret.name === id || secret.arn.slice(0, -7) === id);
}

/**
 * A secret's text, or one field of a secret that is a JSON object.
 *
 * @param field empty for the whole text
 * @throws Error when there is no such secret or field; never with any part of its value
 */
export function readSecretField(world: World, id: string, field: string): string {
  const secret = findSecret(world, id);
  if (!secret) throw new Error(`there is no secret ${id}.`);
  if (field === '') return secret.secretString;
  const fields = parseFields(secret);
  if (!Object.hasOwn(fields, field)) throw new Error(`the secret ${secret.name} has no field “${field}”.`);
  return String(fields[field]);
}

/** @throws Error when the secret is no JSON object */
export function parseFields(secret: StoredSecret): Record<string, unknown> {
  try {
    return JSON.parse(secret.secretString) as Record<string, unknown>;
  } catch {
    throw new Error(`the secret ${secret.name} is no JSON object.`);
  }
}
