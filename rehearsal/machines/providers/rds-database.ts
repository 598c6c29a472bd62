import { randomBytes } from 'node:crypto';
import { createSecret, parseFields } from '../../services/secrets-store.ts';
import { stableLetters } from '../../template/physical-name.ts';
import type { ResolvedResource } from '../../template/provider.ts';
import type { World } from '../../world.ts';
import { engineOf } from '../rds/engines.ts';
import { endpointPort, hasServer, open } from '../rds/lifecycle.ts';
import type { DatabaseRecord, Tag } from '../rds/records.ts';
import { startServer } from '../rds/servers.ts';

/** What the template's clusters and single instances have alike. */

export interface Master {
  readonly user: string;
  readonly password: string;
  readonly secretArn?: string;
}

export function masterOf({ properties }: ResolvedResource, world: World, ownerId: string): Master {
  const user = String(properties.MasterUsername);
  if (!isTrue(properties.ManageMasterUserPassword)) return { user, password: String(properties.MasterUserPassword) };
  const secret = createSecret(world, {
    name: `rds!${ownerId}`,
    secretString: JSON.stringify({ username: user, password: randomBytes(18).toString('base64url') }),
  });
  return { user, password: String(parseFields(secret).password), secretArn: secret.arn };
}

/** The settings of a database that is not there yet. @throws Error for an engine that the rehearsal does not have */
export async function newDatabase({ properties }: ResolvedResource, world: World, identifier: string, master: Master) {
  engineOf(properties.Engine);
  return {
    identifier,
    engine: String(properties.Engine),
    engineVersion: String(properties.EngineVersion ?? ''),
    status: 'available' as const,
    created: Date.now(),
    masterUsername: master.user,
    ...(master.secretArn === undefined ? {} : { masterSecretArn: master.secretArn }),
    storageEncrypted: isTrue(properties.StorageEncrypted),
    subnetGroup: String(properties.DBSubnetGroupName ?? 'default'),
    ...changeable(properties),
    server: identifier,
    port: await endpointPort(world, identifier),
  };
}

/** What a later deploy changes in a database that is there. */
export function changeable(properties: ResolvedResource['properties']) {
  return {
    backupRetentionDays: Number(properties.BackupRetentionPeriod ?? 1),
    deletionProtection: isTrue(properties.DeletionProtection),
    copyTagsToSnapshot: isTrue(properties.CopyTagsToSnapshot),
    tags: (properties.Tags ?? []) as Tag[],
  };
}

/** Has the database run, with its master user and its first database. */
export async function deployed(world: World, record: DatabaseRecord, master: Master, isNew: boolean): Promise<void> {
  // A new cluster has no instance yet; its server is started all the same, as its instance comes next.
  if (isNew || hasServer(world, record)) {
    const server = await startServer(world, record);
    await server.ensureOwner(master.user, master.password, record.databaseName);
  }
  await open(world, record);
}

/** A name that AWS makes up for a resource, for example `cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ`. */
export function resourceId(world: World, prefix: 'cluster' | 'db', identifier: string): string {
  return `${prefix}-${stableLetters(world, `${prefix}/${identifier}`, 26).toUpperCase()}`;
}

export function isTrue(value: unknown): boolean {
  return String(value) === 'true';
}
