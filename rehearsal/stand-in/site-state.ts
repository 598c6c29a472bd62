import { type Database, moodleTables, readConfig } from './database.ts';
import type { InstallMarker } from './install-marker.ts';

/** What the database holds. That it cannot be told is an error thrown, never a fourth answer. */
export type SiteState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'installed'; readonly config: ReadonlyMap<string, string> }
  | { readonly kind: 'unfinished'; readonly tables: readonly string[] };

export async function readSiteState(database: Database, marker: InstallMarker | undefined): Promise<SiteState> {
  const tables = await moodleTables(database);
  if (tables.length === 0) return { kind: 'absent' };
  const unfinished: SiteState = { kind: 'unfinished', tables };
  if (!tables.includes(`${database.prefix}config`)) return unfinished;
  const config = await readConfig(database);
  if (!isComplete(config, Date.now() / 1000)) return unfinished;
  // `rolesactive` is set well before the end; `registrationpending` is the last row that an installer writes.
  if (marker?.started && !marker.finished && !config.has('registrationpending')) return unfinished;
  // A wizard left half way is whole only where a rollout asked for a finish in the browser.
  if (config.get('adminsetuppending') && marker?.finish !== 'browser') return unfinished;
  return { kind: 'installed', config };
}

/** @param now Unix time in seconds */
export function isComplete(config: ReadonlyMap<string, string>, now: number): boolean {
  return (
    Boolean(config.get('version')) &&
    Boolean(config.get('allversionshash')) &&
    config.get('rolesactive') === '1' &&
    Number(config.get('upgraderunning') ?? 0) <= now
  );
}
