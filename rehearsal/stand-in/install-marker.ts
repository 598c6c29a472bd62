import type { Queryable } from './database.ts';

/** The row by which a rollout allows an install, and by which a killed install is known to be ours. */
export interface InstallMarker {
  readonly finish: 'unattended' | 'browser';
  readonly attempt: number;
  readonly started: boolean;
  readonly finished: boolean;
  /** Whether it still allows an install: a finished install does not allow the next one. */
  readonly allows: boolean;
}

/** The site's marker, or undefined when no rollout allowed an install or the schema is not there. */
export async function readMarker(database: Queryable, site: string): Promise<InstallMarker | undefined> {
  const schema = await database.query(
    `SELECT 1 AS there FROM information_schema.tables
     WHERE table_schema = 'moodle_lifecycle' AND table_name = 'install_marker'`,
  );
  if (schema.rows.length === 0) return undefined;
  const { rows } = await database.query<{ finish: 'unattended' | 'browser' } & InstallMarker>(
    `SELECT finish, attempt, started_at IS NOT NULL AS started, finished_at IS NOT NULL AS finished,
            finished_at IS NULL OR allowed_at > finished_at AS allows
     FROM moodle_lifecycle.install_marker WHERE site = $1`,
    [site],
  );
  return rows[0];
}

export async function markStarted(database: Queryable, site: string, node: string, tables: number): Promise<void> {
  await database.query(
    `UPDATE moodle_lifecycle.install_marker
     SET started_at = ${database.words.now}, node = $2, attempt = attempt + 1, expected_tables = $3, finished_at = NULL, refused = NULL
     WHERE site = $1`,
    [site, node, tables],
  );
}

export async function markFinished(database: Queryable, site: string): Promise<void> {
  await database.query(
    `UPDATE moodle_lifecycle.install_marker SET finished_at = ${database.words.now} WHERE site = $1`,
    [site],
  );
}

export async function markCleared(database: Queryable, site: string, tables: number): Promise<void> {
  await database.query('UPDATE moodle_lifecycle.install_marker SET cleared_tables = $2 WHERE site = $1', [
    site,
    tables,
  ]);
}

/** Says why a node will not install; without a marker there is nobody to tell but the log. */
export async function markRefused(database: Queryable, site: string, words: string): Promise<void> {
  await database.query('UPDATE moodle_lifecycle.install_marker SET refused = $2 WHERE site = $1', [site, words]);
}
