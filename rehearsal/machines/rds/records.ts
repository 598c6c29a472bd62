import { AwsError } from '../../endpoint/service.ts';
import { arn, type World } from '../../world.ts';

/** RDS's own shapes, as far as a rehearsal keeps them. Moments are milliseconds since 1970. */

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

export type Status =
  | 'creating'
  | 'available'
  | 'renaming'
  | 'resetting-master-credentials'
  | 'deleting'
  | 'restore-error'
  | 'failed';

/** What a new server is made from: a snapshot, and the moment up to which the source's log is replayed over it. */
export interface RestoreSource {
  readonly snapshot: string;
  readonly until?: number;
}

/** What a cluster, and an instance that belongs to none, have alike: data, and a server that holds them. */
interface DatabaseSettings {
  readonly identifier: string;
  /** Stays when the identifier changes. */
  readonly resourceId: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly status: Status;
  readonly created: number;
  readonly masterUsername: string;
  readonly masterSecretArn?: string;
  readonly databaseName?: string;
  readonly backupRetentionDays: number;
  readonly deletionProtection: boolean;
  readonly copyTagsToSnapshot: boolean;
  readonly storageEncrypted: boolean;
  readonly parameterGroup: string;
  readonly subnetGroup: string;
  readonly securityGroups: readonly string[];
  readonly tags: readonly Tag[];
  /** Name of the server that holds the data; stays when the identifier changes. */
  readonly server: string;
  /** What the identifier's endpoint is here: each has a port of its own, and a renamed database moves to it. */
  readonly port: number;
  /** What `renaming` leads to. */
  readonly newIdentifier?: string;
  /** What `resetting-master-credentials` gives the master user. */
  readonly newPassword?: string;
  /** What `creating` makes it from. */
  readonly source?: RestoreSource;
}

export interface Capacity {
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
  readonly SecondsUntilAutoPause?: number;
}

export interface ClusterRecord extends DatabaseSettings {
  readonly of: 'cluster';
  readonly httpEndpoint: boolean;
  /** Without it, an instance of the class db.serverless cannot be made. */
  readonly serverless?: Capacity;
}

interface InstanceSettings {
  readonly instanceClass: string;
  readonly promotionTier: number;
  readonly publiclyAccessible: boolean;
}

/** An instance that is a database by itself. */
export interface StandaloneRecord extends InstanceSettings, DatabaseSettings {
  readonly of: 'instance';
  readonly multiAz: boolean;
  /** GiB. */
  readonly allocatedStorage: number;
}

export type DatabaseRecord = ClusterRecord | StandaloneRecord;

/** An instance of a cluster: it gives the cluster's data somewhere to run, and has none itself. */
export interface MemberRecord extends InstanceSettings {
  readonly of: 'member';
  readonly identifier: string;
  readonly resourceId: string;
  readonly clusterResourceId: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly status: Status;
  readonly created: number;
  readonly tags: readonly Tag[];
  /** What `renaming` leads to. */
  readonly newIdentifier?: string;
}

export type InstanceRecord = MemberRecord | StandaloneRecord;

export interface SnapshotRecord {
  readonly identifier: string;
  readonly of: 'cluster' | 'instance';
  readonly type: 'manual' | 'automated';
  readonly status: 'creating' | 'available' | 'failed';
  /** When the snapshot was asked for; and the moment that the data in it are of. */
  readonly created: number;
  readonly completed?: number;
  readonly tags: readonly Tag[];
  /** The database as it was then. */
  readonly source: DatabaseRecord;
  /** Folder of the copy, in the rehearsal's folder. */
  readonly folder: string;
}

type Stateful = Pick<World, 'state'>;

/** By `cluster/` or `instance/` and the identifier. */
export function databaseRecords(world: Stateful) {
  return world.state.collection<DatabaseRecord>('rds-databases');
}

/** By identifier. */
export function memberRecords(world: Stateful) {
  return world.state.collection<MemberRecord>('rds-cluster-instances');
}

