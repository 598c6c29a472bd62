import { isMissingTable } from './database-errors.ts';
import {
  type MoodleDatabase,
  number,
  numberOrNull,
  type SqlStatements,
  text,
  textOrNull,
  truth,
} from './moodle-database.ts';
import { moodlePrefixes, type OtherMoodle } from './other-moodles.ts';

/** Row of the install marker, which is outside Moodle's tables and written before an install's first statement. */
export interface InstallMarker {
  readonly execution: string;
  readonly finish: 'unattended' | 'browser';
  readonly attempt: number;
  readonly node: string | null;
  readonly expectedTables: number | null;
  readonly started: boolean;
  readonly finished: boolean;
  /** Seconds since the install started; null before. */
  readonly elapsed: number | null;
  /** Seconds that the finished install took. */
  readonly duration: number | null;
  readonly clearedTables: number | null;
  readonly refused: string | null;
}

export type SiteStateName = 'absent' | 'installed' | 'unfinished' | 'pending-administrator' | 'unknown';

export interface SiteState {
  readonly name: SiteStateName;
  /** Tables with Moodle's prefix. */
  readonly tables: number;
  readonly marker: InstallMarker | undefined;
  /** For `unfinished`: whether the marker says that it is our own install, begun and not ended. */
  readonly ours: boolean;
  /** Plain words: which signs made it so. */
  readonly why: string;
  readonly release: string | undefined;
  /** Moodle's `version` in the database. */
  readonly version: string | undefined;
  /** Moodles in the same database that are not this site's by their names. */
  readonly others: readonly OtherMoodle[];
}

export async function readInstallMarker(statements: SqlStatements, site: string): Promise<InstallMarker | undefined> {
  const { now, epoch } = statements.dialect;
  const [row] = await statements.query(
    `SELECT execution, finish, attempt, node, expected_tables, cleared_tables, refused,
            started_at IS NOT NULL AS started, finished_at IS NOT NULL AS finished,
            ${epoch(now)} - ${epoch('started_at')} AS elapsed,
            ${epoch('finished_at')} - ${epoch('started_at')} AS duration
       FROM moodle_lifecycle.install_marker WHERE site = :site`,
    { site },
  );
  if (!row) return undefined;
  return {
    execution: text(row, 'execution'),
    finish: text(row, 'finish') === 'browser' ? 'browser' : 'unattended',
    attempt: number(row, 'attempt'),
    node: textOrNull(row, 'node'),
    expectedTables: numberOrNull(row, 'expected_tables'),
    started: truth(row, 'started'),
    finished: truth(row, 'finished'),
    elapsed: numberOrNull(row, 'elapsed'),
    duration: numberOrNull(row, 'duration'),
    clearedTables: numberOrNull(row, 'cleared_tables'),
    refused: textOrNull(row, 'refused'),
  };
}

/** Seen by `admin/index.php` and the installer: the password of an administrator who has not been set up. */
const pendingPassword = 'adminsetuppending';

/**
 * What is in the site's database, by the robust test: never by whether a page answers. About ten seconds before the end
 * of an install the login page works and `rolesactive` is 1 already, so several signs have to agree.
 *
 * @param prefix of Moodle's tables
 */
