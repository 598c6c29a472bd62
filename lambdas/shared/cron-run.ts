import { CronNotYetRun } from './errors.ts';
import { type MoodleDatabase, textOrNull } from './moodle-database.ts';

/** What a rollout found of cron: no node for it; switched off by an administrator; not at work for long; at work. */
export type CronLook = 'none' | 'off' | 'not running' | 'running';

/**
 * A run begins again after 180 s of `--keep-alive`, unless one task of it takes longer: a backup of large courses takes
 * hours. Half a day without a beginning is a cron that does not run.
 */
const longestRunSeconds = 12 * 60 * 60;

/** @param nodes that the cron service wants */
export async function lookAtCron(database: MoodleDatabase, prefix: string, nodes: number): Promise<CronLook> {
  if (nodes === 0) return 'none';
  if (await isSwitchedOff(database, prefix)) return 'off';
  return (await lastStart(database, prefix)) > Date.now() / 1000 - longestRunSeconds ? 'running' : 'not running';
}

/**
 * Whether cron has begun a run, in words. One that an administrator has switched off, or that did not run before, is not
 * waited for.
 *
 * @param since seconds since 1970
 * @throws CronNotYetRun
 */
export async function cronSince(
  database: MoodleDatabase,
  prefix: string,
  since: number,
  before: CronLook | undefined,
): Promise<string> {
  if (await isSwitchedOff(database, prefix)) return 'switched off by an administrator';
  const last = await lastStart(database, prefix);
  if (last >= Math.floor(since)) return `ran ${new Date(last * 1000).toISOString()}`;
  const ever = last > 0 ? `last at ${new Date(last * 1000).toISOString()}` : 'never';
  if (before === 'not running') return `not running, as before (${ever})`;
  throw new CronNotYetRun(`Moodle’s cron has not begun a run since this rollout began, nor shortly before (${ever}).`);
}

/** Moodle writes the time of every cron run into its own settings. */
async function lastStart(database: MoodleDatabase, prefix: string): Promise<number> {
  const [row] = await database.query(
    `SELECT value FROM ${prefix}config_plugins WHERE plugin = 'tool_task' AND name = 'lastcronstart'`,
  );
  return Number(textOrNull(row, 'value') ?? 0);
}

/** `admin/cli/cron.php --disable`, or the switch of *Site administration > Server > Tasks*: the command then ends with exit code 1. */
async function isSwitchedOff(database: MoodleDatabase, prefix: string): Promise<boolean> {
  const [row] = await database.query(`SELECT value FROM ${prefix}config WHERE name = 'cron_enabled'`);
  return row !== undefined && Number(textOrNull(row, 'value')) === 0;
}
