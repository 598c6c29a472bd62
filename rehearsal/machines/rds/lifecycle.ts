import { setTimeout as wait } from 'node:timers/promises';
import { AwsError } from '../../endpoint/service.ts';
import type { World } from '../../world.ts';
import { choosePort } from '../ports.ts';
import { engineOf } from './engines.ts';
import { type DatabaseRecord, databaseRecords, findCluster, findInstance, keyOf, membersOf } from './records.ts';
import { restoreData } from './restore.ts';
import { startServer, stopServer, withServer } from './servers.ts';
import {
  createSnapshot,
  deleteAutomatedBackups,
  isBeingCopied,
  planFirstBackup,
  requireAvailable,
} from './snapshots.ts';
import { later, seconds } from './transitions.ts';

/** The port that stands for an identifier's endpoint; the same from one rehearsal on a folder to the next. */
export function endpointPort(world: World, identifier: string): Promise<number> {
  return choosePort(world, `database/${identifier}`);
}

/** A cluster without an instance has its data, and nothing that answers. */
export function hasServer(world: World, record: DatabaseRecord): boolean {
  return record.of === 'instance' || membersOf(world, record).some(({ status }) => status === 'available');
}

/** @throws AwsError DBClusterAlreadyExistsFault, DBInstanceAlreadyExists */
export function requireFree(world: World, of: 'cluster' | 'instance', identifier: string): void {
  if (of === 'cluster' && findCluster(world, identifier)) {
    throw new AwsError('DBClusterAlreadyExistsFault', `DB Cluster already exists: ${identifier}`);
  }
  if (of === 'instance' && findInstance(world, identifier)) {
    throw new AwsError('DBInstanceAlreadyExists', `DB instance already exists: ${identifier}`);
  }
}

/** Goes on with what a record's status says is under way. */
export function goOn(world: World, record: DatabaseRecord): void {
  const after = (time: number, work: typeof finishRestore, status: 'failed' | 'restore-error' = 'failed') =>
    later(
      world,
      time,
      () => work(world, record),
      () => save(world, { ...asItIs(world, record), status }),
    );
  if (record.status === 'creating') after(seconds.restore, finishRestore, 'restore-error');
  if (record.status === 'renaming') after(seconds.rename, finishRename);
  if (record.status === 'resetting-master-credentials') after(seconds.password, finishPassword);
  if (record.status === 'deleting') after(seconds.delete, finishDelete);
}

/**
 * Starts to make a database whose record says what it is restored from.
 *
 * @throws AwsError when the identifier is taken
 */
export function beginRestore(world: World, record: DatabaseRecord): void {
  requireFree(world, record.of, record.identifier);
  save(world, record);
  goOn(world, record);
}

async function finishRestore(world: World, record: DatabaseRecord): Promise<void> {
  await restoreData(world, record);
  const { source: _, ...made } = record;
  await open(world, { ...made, status: 'available' });
}

/**
 * Starts to give a database another identifier, and with it another endpoint.
 *
 * @throws AwsError when it is not available or the identifier is taken
 */
export function beginRename(world: World, record: DatabaseRecord, newIdentifier: string): DatabaseRecord {
  requireAvailable(record);
  requireFree(world, record.of, newIdentifier);
  const renaming: DatabaseRecord = { ...record, status: 'renaming', newIdentifier };
  save(world, renaming);
  goOn(world, renaming);
  return renaming;
}

/** The server starts anew at its new endpoint: what was connected to it is not any more. */
async function finishRename(world: World, record: DatabaseRecord): Promise<void> {
  const { newIdentifier: identifier = record.identifier } = record;
  await stopServer(world, record);
  const port = await endpointPort(world, identifier);
  const { newIdentifier: _, ...kept } = asItIs(world, record);
  databaseRecords(world).delete(keyOf(record));
  await open(world, { ...kept, identifier, port, status: 'available' });
}

/**
 * Starts to give the master user another password. What is connected stays connected.
 *
 * @throws AwsError when it is not available, or for what RDS does not take as a password
 */
export function beginPassword(world: World, record: DatabaseRecord, newPassword: string): DatabaseRecord {
  requireAvailable(record);
  requirePassword(record, newPassword);
  const resetting: DatabaseRecord = { ...record, status: 'resetting-master-credentials', newPassword };
  save(world, resetting);
  goOn(world, resetting);
  return resetting;
}

async function finishPassword(world: World, record: DatabaseRecord): Promise<void> {
  const { newPassword = '', masterUsername } = record;
  await withServer(world, record, (server) => server.ensureOwner(masterUsername, newPassword, undefined));
  const { newPassword: _, ...kept } = asItIs(world, record);
  save(world, { ...kept, status: 'available' });
}

/** Of PostgreSQL that is no cluster, RDS takes longer ones. @throws AwsError InvalidParameterValue */
function requirePassword({ of, engine }: DatabaseRecord, password: string): void {
  const longest = of === 'instance' && engine === 'postgres' ? 128 : 41;
  if (/^[!-~]+$/.test(password) && !/[/"@]/.test(password) && password.length >= 8 && password.length <= longest)
    return;
  throw new AwsError(
    'InvalidParameterValue',
    `The parameter MasterUserPassword is not a valid password: 8 to ${longest} printable ASCII characters besides '/', '@', '"', ' '.`,
  );
}

/** Has a database answer, if it has something that can, and then says that it is available. */
export async function open(world: World, record: DatabaseRecord): Promise<void> {
  if (hasServer(world, record)) await startServer(world, record);
  save(world, record);
  planFirstBackup(world, record);
}

/**
 * Starts to remove a database with its automated backups.
 *
 * @param finalSnapshot identifier of a last copy; absent: none is made
 * @throws AwsError when it is protected or not available; then nothing was begun
 */
export function beginDelete(world: World, record: DatabaseRecord, finalSnapshot: string | undefined): DatabaseRecord {
  if (record.deletionProtection) {
    const noun = record.of === 'cluster' ? 'Cluster' : 'DB Instance';
    throw new AwsError(
      'InvalidParameterCombination',
      `Cannot delete protected ${noun}, please disable deletion protection and try again.`,
    );
  }
  if (record.status !== 'restore-error' && record.status !== 'failed') requireAvailable(record);
  if (finalSnapshot !== undefined) {
    createSnapshot(world, record, { identifier: finalSnapshot, type: 'manual', tags: [] });
  }
  const deleting: DatabaseRecord = { ...record, status: 'deleting' };
  save(world, deleting);
  goOn(world, deleting);
  return deleting;
}

async function finishDelete(world: World, record: DatabaseRecord): Promise<void> {
  while (membersOf(world, record).length > 0 || isBeingCopied(world, record)) await wait(50, undefined, { ref: false });
  await stopServer(world, record);
  engineOf(record.engine).remove(world, record.server);
  deleteAutomatedBackups(world, record);
  databaseRecords(world).delete(keyOf(record));
}

/** With what has changed since, for example its tags. */
function asItIs(world: World, record: DatabaseRecord): DatabaseRecord {
  return databaseRecords(world).get(keyOf(record)) ?? record;
}

function save(world: World, record: DatabaseRecord): void {
  databaseRecords(world).set(keyOf(record), record);
}
