import type { DatabaseFamily } from './database-engines.ts';

/** What a Moodle release asks of what it runs on (admin/environment.xml of the release). */
interface Requirements {
  /** The least PHP, and the newest that this release was made for. */
  readonly php: readonly [least: string, newest: string];
  /** The least version, by the SQL that the engine speaks. */
  readonly database: Readonly<Record<DatabaseFamily, string>>;
}

const requirements: Readonly<Record<string, Requirements>> = {
  '4.5': { php: ['8.1', '8.3'], database: { postgresql: '13', mysql: '8.0', mariadb: '10.6.7' } },
  '5.0': { php: ['8.2', '8.4'], database: { postgresql: '14', mysql: '8.4', mariadb: '10.11.0' } },
  '5.1': { php: ['8.2', '8.4'], database: { postgresql: '15', mysql: '8.4', mariadb: '10.11.0' } },
  '5.2': { php: ['8.3', '8.4'], database: { postgresql: '16', mysql: '8.4', mariadb: '10.11.0' } },
  '5.3': { php: ['8.3', '8.4'], database: { postgresql: '17', mysql: '8.4', mariadb: '11.4' } },
};

/** Every branch of Moodle that can be deployed, the oldest first. */
export const branches: readonly string[] = Object.keys(requirements);

/** Those that rollouts were run on with a real tree: docs/tested.md has the releases. */
const run: readonly string[] = ['4.5', '5.1'];

const notRun = branches.filter((branch) => !run.includes(branch));

/** What is said of the branches that were not run, everywhere in these words. */
export const notRunInWords = `${listed(notRun)}: as ${run.at(-1)}, not run by us`;

/** `5.3.1` is of `5.3`. */
const branchOf = (moodleVersion: string) => moodleVersion.split('.').slice(0, 2).join('.');

/** What an operator is to know of a release that was not run; undefined for one of a branch that was. */
export function describeRelease({ moodleVersion }: { readonly moodleVersion: string }): string | undefined {
  if (run.includes(branchOf(moodleVersion))) return undefined;
  return (
    `Moodle ${moodleVersion} is supported as ${run.at(-1)} is, and was not run by us; docs/tested.md has what was. Rehearse it ` +
    'first: npm start -- --moodle DIRECTORY'
  );
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function requirementsOf(moodleVersion: string): Requirements {
  const branch = branchOf(moodleVersion);
  const found = requirements[branch];
  if (found === undefined) throw new TypeError(`Nothing is known of what Moodle ${branch} requires.`);
  return found;
}

/** @returns the least PHP that the release runs on, and the newest that it was made for */
export function phpVersions(moodleVersion: string): readonly [least: string, newest: string] {
  return requirementsOf(moodleVersion).php;
}

/** @returns the least version of the database that the release runs on */
export function leastDatabaseVersion(moodleVersion: string, family: DatabaseFamily): string {
  return requirementsOf(moodleVersion).database[family];
}

/** Whether `17.7` is at least `16`: number by number, what is missing counts as 0. */
export function atLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  for (const [at, number] of (want ?? []).entries()) {
    const difference = (have?.[at] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