/** By `cluster/` or `instance/` and the identifier. */
export function snapshotRecords(world: Stateful) {
  return world.state.collection<SnapshotRecord>('rds-snapshots');
}

export function keyOf({ of, identifier }: { readonly of: string; readonly identifier: string }): string {
  return `${of}/${identifier}`;
}

export function allDatabases(world: Stateful): DatabaseRecord[] {
  return databaseRecords(world)
    .entries()
    .map(([, database]) => database);
}

export function findCluster(world: Stateful, identifier: string): ClusterRecord | undefined {
  return databaseRecords(world).get(`cluster/${identifier}`) as ClusterRecord | undefined;
}

export function findInstance(world: Stateful, identifier: string): InstanceRecord | undefined {
  const standalone = databaseRecords(world).get(`instance/${identifier}`) as StandaloneRecord | undefined;
  return standalone ?? memberRecords(world).get(identifier);
}

export function membersOf(world: Stateful, { resourceId }: { readonly resourceId: string }): MemberRecord[] {
  return memberRecords(world)
    .entries()
    .map(([, member]) => member)
    .filter(({ clusterResourceId }) => clusterResourceId === resourceId);
}

export function clusterOf(world: Stateful, member: MemberRecord): ClusterRecord | undefined {
  return allDatabases(world).find(
    (database): database is ClusterRecord =>
      database.of === 'cluster' && database.resourceId === member.clusterResourceId,
  );
}

export function allSnapshots(world: Stateful): SnapshotRecord[] {
  return snapshotRecords(world)
    .entries()
    .map(([, snapshot]) => snapshot);
}

export const clusterArn = (world: World, identifier: string) => arn(world, 'rds', `cluster:${identifier}`);
export const instanceArn = (world: World, identifier: string) => arn(world, 'rds', `db:${identifier}`);
export const snapshotArn = (world: World, of: SnapshotRecord['of'], identifier: string) =>
  arn(world, 'rds', `${of === 'cluster' ? 'cluster-snapshot' : 'snapshot'}:${identifier}`);

/** Identifiers are stored in lower case. @throws AwsError InvalidParameterValue */
export function identifierOf(member: string, given: string, longest = 63): string {
  const valid = /^[A-Za-z](-?[A-Za-z0-9])*$/.test(given) && given.length <= longest;
  if (valid) return given.toLowerCase();
  throw new AwsError(
    'InvalidParameterValue',
    `The parameter ${member} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.`,
  );
}

/** @throws AwsError DBClusterNotFoundFault */
export function requireCluster(world: Stateful, identifier: string): ClusterRecord {
  const found = findCluster(world, identifier.replace(/^arn:.*:cluster:/, '').toLowerCase());
  if (found) return found;
  throw new AwsError('DBClusterNotFoundFault', `DBCluster ${identifier} not found.`, 404);
}

/** @throws AwsError DBInstanceNotFound */
export function requireInstance(world: Stateful, identifier: string): InstanceRecord {
  const found = findInstance(world, identifier.replace(/^arn:.*:db:/, '').toLowerCase());
  if (found) return found;
  throw new AwsError('DBInstanceNotFound', `DBInstance ${identifier} not found.`, 404);
}

/** @throws AwsError DBClusterSnapshotNotFoundFault, DBSnapshotNotFound */
export function requireSnapshot(world: Stateful, of: SnapshotRecord['of'], identifier: string): SnapshotRecord {
  const name = identifier.replace(/^arn:.*:(cluster-)?snapshot:/, '').toLowerCase();
  const found = snapshotRecords(world).get(`${of}/${name}`);
  if (found) return found;
  throw of === 'cluster'
    ? new AwsError('DBClusterSnapshotNotFoundFault', `DBClusterSnapshot not found: ${identifier}`, 404)
    : new AwsError('DBSnapshotNotFound', `DBSnapshot not found: ${identifier}`, 404);
}
