import type { Database } from '../database.ts';
import { copySessions as copyAll } from '../move-sessions.ts';
import { sessionTimeout } from '../node-parts.ts';
import { openSessionStore } from '../session-stores.ts';
import type { SessionStoreName, Settings } from '../settings.ts';
import type { Outcome } from './one-off.ts';

const STORES: readonly SessionStoreName[] = ['database', 'redis', 'memcached'];

/**
 * Copies the live sessions, or with `--move` moves those not moved yet.
 * @throws Error when the arguments are not two different stores and at most `--move`
 */
export async function copySessions(database: Database, settings: Settings, args: readonly string[]): Promise<Outcome> {
  const [from, to, option, ...more] = args;
  const source = STORES.find((name) => name === from);
  const target = STORES.find((name) => name === to);
  if (!source || !target || source === target || (option !== undefined && option !== '--move') || more.length > 0) {
    throw new Error(`copy-sessions <from> <to> [--move], with two different ones of ${STORES.join(', ')}`);
  }
  const timeout = await sessionTimeout(database);
  const opened = [source, target].map((name) => openSessionStore(name, settings, database, timeout));
  try {
    const [sourceStore, targetStore] = opened;
    if (!sourceStore || !targetStore) throw new Error('unreachable');
    return { ok: true, ...(await copyAll(database, sourceStore, targetStore, timeout, option === '--move')) };
  } finally {
    for (const store of opened) store.close();
  }
}
