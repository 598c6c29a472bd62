import { defineConfig } from 'vitest/config';

const directory = process.env.MOODLE_DIR;
if (!directory)
  throw new Error('MOODLE_DIR is not set: it names the folder of a real Moodle, on which these tests run.');

/**
 * The tests that need a real Moodle, and of the other suite the rollouts on that Moodle in the stand-in's place, and the
 * phases' functions on MariaDB in PostgreSQL's.
 */
export default defineConfig({
  test: {
    include: [
      'test/**/*.moodle.test.ts',
      'test/lambdas/*.test.ts',
      'test/rollout/{fresh-install,site-life,killed-install,browser-finish,refusals,site-with-a-past}.test.ts',
    ],
    globalSetup: ['test/support/global-setup-of-moodle.ts'],
    env: { ROLLOUTS_ON_MOODLE: directory, LIFECYCLE_TESTS_ON: 'mysql' },
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
