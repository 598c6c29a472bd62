import { endpointPort } from '../../machines/rds/lifecycle.ts';
import { requireParameterGroup } from '../../machines/rds/parameter-groups.ts';
import type { DatabaseRecord, RestoreSource, Tag } from '../../machines/rds/records.ts';
import type { World } from '../../world.ts';
import { isTrue, newResourceId, numberOf } from './input.ts';

/** What the requests to restore a cluster and an instance have alike. */
interface RestoreInput {
  readonly BackupRetentionPeriod?: string;
  readonly DeletionProtection?: string;
  readonly CopyTagsToSnapshot?: string;
  readonly DBSubnetGroupName?: string;
  readonly VpcSecurityGroupIds?: readonly string[];
  readonly Tags?: readonly Tag[];
}

/**
 * Settings of a database that is restored from another's backup. It is like its source but for what AWS does not take
 * over: network, parameter group, protection and tags.
 *
 * @param groupName the parameter group that was asked for
 */
export async function restoredSettings(
  world: World,
  of: DatabaseRecord['of'],
  identifier: string,
  input: RestoreInput,
  groupName: string | undefined,
  origin: DatabaseRecord,
  source: RestoreSource,
) {
  const parameterGroup = groupName ?? `default.${origin.engine}`;
  requireParameterGroup(world, of, parameterGroup);
  const prefix = of === 'cluster' ? 'cluster' : 'db';
  const { BackupRetentionPeriod: retention } = input;
  return {
    identifier,
    resourceId: newResourceId(world, prefix),
    engine: origin.engine,
    engineVersion: origin.engineVersion,
    status: 'creating',
    created: Date.now(),
    masterUsername: origin.masterUsername,
    ...(origin.databaseName === undefined ? {} : { databaseName: origin.databaseName }),
    backupRetentionDays:
      retention === undefined ? origin.backupRetentionDays : numberOf('BackupRetentionPeriod', retention),
    deletionProtection: isTrue(input.DeletionProtection),
    copyTagsToSnapshot: isTrue(input.CopyTagsToSnapshot),
    storageEncrypted: origin.storageEncrypted,
    parameterGroup,
    subnetGroup: input.DBSubnetGroupName ?? 'default',
    securityGroups: input.VpcSecurityGroupIds ?? ['sg-default'],
    tags: input.Tags ?? [],
    server: `${identifier}-${newResourceId(world, prefix).slice(-8).toLowerCase()}`,
    port: await endpointPort(world, identifier),
    source,
  } as const;
}
