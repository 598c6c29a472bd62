import type { RDSClient } from '@aws-sdk/client-rds';
import { DatabaseNotRestored, DatabaseStillBeingRestored } from '../errors.ts';
import type { Rollout } from '../hold.ts';
import type { Settings } from '../settings.ts';
import { type FoundDatabase, findDatabase, isBusy, statusOf, tagListOf } from './databases.ts';
import { exchange, findExchanged, isInPlace } from './exchange.ts';
import { requireNotLost } from './lost.ts';
import { day, inDays, namesOf, tagNames, tagValues } from './names.ts';
import { assurePassword, type ReadLogin } from './password.ts';
import { beginRestore, completeRestored, type RestoreFrom } from './restore.ts';

export interface PointToRestore {
  /** The instant at which maintenance stood: after the last change of a user, before the first of the upgrade. */
  readonly at: Date;
  /** Of this rollout, for where the backups do not reach that instant. */
  readonly snapshot: string | undefined;
  /** How long the replaced database is kept. */
  readonly keepDays: number;
  /** The site's secret, whose password the restored database is given. */
  readonly readLogin: ReadLogin;
}

export interface RestoredDatabase {
  /** The instant, as `2026-10-31T12:00:00.000Z`, or the snapshot that the database was restored to. */
  readonly restoredTo: string;
  /** Name under which the replaced database is kept. */
  readonly kept: string;
}

/** Backups follow the database by at most five minutes (RDS's own words); after twice that they will not come. */
const backupSeconds = 600;

/**
 * Brings the site's database back to where it was, beside it and then in its place: the one that is replaced is kept.
 * Every call finds out by RDS alone how far it is, and does what comes next.
 *
 * @param origin the site and the execution that began the update, which name the copies
 * @throws DatabaseStillBeingRestored until it is done
 * @throws DatabaseNotRestored when RDS gives up, or there is nothing to restore from
 */
export async function putBackDatabase(
  rds: RDSClient,
  settings: Settings,
  origin: Rollout,
  point: PointToRestore,
): Promise<RestoredDatabase> {
  const exchanged = await findExchanged(rds, settings, namesOf(origin));
  if (!exchanged || !isInPlace(exchanged)) {
    await goOn(rds, settings, origin, point).catch((error: unknown) => {
      throw isBusy(error) ? waiting(`RDS is at work on it (${error.name})`) : error;
    });
  }
  const restored = await findRestored(rds, settings, origin);
  if (restored) return restored;
  throw waiting('RDS does not show it under its name yet');
}

/** What an update's database was restored to, once the restored one has its name; undefined before. */
export async function findRestored(
  rds: RDSClient,
  settings: Settings,
  origin: Rollout,
): Promise<RestoredDatabase | undefined> {
  const names = namesOf(origin);
  const current = await findExchanged(rds, settings, names);
  const to = current && tagValues(tagListOf(current))[tagNames.restoredTo];
  return to === undefined ? undefined : { restoredTo: to, kept: names.before };
}

/** Whether a restore of this update's database has begun. */
export async function isRestoring(rds: RDSClient, settings: Settings, origin: Rollout): Promise<boolean> {
  return (await findDatabase(rds, settings, namesOf(origin).restored)) !== undefined;
}

async function goOn(rds: RDSClient, settings: Settings, origin: Rollout, point: PointToRestore): Promise<void> {
  const names = namesOf(origin);
  const [current, restored] = await Promise.all([
    findDatabase(rds, settings, settings.databaseIdentifier),
    findDatabase(rds, settings, names.restored),
  ]);
  if (current && !restored && !(await findDatabase(rds, settings, names.before))) {
    const from = await sourceOf(current, point);
    const restoredTo = 'time' in from ? from.time.toISOString() : from.snapshot;
    await beginRestore(rds, current, names.restored, from, {
      [tagNames.site]: origin.site,
      [tagNames.execution]: origin.execution,
      [tagNames.restoredTo]: restoredTo,
    });
    throw waiting(`RDS restores it to ${restoredTo} beside the site’s own`);
  }
  if (restored) requireNotLost(names.restored, statusOf(restored));
  if (current && restored) {
    const words = await completeRestored(rds, current, restored, names.before);
    if (words) throw waiting(words);
    const given = await assurePassword(rds, restored, point.readLogin);
    if (given) throw waiting(given);
  }
  await exchangeDatabase(rds, settings, origin, point);
}

/**
 * Gives the restored database the site's name.
 *
 * @throws DatabaseStillBeingRestored until it is done
 */
async function exchangeDatabase(
  rds: RDSClient,
  settings: Settings,
  origin: Rollout,
  { keepDays, readLogin }: PointToRestore,
): Promise<void> {
  const marks = {
    [tagNames.site]: origin.site,
    [tagNames.execution]: origin.execution,
    [tagNames.keptUntil]: day(inDays(keepDays)),
  };
  const words = await exchange(rds, settings, namesOf(origin), marks, readLogin);
  if (words) throw waiting(words);
}

/** The instant itself wherever backups reach it: a snapshot lacks what users wrote after it was taken. */
async function sourceOf(current: FoundDatabase, { at, snapshot }: PointToRestore): Promise<RestoreFrom> {
  const latest =
    current.kind === 'cluster' ? current.cluster.LatestRestorableTime : current.instance.LatestRestorableTime;
  const earliest = current.kind === 'cluster' ? current.cluster.EarliestRestorableTime : undefined;
  if (latest && latest > at && (!earliest || earliest <= at)) return { time: at };
  const comes = latest !== undefined && latest <= at && Date.now() - at.getTime() < backupSeconds * 1000;
  if (comes) {
    throw waiting(`its backups reach to ${latest.toISOString()}, and have to reach ${at.toISOString()}`);
  }
  if (snapshot) return { snapshot };
  throw new DatabaseNotRestored(
    `The backups of the database do not reach ${at.toISOString()}, and this update has no snapshot. The database was left ` +
      'as it is. Restore it by hand from a backup of before the update.',
  );
}

const waiting = (words: string) => new DatabaseStillBeingRestored(`The database is being put back: ${words}.`);
