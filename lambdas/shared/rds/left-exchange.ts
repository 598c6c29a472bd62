import type { RDSClient } from '@aws-sdk/client-rds';
import { DatabaseStillBeingRestored } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { findDatabase, isBusy, statusOf, tagListOf } from './databases.ts';
import { type ExchangeNames, exchange } from './exchange.ts';
import { namesOf, tagNames, tagValues } from './names.ts';
import { identifierOf, listDatabases } from './remove.ts';

/**
 * Ends an exchange of databases in whose middle an execution was stopped, so that no database has the site's name: by
 * then the restored one is whole, and there is nothing that could say who holds the site.
 *
 * @throws DatabaseStillBeingRestored until the site's name leads to the restored database
 */
export async function endLeftExchange(rds: RDSClient, settings: Settings): Promise<void> {
  const own = await findDatabase(rds, settings, settings.databaseIdentifier);
  if (own && statusOf(own) !== 'renaming') return;
  if (own) throw waiting(`${settings.databaseIdentifier} gets another name`);
  const { site } = settings;
  const restored = (await listDatabases(rds, settings)).flatMap((found) => {
    const { [tagNames.execution]: execution, ...tags } = tagValues(tagListOf(found));
    const ours = tags[tagNames.site] === site && tags[tagNames.restoredTo] !== undefined && execution !== undefined;
    return ours ? [{ identifier: identifierOf(found), names: namesOf({ site, execution }) }] : [];
  });
  // Nothing of ours is under way: then the database itself says that it does not answer.
  if (restored.length === 0) return;
  // Those of earlier updates are kept under other names for days.
  const copy = restored.find(({ identifier, names }) => identifier === names.restored);
  const words = copy ? await goOn(rds, settings, copy.names) : 'a change of names is under way';
  if (words) throw waiting(words);
}

const waiting = (words: string) => new DatabaseStillBeingRestored(`The databases exchange their names: ${words}.`);

async function goOn(rds: RDSClient, settings: Settings, names: ExchangeNames): Promise<string | undefined> {
  try {
    return await exchange(rds, settings, names, {});
  } catch (error) {
    // The execution that began it may be at it too.
    if (isBusy(error)) return `RDS is at work on it (${error.name})`;
    throw error;
  }
}
