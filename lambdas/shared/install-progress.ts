import { isMissingTable } from './database-errors.ts';
import { type Rollout, write } from './hold.ts';
import { type MoodleDatabase, number, text, textOrNull } from './moodle-database.ts';
import type { SiteState } from './site-state.ts';

/**
 * Seconds since something last moved in an install, by the database's clock: tables, settings, plugins' settings,
 * capabilities, and the end that Moodle's `upgraderunning` names for each plugin. Measured on 4.5.6 on a machine four times
 * too busy, where the install took 240 s: after the last table 60 s more, and never longer than 32 s without one of these. A
 * slow install is told from one that stands still by them, and not by how long it takes.
 */
export async function secondsWithoutProgress(
  database: MoodleDatabase,
  rollout: Rollout,
  state: SiteState,
  prefix: string,
): Promise<number> {
  const signs = JSON.stringify([
    state.name,
    state.tables,
    state.marker?.attempt,
    state.marker?.started,
    state.marker?.finished,
    await rowsOf(database, prefix),
  ]);
  const { epoch, now, orUpdate } = database.dialect;
  const [row] = await database.query(
    `SELECT execution, signs, ${epoch(now)} - ${epoch('moved_at')} AS seconds
       FROM moodle_lifecycle.install_progress WHERE site = :site`,
    { site: rollout.site },
  );
  if (row && text(row, 'execution') === rollout.execution && text(row, 'signs') === signs)
    return number(row, 'seconds');
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.install_progress (site, execution, signs, moved_at)
     SELECT :site, :execution, :signs, ${now} WHERE {held}
     ${orUpdate(['site'], ['execution', 'signs', 'moved_at'])}`,
    { signs },
    { orNone: true },
  );
  return 0;
}

/** What an install writes once its first tables are there; undefined before. */
async function rowsOf(database: MoodleDatabase, prefix: string): Promise<string | undefined> {
  const count = (table: string) => `(SELECT count(*) FROM ${prefix}${table})`;
  try {
    const [row] = await database.query(
      `SELECT ${count('config')} AS settings, ${count('config_plugins')} AS of_plugins, ${count('capabilities')} AS capabilities,
              (SELECT max(value) FROM ${prefix}config WHERE name = 'upgraderunning') AS running`,
    );
    const { settings, of_plugins, capabilities } = row ?? {};
    return [settings, of_plugins, capabilities, textOrNull(row, 'running')].join();
  } catch (error) {
    if (isMissingTable(error)) return undefined;
    throw error;
  }
}
