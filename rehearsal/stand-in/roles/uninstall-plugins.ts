import type { Database } from '../database.ts';
import { readPlugins } from '../plugins/code.ts';
import { readDeclaredTables } from '../plugins/declared-tables.ts';
import type { Settings } from '../settings.ts';
import { inUpgradeWindow } from '../update/upgrade-window.ts';
import type { Outcome } from './one-off.ts';

/**
 * Removes plugins, whose code this image still has, with all their data. Maintenance stays on: the upgrade to the image
 * without their code follows.
 *
 * @throws Error when a word names no component
 */
export async function uninstallPlugins(
  database: Database,
  settings: Settings,
  node: string,
  components: readonly string[],
): Promise<Outcome> {
  if (components.length === 0 || !components.every((one) => /^[a-z][a-z0-9]*_[a-z][a-z0-9_]*$/.test(one))) {
    throw new Error(
      'The role is `uninstall-plugins <component> …`, each a type and a name like mod_x. Nothing was done.',
    );
  }
  const plugins = readPlugins(settings.dirroot);
  return inUpgradeWindow(database, settings, node, async (window) => {
    const { rows } = await database.query<{ plugin: string }>(
      `SELECT plugin FROM ${database.prefix}config_plugins WHERE name = 'version'`,
    );
    const known = new Set(rows.map(({ plugin }) => plugin));
    const there = components.filter((component) => known.has(component));
    const unknown = components.filter((component) => !known.has(component));
    if (there.length === 0) return { ok: true, uninstalled: [], unknown };
    if (window.run.upgrade_started_at !== null) {
      window.changes();
      throw new Error(
        'An earlier task of this rollout began to uninstall and was killed in it. The database has to go back.',
      );
    }
    await window.open(true);
    window.changes();
    await window.enter('uninstalling');
    for (const component of there) {
      for (const { name } of readDeclaredTables(plugins.get(component)?.declaredTables)) {
        await database.query(`DROP TABLE IF EXISTS ${database.prefix}${name}`);
      }
      await database.query(`DELETE FROM ${database.prefix}config_plugins WHERE plugin = $1`, [component]);
    }
    return { ok: true, uninstalled: there, unknown };
  });
}
