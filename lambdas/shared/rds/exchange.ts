import {
  AddTagsToResourceCommand,
  type DBCluster,
  type DBInstance,
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import type { Settings } from '../settings.ts';
import { arnOf, type FoundDatabase, findDatabase, findInstance, statusOf, tagListOf } from './databases.ts';
import { day, type TagValues, tagNames, tagsOf, tagValues } from './names.ts';
import { assurePassword, type ReadLogin } from './password.ts';
import { assureDataApi } from './restore.ts';

export interface ExchangeNames {
  readonly restored: string;
  readonly before: string;
}

type Database = Pick<Settings, 'databaseKind' | 'databaseIdentifier'>;

/** The database that has the site's name, where that is the restored one, and no name is on its way any more. */
export async function findExchanged(
  rds: RDSClient,
  settings: Database,
  names: ExchangeNames,
): Promise<FoundDatabase | undefined> {
  const [current, restored, before] = await allThree(rds, settings, names);
  return current && !restored && before && wasRestored(current) ? current : undefined;
}

/**
 * Gives the restored database the name of the site's own, and that one another, one change a call. The address, the ARN
 * and whatever refers to them (permissions, the stack, the nodes) follow from the name, so nothing else has to change.
 *
 * Which change comes next follows from what RDS shows under the three names alone: so it goes on after a kill at any
 * point, also while no database has the site's name.
 *
 * @param marks tags for the database that is replaced
 * @returns what is under way, in plain words; undefined when all is done
 */
export async function exchange(
  rds: RDSClient,
  settings: Database,
  names: ExchangeNames,
  marks: TagValues,
  readLogin: ReadLogin,
): Promise<string | undefined> {
  const own = settings.databaseIdentifier;
  const [current, restored, before] = await allThree(rds, settings, names);
  if (current && restored && !before) {
    const waiting = [current, restored].find((one) => statusOf(one) !== 'available');
    if (waiting) return `a database is ${statusOf(waiting)} before the exchange`;
    if (restored.kind === 'cluster') {
      const words = await exchangeMembers(rds, restored.cluster, names.before);
      if (words) return words;
    }
    await rds.send(new AddTagsToResourceCommand({ ResourceName: arnOf(current), Tags: tagsOf(marks) }));
    await rename(rds, current, own, names.before);
    return `the database is renamed to ${names.before}`;
  }
  if (before && restored && !current) {
    if (statusOf(restored) !== 'available') return `the restored database is ${statusOf(restored)}`;
    await rename(rds, restored, names.restored, own);
    return `the restored database takes the name ${own}`;
  }
  if (before && current && !restored && wasRestored(current)) {
    return completeExchanged(rds, current, before, readLogin);
  }
  return 'RDS shows one of the names under neither database: a change of names is under way';
}

/**
 * What the restored database still lacks when it has the site's name: the exchange may have switched its Data API off,
 * and a rotation of the password may have come meanwhile.
 *
 * @param before the one that it replaced; undefined where that is gone
 * @returns what is under way, in plain words; undefined when all is done
 */
export async function completeExchanged(
  rds: RDSClient,
  current: FoundDatabase,
  before: FoundDatabase | undefined,
  readLogin: ReadLogin,
): Promise<string | undefined> {
  if (statusOf(current) !== 'available') return `the restored database is ${statusOf(current)}`;
  const both = current.kind === 'cluster' && before?.kind === 'cluster';
  if (both && !(await assureDataApi(rds, before.cluster, current.cluster))) return 'the Data API is being switched on';
  const words = await assurePassword(rds, current, readLogin);
  if (words || isInPlace(current)) return words;
  const Tags = tagsOf({ [tagNames.inPlaceSince]: day(new Date()) });
  await rds.send(new AddTagsToResourceCommand({ ResourceName: arnOf(current), Tags }));
  return undefined;
}

/**
 * The instances of a cluster exchange their names before the clusters do: an instance restarts for it, which nobody
 * notices while the one cluster is in maintenance and the other not yet used.
 */
async function exchangeMembers(rds: RDSClient, restored: DBCluster, before: string): Promise<string | undefined> {
  for (const [index, { DBInstanceIdentifier: name = '' }] of (restored.DBClusterMembers ?? []).entries()) {
    const member = await findInstance(rds, name);
    const wanted = tagValues(member?.TagList)[tagNames.takesName];
    if (!member) return `the instance ${name} is being renamed`;
    if (member.DBInstanceStatus !== 'available') return `the instance ${name} is ${member.DBInstanceStatus}`;
    if (!wanted || wanted === name) continue;
    const holder = await findInstance(rds, wanted);
    if (holder && holder.DBInstanceStatus !== 'available')
      return `the instance ${wanted} is ${holder.DBInstanceStatus}`;
    const [from, to] = holder ? [holder, `${before}-${index + 1}`] : [member, wanted];
    await renameInstance(rds, from, to);
    return `the instance ${from.DBInstanceIdentifier} is renamed to ${to}`;
  }
  return undefined;
}

async function rename(rds: RDSClient, found: FoundDatabase, from: string, to: string): Promise<void> {
  if (found.kind === 'instance') return renameInstance(rds, found.instance, to);
  await rds.send(
    new ModifyDBClusterCommand({ DBClusterIdentifier: from, NewDBClusterIdentifier: to, ApplyImmediately: true }),
  );
}

async function renameInstance(rds: RDSClient, { DBInstanceIdentifier }: DBInstance, to: string): Promise<void> {
  await rds.send(
    new ModifyDBInstanceCommand({ DBInstanceIdentifier, NewDBInstanceIdentifier: to, ApplyImmediately: true }),
  );
}

function allThree(rds: RDSClient, settings: Database, { restored, before }: ExchangeNames) {
  return Promise.all([
    findDatabase(rds, settings, settings.databaseIdentifier),
    findDatabase(rds, settings, restored),
    findDatabase(rds, settings, before),
  ]);
}

/** Whether nothing is left to do of the exchange that gave this database the site's name. */
export const isInPlace = (found: FoundDatabase) => tagValues(tagListOf(found))[tagNames.inPlaceSince] !== undefined;

const wasRestored = (found: FoundDatabase) => tagValues(tagListOf(found))[tagNames.restoredTo] !== undefined;