export async function readSiteState(database: MoodleDatabase, site: string, prefix: string): Promise<SiteState> {
  const marker = await readInstallMarker(database, site);
  const { here, elsewhere } = await readTables(database);
  const found = new Set([...here].filter((name) => name.startsWith(prefix)));
  const others = [
    ...moodlePrefixes(here)
      .filter((other) => other !== prefix)
      .map((other) => ({ prefix: other })),
    ...[...elsewhere].flatMap(([schema, tables]) => moodlePrefixes(tables).map((other) => ({ prefix: other, schema }))),
  ];
  const state = (name: SiteStateName, why: string, config?: Config): SiteState => ({
    name,
    tables: found.size,
    marker,
    ours: name === 'unfinished' && marker?.started === true && !marker.finished,
    why,
    release: config?.values.get('release'),
    version: config?.values.get('version'),
    others,
  });

  if (found.size === 0) return state('absent', `no table begins with ${prefix}`);
  if (!found.has(`${prefix}config`) || !found.has(`${prefix}user`)) {
    return state('unfinished', `${found.size} tables, but not yet ${prefix}config and ${prefix}user`);
  }
  const config = await readConfig(database, prefix).catch((error) => {
    if (isMissingTable(error)) return undefined;
    throw error;
  });
  // Seen a moment ago, and gone: a node clears an unfinished install table by table.
  if (!config) return state('unfinished', `${found.size} tables, which are being dropped`);
  const missing = ['version', 'release', 'allversionshash', 'siteadmins'].filter((name) => !config.values.get(name));
  const pending = Boolean(config.values.get('adminsetuppending')) || config.adminPending;

  if (config.values.get('rolesactive') !== '1') {
    return state('unfinished', `${found.size} tables, but rolesactive is not 1`, config);
  }
  if (config.upgradeRunning) {
    if (marker?.started && !marker.finished) {
      return state('unfinished', 'Moodle’s upgraderunning lies in the future', config);
    }
    return state('unknown', 'an upgrade is running (Moodle’s upgraderunning lies in the future)', config);
  }
  if (marker?.started && !marker.finished) {
    return state('unfinished', 'the install marker has a start and no end', config);
  }
  if (missing.length > 0) return state('unknown', `rolesactive is 1, but ${missing.join(', ')} is missing`, config);
  if (pending) return state('pending-administrator', 'adminsetuppending: the wizard has not been completed', config);
  return state('installed', `Moodle ${config.values.get('release')}`, config);
}

interface Tables {
  readonly here: ReadonlySet<string>;
  /** On PostgreSQL, whose database may hold more than one schema. */
  readonly elsewhere: ReadonlyMap<string, ReadonlySet<string>>;
}

async function readTables(database: MoodleDatabase): Promise<Tables> {
  const { moodleSchema, itsSchemas } = database.dialect;
  const rows = await database.query(
    `SELECT table_name AS name, table_schema AS place, table_schema = ${moodleSchema} AS here FROM information_schema.tables
      WHERE ${itsSchemas} AND table_type = 'BASE TABLE'`,
  );
  const here = new Set<string>();
  const elsewhere = new Map<string, Set<string>>();
  for (const row of rows) {
    const [name, place] = [text(row, 'name'), text(row, 'place')];
    if (truth(row, 'here')) here.add(name);
    else elsewhere.set(place, (elsewhere.get(place) ?? new Set()).add(name));
  }
  return { here, elsewhere };
}

interface Config {
  readonly values: ReadonlyMap<string, string>;
  readonly upgradeRunning: boolean;
  /** Whether the first site administrator has the placeholder for a password. */
  readonly adminPending: boolean;
}

async function readConfig(database: MoodleDatabase, prefix: string): Promise<Config> {
  const { now, epoch } = database.dialect;
  const rows = await database.query(
    `SELECT name, value, ${epoch(now)} AS seconds FROM ${prefix}config
      WHERE name IN ('version', 'release', 'rolesactive', 'adminsetuppending', 'upgraderunning', 'allversionshash',
                     'siteadmins')`,
  );
  const values = new Map(rows.map((row) => [text(row, 'name'), textOrNull(row, 'value') ?? '']));
  const seconds = rows[0] ? number(rows[0], 'seconds') : 0;
  const admin = firstSiteAdmin(values.get('siteadmins'));
  const [user] =
    admin === undefined
      ? []
      : await database.query(`SELECT password = :pendingPassword AS pending FROM ${prefix}user WHERE id = :admin`, {
          admin,
          pendingPassword,
        });
  return {
    values,
    upgradeRunning: Number(values.get('upgraderunning') ?? 0) > seconds,
    adminPending: user !== undefined && truth(user, 'pending'),
  };
}

/** `siteadmins` is a list of user ids; Moodle's wizard deals with the first. */
export function firstSiteAdmin(siteadmins: string | undefined): number | undefined {
  const first = siteadmins?.split(',')[0]?.trim() ?? '';
  return /^\d+$/.test(first) ? Number(first) : undefined;
}
