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
import { type TagValues, tagNames, tagsOf, tagValues } from './names.ts';
import { assureDataApi } from './restore.ts';

export interface ExchangeNames {
  readonly restored: string;
  readonly before: string;
}

type Database = Pick<Settings, 'databaseKind' | 'databaseIdentifier'>;

/** Whether the database that has the site's name is the restored one, and no name is on its way any more. */
export async function isExchanged(rds: RDSClient, settings: Database, names: ExchangeNames): Promise<boolean> {
  const [current, restored, before] = await allThree(rds, settings, names);
  return current !== undefined && restored === undefined && before !== undefined && wasRestored(current);
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
    if (statusOf(current) !== 'available') return `the restored database is ${statusOf(current)}`;
    const both = current.kind === 'cluster' && before.kind === 'cluster';
    if (both && !(await assureDataApi(rds, before.cluster, current.cluster)))
      return 'the Data API is being switched on';
    return undefined;
  }
  return 'RDS shows one of the names under neither database: a change of names is under way';
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

const wasRestored = (found: FoundDatabase) => tagValues(tagListOf(found))[tagNames.restoredTo] !== undefined;
