import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.moodle.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Twice the processors of a small machine: rollouts wait more than they work.
    maxWorkers: 4,
    // Loading the SDK, the CDK and the rest again for each file took a quarter of the suite's time.
    isolate: false,
    setupFiles: ['test/support/own-environment.ts'],
    restoreMocks: true,
    sequence: { sequencer: LongestFirst },
    // The stand-in's own pace: an install long enough to be looked at and killed in, no longer.
    env: { STAND_IN_INSTALL_SECONDS: '2', STAND_IN_CRON_SECONDS: '1' },
  },
});
