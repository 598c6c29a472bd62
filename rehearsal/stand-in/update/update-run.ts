import type { Database } from '../database.ts';

const MOMENTS = ['maintenance_since', 'upgrade_started_at', 'upgrade_ended_at', 'maintenance_ended_at'] as const;
export type Moment = (typeof MOMENTS)[number];

/** The site's open update. Moments are seconds since 1970 by the database's clock. */
export interface UpdateRun extends Readonly<Record<Moment, number | null>> {
  readonly site: string;
  readonly execution: string;
}

/**
 * The open update of this site, which must have come to its upgrade and hold the site.
 *
 * @throws Error when there is none; then nothing was done
 */
export async function readUpgradingRun(database: Database, site: string): Promise<UpdateRun> {
  const moments = MOMENTS.map((moment) => `${database.words.epoch(`r.${moment}`)} AS ${moment}`).join(', ');
  const { rows } = await database.query<UpdateRun & { stage: string; holder: string | null }>(
    `SELECT r.site, r.execution, r.stage, h.execution AS holder, ${moments}
     FROM moodle_lifecycle.update_run r LEFT JOIN moodle_lifecycle.rollout_hold h ON h.site = r.site
     WHERE r.site = $1 AND r.finished_at IS NULL`,
    [site],
  );
  const [row] = rows;
  const refuse = (why: string) =>
    new Error(`This task must not change the database: ${why}. Nothing was done. Start the rollout plugin-update.`);
  if (!row) throw refuse('no update of this site is under way (moodle_lifecycle.update_run)');
  const { stage, holder, ...run } = row;
  if (stage !== 'upgrading') throw refuse(`the update of this site is at “${stage}”, not at its upgrade`);
  if (holder !== run.execution) throw refuse('the site is not held by the update that is under way');
  return { ...run, ...Object.fromEntries(MOMENTS.map((moment) => [moment, numberOrNull(run[moment])])) };
}

/**
 * Whether a rollout upgrades this site's database now, or is about to for code like this: what a removed plugin leaves is
 * nothing newer.
 *
 * @param missing components of the database that this code does not have
 */
export async function isUpgradeAtWork(database: Database, site: string, missing: readonly string[]): Promise<boolean> {
  const {
    rows: [run],
  } = await database.query<{ plan: unknown; upgrade_started_at: unknown }>(
    `SELECT plan, upgrade_started_at FROM moodle_lifecycle.update_run
     WHERE site = $1 AND finished_at IS NULL AND stage = 'upgrading' AND upgrade_ended_at IS NULL`,
    [site],
  );
  if (!run) return false;
  const plan = typeof run.plan === 'string' ? JSON.parse(run.plan) : run.plan;
  const changes: readonly { component: string; to: unknown }[] = plan.changes ?? [];
  return (
    run.upgrade_started_at !== null || changes.some(({ component, to }) => to === null && missing.includes(component))
  );
}

/** Holds for statements of an update whose execution still has the site. */
const HELD = `finished_at IS NULL AND EXISTS
  (SELECT 1 FROM moodle_lifecycle.rollout_hold h WHERE h.site = $1 AND h.execution = $2)`;

/**
 * Writes this moment.
 *
 * @returns seconds since 1970, by the clock of the database
 * @throws Error when the rollout no longer holds the site
 */
export async function mark(database: Database, { site, execution }: UpdateRun, moment: Moment): Promise<number> {
  await database.query(
    `UPDATE moodle_lifecycle.update_run SET ${moment} = ${database.words.now}
     WHERE site = $1 AND execution = $2 AND ${HELD}`,
    [site, execution],
  );
  const { rows } = await database.query<{ moment: number }>(
    `SELECT ${database.words.epoch(moment)} AS moment FROM moodle_lifecycle.update_run
     WHERE site = $1 AND execution = $2 AND ${HELD}`,
    [site, execution],
  );
  if (!rows[0]?.moment) {
    throw new Error('The rollout that asked for this no longer holds the site. What had not begun was not done.');
  }
  return Number(rows[0].moment);
}

/** Whether an upgrade of this update began: the rows that it changes were kept, right before it. */
export async function hasRowsBefore(database: Database, { site, execution }: UpdateRun): Promise<boolean> {
  const { rows } = await database.query(
    'SELECT 1 AS there FROM moodle_lifecycle.update_row_before WHERE site = $1 AND execution = $2 LIMIT 1',
    [site, execution],
  );
  return rows.length > 0;
}

/** Keeps the rows that an upgrade changes where it changes no table. */
export async function keepRows(
  database: Database,
  { site, execution }: UpdateRun,
  plugins: readonly string[],
): Promise<void> {
  const keep = (table: string, columns: string, which: string, values: readonly string[] = []) =>
    database.query(
      `INSERT INTO moodle_lifecycle.update_row_before (site, execution, table_name, plugin, name, value)
       SELECT $1, $2, '${table}', ${columns} FROM ${database.prefix}${table} c, moodle_lifecycle.update_run r
       WHERE (${which}) AND r.site = $1 AND r.execution = $2 AND ${HELD}`,
      [site, execution, ...values],
    );
  await keep(
    'config',
    "'', c.name, c.value",
    "c.name IN ('version', 'release', 'branch', 'allversionshash', 'allcomponenthash')",
  );
  const changing = plugins.map((_, index) => ` OR c.plugin = $${index + 3}`).join('');
  await keep('config_plugins', 'c.plugin, c.name, c.value', `c.name = 'version'${changing}`, plugins);
}

const numberOrNull = (value: unknown) => (value === null ? null : Number(value));
