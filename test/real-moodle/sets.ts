/** What is behind the site. */
export type Kind = 'postgresql' | 'mariadb';

/** The rollouts, each from an empty database or a site of before to its end. */
const core = [
  'test/rollout/fresh-install.test.ts',
  'test/rollout/site-life.test.ts',
  'test/rollout/killed-install.test.ts',
  'test/rollout/browser-finish.test.ts',
  'test/rollout/site-with-a-past.test.ts',
  'test/rollout/plugin-update.moodle.test.ts',
];

/** A site travels with the clients of MariaDB, whichever database the others are on. */
const onMariaDbAlone = ['test/rollout/migration.moodle.test.ts'];

/** They start their database themselves. */
const onPostgresAlone = ['test/image/', 'test/lambdas/'];

const rollouts = ['test/rollout/'];

/** Words for vitest: what the names of the files begin with, of those that vitest.moodle.config.ts includes. */
export function testFiles(kind: Kind, coreOnly: boolean): string[] {
  const excluded = kind === 'mariadb' ? [] : onMariaDbAlone.flatMap((file) => ['--exclude', file]);
  if (coreOnly) return [...core, ...(kind === 'mariadb' ? onMariaDbAlone : [])];
  return kind === 'mariadb' ? rollouts : [...onPostgresAlone, ...rollouts, ...excluded];
}
