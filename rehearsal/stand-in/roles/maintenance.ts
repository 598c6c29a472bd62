import type { Database } from '../database.ts';
import { openNodeParts } from '../node-parts.ts';
import { codeVersions, readPlugins } from '../plugins/code.ts';
import { versionDifferences } from '../plugins/versions.ts';
import type { Settings } from '../settings.ts';
import { beginMaintenance, endMaintenance } from '../update/maintenance.ts';
import { lockTables } from '../update/upgrade-window.ts';
import type { Outcome } from './one-off.ts';

export async function maintenanceBegun({ dataroot }: Settings): Promise<Outcome> {
  return { ok: true, maintenance: (await beginMaintenance(dataroot)) ? 'begun' : 'was on' };
}

/** Opens the site again, whatever an upgrade left behind, and says whether code and database agree. */
export async function maintenanceEnded(database: Database, settings: Settings): Promise<Outcome> {
  const unlock = await lockTables(
    database,
    'An upgrade of this database is running (its lock is taken). Maintenance was not ended. Stop that task first.',
  );
  try {
    await purgeCaches(database, settings);
    const maintenance = await endMaintenance(settings.dataroot);
    const { newer, older } = await versionDifferences(database, codeVersions(readPlugins(settings.dirroot)));
    return { ok: true, maintenance, pending: newer.length > 0, older: older.map(({ component }) => component) };
  } finally {
    await unlock();
  }
}

export async function purgeCaches(database: Database, settings: Settings): Promise<Outcome> {
  const parts = await openNodeParts(database, settings);
  try {
    await parts.configCache.purge();
    return { ok: true };
  } finally {
    parts.close();
  }
}
