import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.ts';
import { install } from './install.ts';
import { markCleared, markFinished, markRefused, markStarted, readMarker } from './install-marker.ts';
import { say, wordsOf } from './say.ts';
import type { Settings } from './settings.ts';
import { readSiteState, type SiteState } from './site-state.ts';
import { EXPECTED_TABLES } from './tables.ts';

/** A node's refusal to install; nothing was touched. */
export class InstallRefused extends Error {
  override readonly name = 'InstallRefused';
}

/**
 * Returns when the database holds a whole Moodle: installed before, by another node meanwhile, or by this one.
 * @returns whether this node installed it
 * @throws InstallRefused when no rollout allows an install or the database may hold somebody's data
 */
export async function prepareSite(database: Database, settings: Settings, node: string): Promise<boolean> {
  let waiting = false;
  for (;;) {
    const marker = await readMarker(database, settings.site);
    const state = await readSiteState(database, marker);
    if (state.kind === 'installed' && (!marker?.started || marker.finished)) return false;
    if (state.kind === 'absent' && !marker?.allows) throw new InstallRefused(notAllowed(settings));
    const unlock = await database.tryLock('install', stopHalfInstalled);
    if (unlock) {
      try {
        return await installUnderLock(database, settings, node);
      } finally {
        await unlock();
      }
    }
    if (!waiting) say('another node installs the site; this one waits for it');
    waiting = true;
    await sleep(500);
  }
}

async function installUnderLock(database: Database, settings: Settings, node: string): Promise<boolean> {
  const { site } = settings;
  // Read again: what was true before the lock may have been changed by the node that held it.
  const marker = await readMarker(database, site);
  const state = await readSiteState(database, marker);
  if (state.kind === 'installed') {
    if (marker?.started && !marker.finished) await markFinished(database, site);
    return false;
  }
  if (state.kind === 'unfinished') {
    const doubt =
      marker?.started && !marker.finished
        ? await peoplesData(database, state)
        : 'no install of this site is marked as begun and not finished';
    if (doubt !== undefined) {
      const words =
        `the database holds ${state.tables.length} tables of an unfinished Moodle, but ${doubt}; ` +
        'nothing was touched. Look into the database, then drop its Moodle tables or restore a backup.';
      if (marker) await markRefused(database, site, words);
      throw new InstallRefused(words);
    }
    await clear(database, state);
    await markCleared(database, site, state.tables.length);
    say(`an install that was killed left ${state.tables.length} tables and nobody's data: cleared`);
  }
  if (!marker?.allows) throw new InstallRefused(notAllowed(settings));
  await markStarted(database, site, node, EXPECTED_TABLES);
  say(`installing, ${marker.finish}, ${EXPECTED_TABLES} tables in about ${settings.installSeconds} s`);
  await install(database, settings, marker.finish, (tables) => say(`${tables} of ${EXPECTED_TABLES} tables`));
  await markFinished(database, site);
  say('installed');
  return true;
}

/** In plain words why somebody's data may be in an unfinished database, or undefined when it holds nobody's. */
async function peoplesData(
  database: Database,
  state: Extract<SiteState, { kind: 'unfinished' }>,
): Promise<string | undefined> {
  const rowsOf = async (table: string) => {
    const name = `${database.prefix}${table}`;
    if (!state.tables.includes(name)) return 0;
    const { rows } = await database.query<{ n: number }>(`SELECT count(*) AS n FROM ${name}`);
    return rows[0]?.n ?? 0;
  };
  const users = await rowsOf('user');
  const courses = await rowsOf('course');
  if (users <= 2 && courses <= 1) return undefined;
  return `it holds somebody's data (${users} users, ${courses} courses)`;
}

async function clear(database: Database, state: Extract<SiteState, { kind: 'unfinished' }>): Promise<void> {
  for (const table of state.tables) await database.query(`DROP TABLE ${table} CASCADE`);
}

/** The lock died with its connection: another node may begin, so this one must not write another statement. */
function stopHalfInstalled(error: Error): never {
  say(`lost the connection that holds the install lock (${wordsOf(error)}); stopping here, half installed`);
  process.exit(1);
}

function notAllowed({ site }: Settings): string {
  return (
    `the database holds no Moodle and no rollout allows an install of ${site} ` +
    '(no open row in moodle_lifecycle.install_marker); nothing was touched. Start the install rollout.'
  );
}
