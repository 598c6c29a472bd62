import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';

export interface MoodleRows {
  /** Rows of mdl_config, beside those of a finished install; null removes one. */
  readonly config?: Readonly<Record<string, string | null>>;
  /** Password of the first site administrator. */
  readonly adminPassword?: string;
  readonly adminLastip?: string;
}

export const moodleVersion = '2025100600.00';

const finished = {
  version: moodleVersion,
  release: '5.1 (Build: 20251006)',
  rolesactive: '1',
  allversionshash: 'a-hash',
  siteadmins: '2',
};

/** The few tables and rows of a finished Moodle that phases read: users guest (1), admin (2), a teacher (3). */
export async function makeMoodleTables(database: MoodleDatabase, rows: MoodleRows = {}): Promise<void> {
  await database.execute('DROP TABLE IF EXISTS mdl_config, mdl_user, mdl_config_plugins');
  await database.execute('CREATE TABLE mdl_config (name varchar(255) PRIMARY KEY, value text)');
  await database.execute('CREATE TABLE mdl_config_plugins (plugin text, name text, value text)');
  await database.execute('CREATE TABLE mdl_user (id bigint PRIMARY KEY, username text, password text, lastip text)');
  await setConfig(database, { ...finished, ...rows.config });
  await database.execute(
    `INSERT INTO mdl_user VALUES (1, 'guest', 'x', ''), (2, 'admin', :password, :lastip),
                                 (3, 'teacher', 'adminsetuppending', '198.51.100.9')`,
    { password: rows.adminPassword ?? '$6$hashed', lastip: rows.adminLastip ?? '0.0.0.0' },
  );
}

export async function setConfig(
  database: MoodleDatabase,
  rows: Readonly<Record<string, string | null>>,
): Promise<void> {
  for (const [name, value] of Object.entries(rows)) {
    await database.execute('DELETE FROM mdl_config WHERE name = :name', { name });
    if (value !== null) await database.execute('INSERT INTO mdl_config VALUES (:name, :value)', { name, value });
  }
}

export interface MarkerRows {
  readonly site?: string;
  readonly finish?: 'unattended' | 'browser';
  readonly started?: boolean;
  readonly finished?: boolean;
  readonly attempt?: number;
  readonly refused?: string;
}

/** Row of the install marker as a rollout and a node leave it. */
export async function setMarker(database: MoodleDatabase, marker: MarkerRows = {}): Promise<void> {
  const { now } = database.dialect;
  await database.execute('DELETE FROM moodle_lifecycle.install_marker');
  await database.execute(
    `INSERT INTO moodle_lifecycle.install_marker
       (site, execution, finish, allowed_at, attempt, node, expected_tables, started_at, finished_at, refused)
     VALUES (:site, 'arn:earlier', :finish, ${now} - INTERVAL '180' SECOND, :attempt, 'node-1', 483,
             CASE WHEN :started THEN ${now} - INTERVAL '80' SECOND END,
             CASE WHEN :finished THEN ${now} - INTERVAL '10' SECOND END, :refused)`,
    {
      site: marker.site ?? 'campus',
      finish: marker.finish ?? 'unattended',
      attempt: marker.attempt ?? 1,
      started: marker.started ?? false,
      finished: marker.finished ?? false,
      refused: marker.refused ?? null,
    },
  );
}
