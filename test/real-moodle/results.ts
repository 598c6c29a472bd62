/** What one file of tests gave on one Moodle. */
export interface FileResult {
  /** The day of that run, for example `2026-11-28`. */
  readonly date: string;
  readonly passed: number;
  readonly failed: number;
  /** Left out by a test itself, which says why; a whole file that was left out has no result. */
  readonly skipped: number;
  readonly seconds: number;
}

/** On what the tests ran. */
export interface Surroundings {
  /** As its version.php says, for example `5.1.3 (Build: 20260216)`. */
  readonly moodle: string;
  /** For example `8.4.27`. */
  readonly php: string;
  /** For example `PostgreSQL 18.4`. */
  readonly database: string;
  /** For example `Redis 8.0.2, Memcached 1.6.38`. */
  readonly caches: string;
  /** For example `Debian GNU/Linux 13 (trixie)`. */
  readonly system: string;
}

export interface Row extends Surroundings {
  /** By the file's path in this repository. */
  readonly files: Readonly<Record<string, FileResult>>;
}

/** The part of the report of vitest's reporter `json` that is used. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: 'passed' | 'failed';
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** @param nameOf the path of a file in this repository, of its path on this computer */
export function resultsOf(
  report: VitestReport,
  nameOf: (path: string) => string,
  date: string,
): Record<string, FileResult> {
  const files = report.testResults.map(({ name, status, startTime, endTime, assertionResults }) => {
    const count = (...states: readonly string[]) =>
      assertionResults.filter((test) => states.includes(test.status)).length;
    const failed = count('failed');
    const result: FileResult = {
      date,
      passed: count('passed'),
      // One that stops before its tests, or behind them, has failed too.
      failed: failed === 0 && status === 'failed' ? 1 : failed,
      skipped: count('skipped', 'pending', 'todo', 'disabled'),
      seconds: Math.round((endTime - startTime) / 1000),
    };
    return [nameOf(name), result] as const;
  });
  return Object.fromEntries(files.filter(([, { passed, failed }]) => passed + failed > 0));
}

/**
 * Puts a run's results into the table. A file that was run before on the same has a new result; what was run on another
 * version of anything is another row, and takes the place of the older one of the same release, PHP and kind of database.
 */
export function withRun(rows: readonly Row[], run: Row): Row[] {
  if (Object.keys(run.files).length === 0) return [...rows];
  const same = rows.find((row) => identity(row) === identity(run));
  const files = { ...same?.files, ...run.files };
  const sorted = Object.fromEntries(Object.entries(files).sort(([one], [other]) => one.localeCompare(other)));
  return [...rows.filter((row) => place(row) !== place(run)), { ...run, files: sorted }].sort((one, other) =>
    place(one).localeCompare(place(other), 'en', { numeric: true }),
  );
}

const identity = ({ moodle, php, database, caches, system }: Surroundings) =>
  [moodle, php, database, caches, system].join('|');

/** The release, PHP's minor version, the kind of database. */
const place = ({ moodle, php, database }: Surroundings) =>
  [moodle, php.split('.').slice(0, 2).join('.'), database.split(' ')[0]].join('|');
