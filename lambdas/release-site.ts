import { makeHandler } from './shared/handler.ts';
import { holdLost, type Rollout, readHold, releaseHold } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { settingsFrom } from './shared/settings.ts';

export interface ReleasedSite {
  readonly released: string;
  readonly heldSeconds?: number;
}

/**
 * Lets the next rollout have the site. Only this execution's own hold is removed.
 *
 * @throws HoldLost when another execution holds the site by now
 */
export async function releaseSite(
  { database }: { readonly database: MoodleDatabase },
  { site, execution }: Rollout,
): Promise<ReleasedSite> {
  const rollout = { site, execution };
  const hold = await readHold(database, site);
  if (hold && hold.execution !== execution) throw holdLost(rollout, hold.execution);
  if (!(await releaseHold(database, rollout))) return { released: 'had been released already' };
  return {
    released: 'the site is free for the next rollout',
    ...(hold ? { heldSeconds: Math.round(Date.now() / 1000 - hold.since) } : {}),
  };
}

export const handler = makeHandler('Release the site', () => ({ database: openDatabase(settingsFrom()) }), releaseSite);
