import type { RDSClient } from '@aws-sdk/client-rds';
import { DatabaseStillBeingRestored } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { findDatabase, isBusy, statusOf, tagListOf } from './databases.ts';
import { completeExchanged, exchange, isInPlace } from './exchange.ts';
import { namesOf, tagNames, tagValues } from './names.ts';
import type { ReadLogin } from './password.ts';
import { identifierOf, listDatabases } from './remove.ts';

/**
 * Ends an exchange of databases in whose middle an execution was stopped, so that no database has the site's name, or
 * one that has not yet all that the one before it had: by then the restored one is whole, and there is nothing that could
 * say who holds the site.
 *
 * @throws DatabaseStillBeingRestored until the site's name leads to the restored database
 */
export async function endLeftExchange(rds: RDSClient, settings: Settings, readLogin: ReadLogin): Promise<void> {
  const own = await findDatabase(rds, settings, settings.databaseIdentifier);
  if (own && statusOf(own) === 'renaming') throw waiting(`${settings.databaseIdentifier} gets another name`);
  const { site } = settings;
  if (own) {
    const { [tagNames.passwordVersion]: given, [tagNames.execution]: execution } = tagValues(tagListOf(own));
    if (given === undefined || execution === undefined || isInPlace(own)) return;
    const before = await findDatabase(rds, settings, namesOf({ site, execution }).before);
    await goOn(() => completeExchanged(rds, own, before, readLogin));
    return;
  }
  const restored = (await listDatabases(rds, settings)).flatMap((found) => {
    const { [tagNames.execution]: execution, ...tags } = tagValues(tagListOf(found));
    const ours = tags[tagNames.site] === site && tags[tagNames.restoredTo] !== undefined && execution !== undefined;
    return ours ? [{ identifier: identifierOf(found), names: namesOf({ site, execution }) }] : [];
  });
  // Nothing of ours is under way: then the database itself says that it does not answer.
  if (restored.length === 0) return;
  // Those of earlier updates are kept under other names for days.
  const copy = restored.find(({ identifier, names }) => identifier === names.restored);
  await goOn(async () =>
    copy ? exchange(rds, settings, copy.names, {}, readLogin) : 'a change of names is under way',
  );
}

const waiting = (words: string) => new DatabaseStillBeingRestored(`The databases exchange their names: ${words}.`);

async function goOn(work: () => Promise<string | undefined>): Promise<void> {
  const words = await work().catch((error: unknown) => {
    // The execution that began it may be at it too.
    if (isBusy(error)) return `RDS is at work on it (${error.name})`;
    throw error;
  });
  if (words) throw waiting(words);
}
