import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase, readConfig } from '../database.ts';
import { readMarker } from '../install-marker.ts';
import { acknowledge, readNodeId } from '../node.ts';
import { openNodeParts } from '../node-parts.ts';
import { say } from '../say.ts';
import { serving } from '../serving.ts';
import type { Settings } from '../settings.ts';
import { readSiteState } from '../site-state.ts';
import { waitForUpgrade } from '../update/wait-for-upgrade.ts';

/** Waits for the installed database, then runs a round every `cronSeconds` until SIGTERM. */
export async function cron(settings: Settings): Promise<void> {
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  const pause = (seconds: number) => sleep(seconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined);
  const node = await readNodeId(settings.metadataUri);
  const database = await openDatabase(settings);
  let told = false;
  while (!stop.signal.aborted && !(await isInstalled(database, settings))) {
    if (!told) say('cron waits: the site is not installed yet');
    told = true;
    await pause(1);
  }
  if (!stop.signal.aborted) await waitForUpgrade(database, settings, node, stop.signal);
  if (!stop.signal.aborted) {
    const parts = await openNodeParts(database, settings);
    await acknowledge(database, settings, node, 'serving', serving('cron', settings, parts));
    while (!stop.signal.aborted) {
      // Moodle's `admin/cli/cron.php --disable`.
      if ((await readConfig(database)).get('cron_enabled') !== '0') await round(database);
      await pause(settings.cronSeconds);
    }
    parts.close();
  }
  await database.close();
  say('cron stopped');
}

async function isInstalled(database: Database, { site }: Settings): Promise<boolean> {
  const marker = await readMarker(database, site);
  const state = await readSiteState(database, marker);
  return state.kind === 'installed' && !(marker?.started && !marker.finished);
}

async function round(database: Database): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  await database.query(
    `INSERT INTO ${database.prefix}config_plugins (plugin, name, value) VALUES ('tool_task', 'lastcronstart', $1)
     ${database.words.orUpdate('plugin, name', ['value'])}`,
    [String(now)],
  );
  await database.query(`UPDATE ${database.prefix}task_scheduled SET lastruntime = $1, nextruntime = $2`, [
    now,
    now + 60,
  ]);
  say('cron: one round');
}
