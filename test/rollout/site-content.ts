import { createHash } from 'node:crypto';
import type { Query, Site } from './site.ts';

/** Tables of Moodle that a living site writes by itself, and that are no part of what an update has to bring back. */
const written: Readonly<Record<string, string>> = {
  mdl_logstore_standard_log: 'each visit and each setting is logged',
  mdl_upgrade_log: 'Moodle logs each upgrade; where rows alone go back, its log stays true',
  mdl_config_log: 'settings that an upgrade wrote are logged; where rows alone go back, the log stays true',
  mdl_cache_flags: 'which caches are out of date',
  mdl_lock_db: 'locks, taken for a moment by whoever works',
};

/** Columns that a visit writes, or the end of every way back, which purges caches. */
const touched: Readonly<Record<string, readonly string[]>> = {
  mdl_course: ['cacherev'],
  mdl_user: ['lastaccess', 'lastlogin', 'currentlogin', 'lastip'],
  mdl_sessions: ['timemodified', 'lastip'],
};

/** Settings that say when, or how often, caches were purged. */
const purged = /rev$|^(localcachedirpurged|scheduledtaskreset|cache_stores_.*)$/;

/**
 * Checksums of what the site's database holds: one of each table of Moodle, and one of the schema itself, that is every
 * column and index. Two are equal when nothing but the named exceptions differs.
 */
export function contentOf(site: Site): Promise<Record<string, string>> {
  return site.connected(async (query) => {
    const tables = await namesOfTables(query, site.database.isPostgres);
    const sums: Record<string, string> = { schema: checksum(await schemaOf(query, site.database.isPostgres)) };
    for (const table of tables.filter((name) => !(name in written))) {
      const rows = await query(`SELECT * FROM ${table}`);
      sums[table] = checksum(rows.filter((row) => !isOfPurge(table, row)).map((row) => without(table, row)));
    }
    return sums;
  });
}

const ofMoodle = (isPostgres: boolean) =>
  `table_schema = ${isPostgres ? 'current_schema()' : 'DATABASE()'} AND table_name LIKE 'mdl\\_%'${isPostgres ? '' : " ESCAPE '\\\\'"}`;

async function namesOfTables(query: Query, isPostgres: boolean): Promise<string[]> {
  const rows = await query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE ${ofMoodle(isPostgres)} ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function schemaOf(query: Query, isPostgres: boolean): Promise<object[]> {
  const columns = await query(
    `SELECT table_name AS tab, column_name AS col, data_type AS typ, is_nullable AS nul, column_default AS def,
            character_maximum_length AS len
       FROM information_schema.columns WHERE ${ofMoodle(isPostgres)}`,
  );
  const indexes = await query(
    isPostgres
      ? 'SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()'
      : `SELECT table_name AS tab, index_name AS ind, seq_in_index AS seq, column_name AS col, non_unique AS non
           FROM information_schema.statistics WHERE ${ofMoodle(isPostgres)}`,
  );
  return [...columns, ...indexes];
}

const isSettings = (table: string) => table === 'mdl_config' || table === 'mdl_config_plugins';
/** Moodle has its themes built again when caches were purged. */
const isOfPurge = (table: string, row: { readonly name?: unknown; readonly classname?: unknown }) =>
  (isSettings(table) && purged.test(String(row.name))) ||
  (table === 'mdl_task_adhoc' && /build_installed_themes_task$/.test(String(row.classname)));

/** A setting that was taken away and brought back has another id, by which nobody knows it. */
function without(table: string, row: object): object {
  const left = new Set([...(touched[table] ?? []), ...(isSettings(table) ? ['id'] : [])]);
  return Object.fromEntries(Object.entries(row).filter(([column]) => !left.has(column)));
}

function checksum(rows: readonly object[]): string {
  const lines = rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}` : value)));
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}
