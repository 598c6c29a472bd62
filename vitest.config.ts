import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { patience } from './test/support/patience.ts';

/** Tests that load the CDK or compile schemas. */
const synthesis = ['test/{infra,docs,statemachines}/**/*.test.ts', 'test/rehearsal/{events,states-definition}.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Loading the SDK, the CDK and the rest again for each file took a quarter of the suite's time.
    isolate: false,
    setupFiles: ['test/support/own-environment.ts'],
    restoreMocks: true,
    expect: { poll: patience },
    sequence: { sequencer: LongestFirst },
    // The stand-in's own pace: an install long enough to be looked at and killed in, no longer.
    env: { STAND_IN_INSTALL_SECONDS: '2', STAND_IN_CRON_SECONDS: '1' },
    projects: [
      {
        extends: true,
        test: {
          name: 'rehearsal',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.moodle.test.ts', ...synthesis],
          // Twice the processors of a small machine: rollouts wait more than they work.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'synthesis',
          include: synthesis,
          exclude: ['test/**/*.moodle.test.ts'],
          // These work and wait for nothing, and take twice as long beside what does.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
