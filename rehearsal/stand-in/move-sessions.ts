import type { Database, Queryable } from './database.ts';
import { databaseStore, type SessionStore, SessionTooLarge } from './session-stores.ts';
import type { SessionStoreName, Settings } from './settings.ts';

/** How long after its opening a migration still moves sessions on demand; then the stock behaviour is back. */
const ON_DEMAND_MINUTES = 60;

/** The store that sessions are being moved from, while a migration to `target` is open, and until when (milliseconds). */
export async function openMigration(
  database: Database,
  { site }: Pick<Settings, 'site'>,
  target: SessionStoreName,
): Promise<{ source: SessionStoreName; until: number } | undefined> {
  const { epoch, now } = database.words;
  const { rows } = await database.query<{ source: SessionStoreName; age: number }>(
    `SELECT source, ${epoch(now)} - ${epoch('opened_at')} AS age
     FROM moodle_lifecycle.session_migration WHERE site = $1 AND target = $2 AND closed_at IS NULL`,
    [site, target],
  );
  const [row] = rows;
  const left = ON_DEMAND_MINUTES * 60 - (row?.age ?? 0);
  return row && left > 0 ? { source: row.source, until: Date.now() + left * 1000 } : undefined;
}

/** `nothing`: the source holds nothing of it, or the target knows better; `too large`: it stays in the source. */
type Outcome = 'carried' | 'nothing' | 'too large';

/** Moves one session if the source still holds it, its row locked, so that two nodes never move it at once. */
export async function moveSession(
  database: Database,
  sid: string,
  source: SessionStore,
  target: SessionStore,
): Promise<Outcome> {
  return database.transaction(async (connection) => {
    const on = (store: SessionStore) => onConnection(store, connection, database.prefix);
    const locked = await connection.query(`SELECT id FROM ${database.prefix}sessions WHERE sid = $1 FOR UPDATE`, [sid]);
    if (locked.rows.length === 0) return 'nothing';
    const outcome = await copyOne(sid, on(source), on(target));
    if (outcome !== 'too large') await on(source).remove(sid);
    return outcome;
  });
}

/**
 * Copies every live session, or with `move` moves those not moved yet. The rows of `mdl_sessions` say which sessions
 * there are: Memcached cannot be asked.
 * @returns how many were copied and how many live ones were not, and of these how many the target cannot hold
 */
export async function copySessions(
  database: Database,
  source: SessionStore,
  target: SessionStore,
  timeoutSeconds: number,
  move: boolean,
): Promise<{ copied: number; skipped: number; tooLarge: number }> {
  const { rows } = await database.query<{ sid: string }>(
    `SELECT sid FROM ${database.prefix}sessions WHERE userid = 0 OR timemodified > $1 ORDER BY id`,
    [Math.floor(Date.now() / 1000) - timeoutSeconds],
  );
  let copied = 0;
  let tooLarge = 0;
  for (const { sid } of rows) {
    const outcome = await (move ? moveSession(database, sid, source, target) : copyOne(sid, source, target));
    if (outcome === 'carried') copied += 1;
    if (outcome === 'too large') tooLarge += 1;
  }
  return { copied, skipped: rows.length - copied, tooLarge };
}

/**
 * What the database still holds is the newer, because every move out of it empties it: the other store then has only
 * an earlier copy.
 */
async function copyOne(sid: string, source: SessionStore, target: SessionStore): Promise<Outcome> {
  const text = await source.read(sid);
  if (text === undefined || (target.name === 'database' && (await target.read(sid)) !== undefined)) return 'nothing';
  try {
    await target.write(sid, text);
  } catch (error) {
    if (error instanceof SessionTooLarge) return 'too large';
    throw error;
  }
  return 'carried';
}

/** The database store must use the connection that holds the row's lock, or it would wait for itself. */
function onConnection(store: SessionStore, connection: Queryable, prefix: string): SessionStore {
  return store.name === 'database' ? databaseStore(connection, prefix) : store;
}
