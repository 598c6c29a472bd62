import type { Database, Queryable } from './database.ts';
import type { SessionStoreName, Settings } from './settings.ts';
import { memcachedVersion, openMemcached } from './stores/memcached.ts';
import { openRedis } from './stores/redis.ts';

/** Where the text of a session lies. Its row in `mdl_sessions` exists with every store (Moodle's session manager). */
export interface SessionStore {
  readonly name: SessionStoreName;
  /** Throws when the store does not answer. */
  check(): Promise<void>;
  /** The session's text, or undefined when the store does not know it. */
  read(sid: string): Promise<string | undefined>;
  /** @throws SessionTooLarge with nothing written */
  write(sid: string, text: string): Promise<void>;
  /** Forgets the text; in the database the row stays. */
  remove(sid: string): Promise<void>;
  close(): void;
}

/** The store takes no text of that size. */
export class SessionTooLarge extends Error {
  override readonly name = 'SessionTooLarge';
}

/** Seconds that Moodle's Redis handler adds to `sessiontimeout`: an update interval of 20 and a minute. */
const GRACE_SECONDS = 80;

/** Begins every session key of a site, as the image has it, so that sites and caches can share a server. */
export function sessionPrefix(site: string): string {
  return `${site}:sessions:`;
}

/** @param timeoutSeconds Moodle's `sessiontimeout` */
export function openSessionStore(
  name: SessionStoreName,
  settings: Pick<Settings, 'site' | 'sessionServer' | 'certificateAuthority'>,
  database: Database,
  timeoutSeconds: number,
): SessionStore {
  if (name === 'database') return databaseStore(database, database.prefix);
  if (settings.sessionServer.type !== name) {
    throw new Error(`sessions shall be in ${name}, but this site's session server is ${settings.sessionServer.type}`);
  }
  const lifetime = timeoutSeconds + GRACE_SECONDS;
  return name === 'redis' ? redisStore(settings, lifetime) : memcachedStore(settings, lifetime);
}

export function databaseStore(database: Queryable, prefix: string): SessionStore {
  const table = `${prefix}sessions`;
  return {
    name: 'database',
    check: async () => void (await database.query(`SELECT 1 FROM ${table} LIMIT 1`)),
    async read(sid) {
      const { rows } = await database.query<{ sessdata: string | null }>(
        `SELECT sessdata FROM ${table} WHERE sid = $1`,
        [sid],
      );
      const sessdata = rows[0]?.sessdata;
      return sessdata ? Buffer.from(sessdata, 'base64').toString('utf8') : undefined;
    },
    async write(sid, text) {
      const sessdata = Buffer.from(text, 'utf8').toString('base64');
      await database.query(`UPDATE ${table} SET sessdata = $2 WHERE sid = $1`, [sid, sessdata]);
    },
    remove: async (sid) => void (await database.query(`UPDATE ${table} SET sessdata = NULL WHERE sid = $1`, [sid])),
    close: () => undefined,
  };
}

type ServerSettings = Pick<Settings, 'site' | 'sessionServer' | 'certificateAuthority'>;

/** Moodle 4.4's layout: the string `<prefix><sid>`, PHP-serialised, with a time to live. */
function redisStore({ site, sessionServer, certificateAuthority }: ServerSettings, lifetime: number): SessionStore {
  const client = openRedis({ ...sessionServer, tls: true, certificateAuthority });
  const key = (sid: string) => `${sessionPrefix(site)}${sid}`;
  return {
    name: 'redis',
    check: async () => void (await client.ping()),
    async read(sid) {
      const value = await client.getex(key(sid), 'EX', lifetime);
      return value === null ? undefined : phpUnserialiseString(value);
    },
    write: async (sid, text) => void (await client.set(key(sid), phpSerialiseString(text), 'EX', lifetime)),
    remove: async (sid) => void (await client.del(key(sid))),
    close: () => client.disconnect(),
  };
}

function memcachedStore({ site, sessionServer }: ServerSettings, lifetime: number): SessionStore {
  const client = openMemcached(sessionServer);
  const key = (sid: string) => `${sessionPrefix(site)}${sid}`;
  return {
    name: 'memcached',
    check: async () => void (await memcachedVersion(client)),
    async read(sid) {
      return (await client.get(key(sid))).value?.toString('utf8') || undefined;
    },
    async write(sid, text) {
      try {
        await client.set(key(sid), text, { expires: lifetime });
      } catch (error) {
        // Memcached's own words for its status 3.
        throw String(error).includes('Value too large') ? new SessionTooLarge() : error;
      }
    },
    remove: async (sid) => void (await client.delete(key(sid))),
    close: () => client.close(),
  };
}

export function phpSerialiseString(text: string): string {
  return `s:${Buffer.byteLength(text)}:"${text}";`;
}

/** @throws Error when the value is no PHP-serialised string */
export function phpUnserialiseString(value: string): string {
  const match = /^s:(\d+):"(.*)";$/s.exec(value);
  if (match?.[2] === undefined || Buffer.byteLength(match[2]) !== Number(match[1])) {
    throw new Error('a session in Redis is not a PHP-serialised string');
  }
  return match[2];
}
