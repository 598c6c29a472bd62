import type { RDSClient } from '@aws-sdk/client-rds';
import { DatabaseStillBeingRestored } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { findDatabase, tagListOf } from './databases.ts';
import { exchange } from './exchange.ts';
import { namesOf, tagNames, tagValues } from './names.ts';
import { listDatabases } from './remove.ts';

/**
 * Ends an exchange of databases in whose middle an execution was stopped, so that no database has the site's name: by
 * then the restored one is whole, and there is nothing that could say who holds the site.
 *
 * @throws DatabaseStillBeingRestored until the site's name leads to the restored database
 */
export async function endLeftExchange(rds: RDSClient, settings: Settings): Promise<void> {
  if (await findDatabase(rds, settings, settings.databaseIdentifier)) return;
  const restored = (await listDatabases(rds, settings))
    .map((found) => tagValues(tagListOf(found)))
    .find((tags) => tags[tagNames.site] === settings.site && tags[tagNames.restoredTo] !== undefined);
  const origin = restored?.[tagNames.execution];
  // Nothing of ours is under way: then the database itself says that it does not answer.
  if (!origin) return;
  const words = await exchange(rds, settings, namesOf({ site: settings.site, execution: origin }), {});
  if (words)
    throw new DatabaseStillBeingRestored(`An exchange of databases that was left half done is ended: ${words}.`);
}
