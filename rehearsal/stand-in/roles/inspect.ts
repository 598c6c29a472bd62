import type { Database } from '../database.ts';
import { acknowledge } from '../node.ts';
import { openNodeParts } from '../node-parts.ts';
import { openRolloutSession } from '../rollout-session.ts';
import type { Settings } from '../settings.ts';
import type { Outcome } from './one-off.ts';

/**
 * What a rollout has to know of the site with this node's code. The stand-in runs no PHP, so its pages are always whole.
 *
 * @throws Error when the words are not those of the role
 */
export async function inspect(
  database: Database,
  settings: Settings,
  node: string,
  what: readonly string[],
): Promise<Outcome> {
  if (what.length === 0 || what.some((word) => word !== 'pages' && word !== 'session')) {
    throw new Error('The role is `inspect` with `pages`, `session` or both. Nothing was done.');
  }
  const whole = { kind: 'page', status: 200 };
  if (what.includes('session')) {
    const parts = await openNodeParts(database, settings);
    try {
      const opened = await openRolloutSession(database, parts.sessions);
      await acknowledge(database, settings, node, 'rollout-session', { ...opened });
    } finally {
      parts.close();
    }
  }
  return {
    ok: true,
    ...(what.includes('pages') ? { pages: { visitor: whole, administrator: whole } } : {}),
    ...(what.includes('session') ? { session: 'open' } : {}),
  };
}
