import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, setConfig, setPluginVersion } from '../database.ts';
import { codeVersions, type PluginCode, readPlugins } from '../plugins/code.ts';
import { statementsToDeclared } from '../plugins/declared-tables.ts';
import { allComponentHash, allVersionsHash, inWords, versionDifferences } from '../plugins/versions.ts';
import { wordsOf } from '../say.ts';
import type { Settings } from '../settings.ts';
import { hasRowsBefore, keepRows, mark, type UpdateRun } from '../update/update-run.ts';
import { type UpgradeNeeds, upgradeNeeds } from '../update/upgrade-needs.ts';
import { inUpgradeWindow, type UpgradeWindow } from '../update/upgrade-window.ts';
import { type Outcome, RoleProblem } from './one-off.ts';

/** What an upgrade to this code would do. Changes nothing. */
export async function planUpgrade(database: Database, { dirroot }: Settings): Promise<Outcome> {
  const { pending, why, newer, older, missing } = await upgradeNeeds(database, readPlugins(dirroot));
  return {
    ok: true,
    pending,
    maintenanceRequired: why !== undefined || older.length > 0,
    ...(why ? { why } : {}),
    older: older.map(({ component }) => component),
    missing,
    plugins: newer,
  };
}

/**
 * Brings the database to this code, once. Half an upgrade is never continued: the rollout puts the database back.
 *
 * @throws Error when the words are not those of the role
 */
export async function upgrade(
  database: Database,
  settings: Settings,
  node: string,
  [mode, ...more]: readonly string[],
): Promise<Outcome> {
  if ((mode !== '--maintenance' && mode !== '--no-maintenance') || more.length > 0) {
    throw new Error('The role is `upgrade --maintenance` or `upgrade --no-maintenance`. Nothing was done.');
  }
  const plugins = readPlugins(settings.dirroot);
  return inUpgradeWindow(database, settings, node, async (window) => {
    const { run } = window;
    const { upgrade_started_at: started, upgrade_ended_at: ended } = run;
    if (ended !== null)
      return report(ended - (started ?? ended), (await window.close()) || maintenanceSeconds(run), []);
    if (await hasRowsBefore(database, run)) {
      window.changes();
      throw new Error(
        'An earlier task of this rollout began the upgrade and was killed in it. Half an upgrade is not continued: the ' +
          'database has to go back.',
      );
    }
    const needs = await upgradeNeeds(database, plugins);
    assertPossible(needs, mode === '--maintenance');
    await window.open(mode === '--maintenance');
    await keepRows(
      database,
      run,
      needs.newer.map(({ component }) => component),
    );
    window.changes();
    await window.enter('upgrading');
    const began = Date.now();
    await upgradePlugins(database, settings, plugins, needs, window);
    await assertUpgraded(database, plugins);
    await mark(database, run, 'upgrade_ended_at');
    const done = needs.newer.map(({ component, database: from, code: to }) => ({ component, from, to }));
    return report((Date.now() - began) / 1000, await window.close(), done);
  });
}

function report(upgradeSeconds: number, seconds: number, plugins: readonly object[]): Outcome {
  return { ok: true, plugins, upgradeSeconds: rounded(upgradeSeconds), maintenanceSeconds: rounded(seconds) };
}

const rounded = (seconds: number) => Math.max(0, Math.round(seconds * 10) / 10);
const maintenanceSeconds = ({ maintenance_since: since, maintenance_ended_at: ended }: UpdateRun) =>
  since !== null && ended !== null ? ended - since : 0;

function assertPossible({ older, why }: UpgradeNeeds, withMaintenance: boolean): void {
  if (older[0]) {
    const words = `The code is older than the database: ${inWords(older)}. Moodle cannot go back. Nothing was changed.`;
    throw new RoleProblem(words, { plugin: older[0].component });
  }
  if (!withMaintenance && why) {
    throw new Error(`This upgrade needs maintenance (${why}), and was asked for without. Nothing was changed.`);
  }
}

/** Each statement its own transaction, as with Moodle: what fails leaves what came before it. */
async function upgradePlugins(
  database: Database,
  { upgradeSeconds }: Settings,
  plugins: ReadonlyMap<string, PluginCode>,
  { newer }: UpgradeNeeds,
  window: UpgradeWindow,
): Promise<void> {
  for (const { component, code } of newer) {
    await window.enter('upgrading', component);
    try {
      const statements = await statementsToDeclared(database, plugins.get(component)?.declaredTables);
      for (const statement of statements) await database.query(statement);
    } catch (error) {
      const line = wordsOf(error);
      throw new RoleProblem(`The upgrade failed, in ${component}: ${line}.`, { plugin: component, line });
    }
    await setPluginVersion(database, component, code ?? 0);
    await sleep((upgradeSeconds * 1000) / newer.length);
  }
  const code = codeVersions(plugins);
  await setConfig(database, 'allcomponenthash', allComponentHash(code));
  await setConfig(database, 'allversionshash', allVersionsHash(code));
}

async function assertUpgraded(database: Database, plugins: ReadonlyMap<string, PluginCode>): Promise<void> {
  const { newer, older } = await versionDifferences(database, codeVersions(plugins));
  if (newer.length + older.length === 0) return;
  throw new Error(`The upgrade ended before it was done: ${inWords([...newer, ...older])}.`);
}
