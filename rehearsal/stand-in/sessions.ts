import { randomBytes } from 'node:crypto';
import type { Database } from './database.ts';
import { moveSession } from './move-sessions.ts';
import type { SessionStore } from './session-stores.ts';

/** What a session holds. */
export interface SessionData {
  userId: number;
  sesskey: string;
  /** The only token that a login from this session may carry. */
  loginToken?: string;
  loginError?: string;
  /** The browser has shown that it keeps cookies (Moodle's `$SESSION->sessionverify`). */
  sessionVerify?: boolean;
  /** The administrator who has still to finish the install (Moodle's `$USER->newadminuser`). */
  newAdminUser?: boolean;
  /** Until when (seconds since 1970) this is the session of a rollout's own user (the image's `$SESSION->moodle_lifecycle_until`). */
  rolloutUntil?: number;
}

/** The session of one request. */
export interface Session {
  sid: string;
  /** The browser has to be given the cookie. */
  isNew: boolean;
  data: SessionData;
}

/** Moodle's session manager: rows in `mdl_sessions`, texts in the store. */
export class Sessions {
  readonly #database: Database;
  readonly #store: SessionStore;
  readonly #timeoutSeconds: number;
  readonly #migrationSource: SessionStore | undefined;
  readonly #migrationUntil: number;

  /**
   * @param migration the store that sessions are fetched from on demand, until this time (milliseconds)
   */
  constructor(
    database: Database,
    store: SessionStore,
    timeoutSeconds: number,
    migration?: { source: SessionStore; until: number },
  ) {
    this.#database = database;
    this.#store = store;
    this.#timeoutSeconds = timeoutSeconds;
    this.#migrationSource = migration?.source;
    this.#migrationUntil = migration?.until ?? 0;
  }

  /** The session of a cookie; a new one when the cookie is missing, unknown or too old. */
  async open(sid: string | undefined, address: string): Promise<Session> {
    if (sid === undefined || !/^[0-9a-z]{26,128}$/.test(sid)) return this.#make(0, address);
    if (this.#migrationSource && Date.now() < this.#migrationUntil) {
      await moveSession(this.#database, sid, this.#migrationSource, this.#store);
    }
    const now = Math.floor(Date.now() / 1000);
    const { rows } = await this.#database.query<{ userid: number; timemodified: number; lastip: string }>(
      `SELECT userid, timemodified, lastip FROM ${this.#database.prefix}sessions WHERE sid = $1`,
      [sid],
    );
    const [row] = rows;
    const text = await this.#store.read(sid);
    const outdated = row !== undefined && row.userid > 0 && row.timemodified < now - this.#timeoutSeconds;
    if (row === undefined || text === undefined || outdated) {
      // "This happens when people switch session handlers": Moodle deletes the row of a cookie unknown to the store,
      // so that going back to the old handler does not bring the session back either.
      await this.destroy(sid);
      return this.#make(0, address);
    }
    if (row.lastip !== address || row.timemodified < now - 20) {
      await this.#database.query(
        `UPDATE ${this.#database.prefix}sessions SET lastip = $2, timemodified = $3 WHERE sid = $1`,
        [sid, address, now],
      );
    }
    return { sid, isNew: false, data: JSON.parse(text) };
  }

  /** Gives the user of a login a session with a new id; the old id is gone. */
  async logIn(old: Session, userId: number, address: string): Promise<Session> {
    await this.destroy(old.sid);
    return this.#make(userId, address);
  }

  async save({ sid, data }: Session): Promise<void> {
    await this.#store.write(sid, JSON.stringify(data));
  }

  async destroy(sid: string): Promise<void> {
    await this.#database.query(`DELETE FROM ${this.#database.prefix}sessions WHERE sid = $1`, [sid]);
    await this.#store.remove(sid);
  }

  async check(): Promise<void> {
    await this.#store.check();
  }

  async #make(userId: number, address: string): Promise<Session> {
    const sid = randomBytes(16).toString('hex');
    const now = Math.floor(Date.now() / 1000);
    await this.#database.query(
      `INSERT INTO ${this.#database.prefix}sessions (sid, userid, timecreated, timemodified, firstip, lastip)
       VALUES ($1, $2, $3, $3, $4, $4)`,
      [sid, userId, now, address],
    );
    const session = { sid, isNew: true, data: { userId, sesskey: randomBytes(5).toString('hex') } };
    await this.save(session);
    return session;
  }
}
