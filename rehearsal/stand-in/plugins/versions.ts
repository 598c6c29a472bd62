import { createHash } from 'node:crypto';
import { type Database, readConfig } from '../database.ts';
import { MOODLE_VERSION } from '../version.ts';

/** One component's version in code and database, null where it is not there. */
export interface ComponentVersion {
  readonly component: string;
  readonly code: number | null;
  readonly database: number | null;
}

export interface VersionDifferences {
  /** Newer than the database, or not yet in it. */
  readonly newer: readonly ComponentVersion[];
  readonly older: readonly ComponentVersion[];
  /** In the database alone. */
  readonly missing: readonly ComponentVersion[];
}

/** Every component of which code and database have different versions. */
export async function versionDifferences(
  database: Database,
  code: ReadonlyMap<string, number>,
): Promise<VersionDifferences> {
  const { rows } = await database.query<{ plugin: string; value: string }>(
    `SELECT plugin, value FROM ${database.prefix}config_plugins WHERE name = 'version' ORDER BY plugin`,
  );
  const core = (await readConfig(database)).get('version');
  const there = new Map(rows.map(({ plugin, value }) => [plugin, Number(value)]));
  if (core) there.set('core', Number(core));
  const all = [...new Set([...code.keys(), ...there.keys()])].map((component) => ({
    component,
    code: code.get(component) ?? null,
    database: there.get(component) ?? null,
  }));
  return {
    newer: all.filter(({ code, database }) => code !== null && (database === null || code > database)),
    older: all.filter(({ code, database }) => code !== null && database !== null && code < database),
    missing: all.filter(({ code }) => code === null),
  };
}

export function inWords(versions: readonly ComponentVersion[]): string {
  return versions
    .map(({ component, code, database }) => `${component} (${code ?? 'none'}, database ${database ?? 'none'})`)
    .join(', ');
}

/** By which Moodle knows that code and database are of the same versions. */
export function allVersionsHash(code: ReadonlyMap<string, number>): string {
  const plugins = [...code].filter(([component]) => component !== 'core').map((pair) => pair.join('='));
  return sha1([MOODLE_VERSION, ...plugins.sort()].join(','));
}

/** By which Moodle knows that a plugin came or went. */
export function allComponentHash(code: ReadonlyMap<string, number>): string {
  return sha1([...code.keys()].sort().join(','));
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
