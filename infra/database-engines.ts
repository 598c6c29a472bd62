/** Which language of SQL an engine speaks. */
export type DatabaseFamily = 'postgresql' | 'mysql' | 'mariadb';

/** What the app has to know of an engine of RDS, beyond what CDK does. */
export interface DatabaseEngine {
  readonly family: DatabaseFamily;
  /** A cluster of Aurora, or one instance of RDS. */
  readonly kind: 'cluster' | 'instance';
  /** Moodle's name of its driver (`$CFG->dbtype`). */
  readonly moodleType: 'pgsql' | 'mysqli' | 'mariadb' | 'auroramysql';
  /** What is deployed when the options name no version. */
  readonly defaultVersion: string;
  readonly version: RegExp;
  /** For a refusal. */
  readonly versionExample: string;
}

const threeNumbers = /^(?<major>\d+\.\d+)\.\d+$/;

/** The engines, by the names that RDS gives them (PostgreSQL's own is `postgres` there). */
export const databaseEngines = {
  'aurora-postgresql': {
    family: 'postgresql',
    kind: 'cluster',
    moodleType: 'pgsql',
    defaultVersion: '17.7',
    version: /^(?<major>\d+)\.\d+$/,
    versionExample: '17.7',
  },
  'aurora-mysql': {
    family: 'mysql',
    kind: 'cluster',
    moodleType: 'auroramysql',
    defaultVersion: '8.4.mysql_aurora.8.4.7',
    version: /^(?<major>\d+\.\d+)\.mysql_aurora\.\d+\.\d+\.\d+$/,
    versionExample: '8.4.mysql_aurora.8.4.7',
  },
  postgresql: {
    family: 'postgresql',
    kind: 'instance',
    moodleType: 'pgsql',
    defaultVersion: '17.9',
    version: /^(?<major>\d+)\.\d+$/,
    versionExample: '17.9',
  },
  mysql: {
    family: 'mysql',
    kind: 'instance',
    moodleType: 'mysqli',
    defaultVersion: '8.4.9',
    version: threeNumbers,
    versionExample: '8.4.9',
  },
  mariadb: {
    family: 'mariadb',
    kind: 'instance',
    moodleType: 'mariadb',
    defaultVersion: '11.4.10',
    version: threeNumbers,
    versionExample: '11.4.10',
  },
} as const satisfies Readonly<Record<string, DatabaseEngine>>;

export type DatabaseEngineName = keyof typeof databaseEngines;

/**
 * The version that is deployed, and the series that it belongs to: `17`, `8.4`.
 *
 * @throws TypeError for a version that the engine does not have; the options refuse it before
 */
export function versionOf(
  engine: DatabaseEngineName,
  version: string | undefined,
): { readonly full: string; readonly major: string } {
  const full = version ?? databaseEngines[engine].defaultVersion;
  const major = databaseEngines[engine].version.exec(full)?.groups?.major;
  if (major === undefined) throw new TypeError(`${engine} has no version ${full}.`);
  return { full, major };
}
