import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MoodleSite } from './moodle-bench.ts';

const EXECUTION = 'arn:aws:states:eu-central-1:111122223333:execution:update:test';

/** Writes what the rollout's functions write before they run the upgrade's tasks: the hold, and an open update. */
export async function openUpdate(site: MoodleSite): Promise<void> {
  await site.sql(
    `INSERT INTO moodle_lifecycle.rollout_hold (site, execution, since, reason, before_rollout) VALUES ($1, $2, now(), 'test', '{}')
     ON CONFLICT (site) DO NOTHING`,
    site.name,
    EXECUTION,
  );
  await site.sql(
    `INSERT INTO moodle_lifecycle.update_run (site, execution, origin, stage, plan, started_at) VALUES ($1, $2, $2, 'upgrading', '{}', now())`,
    site.name,
    EXECUTION,
  );
}

/** Ends the open update, as the functions do. */
export async function closeUpdate(site: MoodleSite): Promise<void> {
  await site.sql(`DELETE FROM moodle_lifecycle.update_row_before`);
  await site.sql(`DELETE FROM moodle_lifecycle.update_run`);
}

export const openRun = async (site: MoodleSite) => (await site.sql('SELECT * FROM moodle_lifecycle.update_run'))[0];

export const inMaintenance = (site: MoodleSite): boolean => existsSync(join(site.dataroot, 'climaintenance.html'));

/** Moodle's own records of what was done or is to be done, what changes while nobody does anything, and marks of caches. */
const volatile = new Set(
  [
    'upgrade_log',
    'config_log',
    'logstore_standard_log',
    'sessions',
    'lock_db',
    'task_log',
    'task_adhoc',
    'user',
    'cache_flags',
  ].map((name) => `mdl_${name}`),
);
const volatileSettings =
  /rev$|^(localcachedirpurged|lastcron|scheduledtaskreset|upgraderunning|outagelessupgrade|jsrev|cron_.*|.*lastfetch.*)$/;

/** A checksum of each of Moodle's tables, over what an update could change and must bring back. */
export async function contentOf(site: MoodleSite): Promise<Record<string, string>> {
  const tables = await site.sql(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name LIKE 'mdl\\_%' ORDER BY 1`,
  );
  const sums: Record<string, string> = {};
  for (const { name } of tables as { name: string }[]) {
    if (volatile.has(name)) continue;
    const rows = (await site.sql(`SELECT to_jsonb(t) AS row FROM ${name} t`)) as { row: Record<string, unknown> }[];
    const settings = /^mdl_config(_plugins)?$/.test(name);
    const kept = rows
      .map(({ row }) => row)
      .filter((row) => !(settings && volatileSettings.test(String(row.name))))
      .map(({ id, lastruntime, nextruntime, timemodified, cacherev, ...row }) =>
        JSON.stringify(settings ? row : { id, ...row }),
      );
    sums[name] = createHash('sha1').update(kept.sort().join('\n')).digest('hex');
  }
  return sums;
}
