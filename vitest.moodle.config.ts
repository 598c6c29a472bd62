import { defineConfig } from 'vitest/config';

/** The tests that need a real Moodle: `MOODLE_DIR` names the folder of its code. */
export default defineConfig({
  test: {
    include: ['test/**/*.moodle.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 900_000,
    hookTimeout: 900_000,
    fileParallelism: false,
  },
});
