import { type Rollout, write } from './hold.ts';
import { type MoodleDatabase, number } from './moodle-database.ts';
import type { Settings } from './settings.ts';

/**
 * Gives the rows that Moodle's upgrade of code alone changes what they had before it, all at once: which ones that are
 * the image's `upgrade` wrote down before it began.
 *
 * @param words what the update's row says from then on, so that it is not done again
 * @throws HoldLost
 */
export async function putRowsBack(
  database: MoodleDatabase,
  { databasePrefix: prefix }: Pick<Settings, 'databasePrefix'>,
  rollout: Rollout,
  words: string,
): Promise<void> {
  // Rows of this update: it is the site's open one, whoever works on it now.
  const kept = (table: string) => `moodle_lifecycle.update_row_before AS kept
      JOIN moodle_lifecycle.update_run AS run
        ON run.site = kept.site AND run.origin = kept.execution AND run.finished_at IS NULL
     WHERE kept.site = :site AND kept.table_name = '${table}'`;
  await database.transaction(async (statements) => {
    const change = (sql: string, parameters = {}) => write(statements, rollout, sql, parameters, { orNone: true });
    await change(
      `UPDATE moodle_lifecycle.update_run SET database_back = :words
        WHERE site = :site AND execution = :execution AND finished_at IS NULL AND {held}`,
      { words },
    );
    // A task that was killed before it wrote them down had changed nothing; without them every version would go.
    const [versions] = await statements.query(
      `SELECT count(*) AS kept FROM ${kept('config_plugins')} AND kept.name = 'version'`,
      { site: rollout.site },
    );
    if (number(versions, 'kept') === 0) return;
    // Of `config`, the value NULL says that there was no such row.
    const named = `kept.name = ${prefix}config.name`;
    await change(
      `DELETE FROM ${prefix}config
        WHERE EXISTS (SELECT 1 FROM ${kept('config')} AND ${named} AND kept.value IS NULL) AND {held}`,
    );
    await change(
      `UPDATE ${prefix}config SET value = (SELECT kept.value FROM ${kept('config')} AND ${named})
        WHERE EXISTS (SELECT 1 FROM ${kept('config')} AND ${named}) AND {held}`,
    );
    await change(
      `INSERT INTO ${prefix}config (name, value)
       SELECT kept.name, kept.value FROM ${kept('config')} AND kept.value IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM ${prefix}config WHERE ${named}) AND {held}`,
    );
    const same = `kept.plugin = ${prefix}config_plugins.plugin AND kept.name = ${prefix}config_plugins.name`;
    await change(
      `UPDATE ${prefix}config_plugins SET value = (SELECT kept.value FROM ${kept('config_plugins')} AND ${same})
        WHERE EXISTS (SELECT 1 FROM ${kept('config_plugins')} AND ${same}) AND {held}`,
    );
    await change(
      `INSERT INTO ${prefix}config_plugins (plugin, name, value)
       SELECT kept.plugin, kept.name, kept.value FROM ${kept('config_plugins')}
          AND NOT EXISTS (SELECT 1 FROM ${prefix}config_plugins WHERE ${same}) AND {held}`,
    );
    // Versions of plugins that were not there before, and settings that the new code brought.
    await change(
      `DELETE FROM ${prefix}config_plugins
        WHERE (name = 'version'
               OR plugin IN (SELECT kept.plugin FROM ${kept('config_plugins')} AND kept.name <> 'version'))
          AND NOT EXISTS (SELECT 1 FROM ${kept('config_plugins')} AND ${same}) AND {held}`,
    );
  });
}
