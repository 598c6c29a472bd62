import { defineConfig } from 'vitest/config';

const directory = process.env.MOODLE_DIR;
if (!directory)
  throw new Error('MOODLE_DIR is not set: it names the folder of a real Moodle, on which these tests run.');

/** The tests that need a real Moodle, and the rollouts of the other suite on that Moodle in the stand-in's place. */
export default defineConfig({
  test: {
    include: [
      'test/**/*.moodle.test.ts',
      'test/rollout/{fresh-install,site-life,killed-install,browser-finish,refusals}.test.ts',
    ],
    globalSetup: ['test/support/global-setup.ts'],
    env: { ROLLOUTS_ON_MOODLE: directory },
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
