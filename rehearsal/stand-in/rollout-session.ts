import type { Database } from './database.ts';
import type { Sessions } from './sessions.ts';
import { html, type PageAnswer, type PageRequest } from './web/exchange.ts';

/** The user as whom a rollout follows one session across the nodes; nobody can sign in as that one. */
const ROLLOUT_USER = 'moodle-lifecycle';
/** A rollout follows it within minutes. */
const SESSION_SECONDS = 30 * 60;

/** As Moodle names it where `sessioncookie` is empty. */
export const SESSION_COOKIE = 'MoodleSession';

/** How to come with the session. */
export interface OpenedSession {
  readonly cookie: string;
  readonly sid: string;
  /** Seconds since 1970. */
  readonly until: number;
}

export async function openRolloutSession(database: Database, sessions: Sessions): Promise<OpenedSession> {
  await removeUser(database);
  const now = Math.floor(Date.now() / 1000);
  await database.query(
    `INSERT INTO ${database.prefix}user (auth, confirmed, mnethostid, username, password, firstname, lastname, email, timecreated, timemodified)
     VALUES ('manual', 1, 1, $1, 'not cached', 'Moodle', 'Lifecycle', 'moodle-lifecycle@invalid.invalid', $2, $2)`,
    [ROLLOUT_USER, now],
  );
  const { rows } = await database.query<{ id: number }>(
    `SELECT id FROM ${database.prefix}user WHERE username = $1 AND email LIKE '%@invalid.invalid'`,
    [ROLLOUT_USER],
  );
  const session = await sessions.logIn(await sessions.open(undefined, '127.0.0.1'), rows[0]?.id ?? 0, '127.0.0.1');
  const until = now + SESSION_SECONDS;
  await sessions.save({ ...session, data: { ...session.data, rolloutUntil: until } });
  return { cookie: SESSION_COOKIE, sid: session.sid, until };
}

/** Whether this node has the session with which the client comes, for one that `inspect session` opened. A POST ends it. */
export async function answerRolloutSession(
  database: Database,
  sessions: Sessions,
  { method, cookies, address }: PageRequest,
): Promise<PageAnswer> {
  const { sid, data } = await sessions.open(cookies.get(SESSION_COOKIE), address);
  const known = (data.rolloutUntil ?? 0) > Date.now() / 1000;
  if (!known || method === 'POST') await sessions.destroy(sid);
  if (known && method === 'POST') await removeUser(database);
  const session = known ? (method === 'POST' ? 'ended' : 'known') : 'unknown';
  return html(JSON.stringify({ session }), known ? 200 : 404, { 'Content-Type': 'application/json' });
}

async function removeUser(database: Database): Promise<void> {
  await database.query(`DELETE FROM ${database.prefix}user WHERE username = $1 AND email LIKE '%@invalid.invalid'`, [
    ROLLOUT_USER,
  ]);
}
