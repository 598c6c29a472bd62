import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database.ts';
import { acknowledge } from '../node.ts';
import { codeVersions, readPlugins } from '../plugins/code.ts';
import { inWords, versionDifferences } from '../plugins/versions.ts';
import { say } from '../say.ts';
import type { Settings } from '../settings.ts';
import { isUpgradeAtWork } from './update-run.ts';

const POLL_MILLISECONDS = 250;

/**
 * Returns when this node's code and the database agree. Code that is newer waits: the rollout upgrades the database once
 * its new nodes are there, and then they serve at once.
 *
 * @param stopped the node is told to end; then returns too
 * @throws Error when the code is older than the database
 */
export async function waitForUpgrade(
  database: Database,
  settings: Settings,
  node: string,
  stopped?: AbortSignal,
): Promise<void> {
  const code = codeVersions(readPlugins(settings.dirroot));
  let said = '';
  while (!stopped?.aborted) {
    const { newer, older, missing } = await versionDifferences(database, code);
    if (older.length > 0) {
      throw new Error(
        `the code is older than the database: ${inWords(older)}. Moodle refuses that, and may damage the database. This ` +
          'node does not serve; start one with the code that made the database.',
      );
    }
    const without = missing.map(({ component }) => component);
    if (newer.length === 0 && !(await isUpgradeAtWork(database, settings.site, without))) return;
    const reason =
      newer.length > 0
        ? `the database awaits an upgrade: ${inWords(newer)}`
        : 'an upgrade of the database is under way';
    if (reason !== said) {
      said = reason;
      say(`waiting before serving: ${reason}`);
      await acknowledge(database, settings, node, 'waiting-for-upgrade', {
        newer: newer.map(({ component }) => component),
        reason,
      });
    }
    await sleep(POLL_MILLISECONDS);
  }
}
