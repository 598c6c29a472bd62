import type { World } from '../../world.ts';
import { engineOf } from './engines.ts';
import { findSource } from './point-in-time.ts';
import { allDatabases, type DatabaseRecord } from './records.ts';
import { withServer } from './servers.ts';

/**
 * Makes the data of a database whose record says what it is restored from.
 *
 * @throws Error when the engine cannot, with its own last words
 */
export async function restoreData(world: World, record: DatabaseRecord): Promise<void> {
  if (!record.source) return;
  const snapshot = findSource(world, record.source);
  const { until } = record.source;
  if (until !== undefined) await archiveOf(world, snapshot.source);
  await engineOf(record.engine).restore(world, {
    backup: snapshot.folder,
    from: snapshot.source.server,
    to: record.server,
    ...(until === undefined ? {} : { until: new Date(until) }),
  });
}

/** The log up to now, whatever name the database has by now. */
async function archiveOf(world: World, { server }: DatabaseRecord): Promise<void> {
  const record = allDatabases(world).find((one) => one.server === server);
  if (record) await withServer(world, record, async (running) => running.archive?.());
}
