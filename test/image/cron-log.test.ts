import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cronRunPattern } from '../../infra/constructs/watching/cron-alarm.ts';
import { filterPattern } from '../support/filter-pattern.ts';
import { image, run } from './run.ts';

/** What Moodle 4.5.6 writes in a pass of its cron. */
const moodle = [
  'Server Time: Sat, 21 Nov 2026 15:57:12 +0000',
  'Execute scheduled task: Process forum mailings and maintenance tasks (mod_forum\\task\\cron_task)',
  '... started 15:57:12. Current memory use 24.1 MB.',
  'Scheduled task complete: Process forum mailings and maintenance tasks (mod_forum\\task\\cron_task)',
  'Ran 0 adhoc tasks found at Sat, 21 Nov 2026 15:57:12 +0000',
  'Cron run completed correctly',
  'Cron completed at 15:57:12 in 0.3 seconds. Memory used: 34.5 MB. Continuing to check for tasks for 180 more seconds.',
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cron-log-'));
  mkdirSync(join(folder, 'bin'));
  // PHP's part: every script does well, and cron itself once; its second run fails.
  writeFileSync(
    join(folder, 'bin', 'php'),
    `#!/usr/bin/env bash
case "$*" in
  *node-id.php*) echo node-1 ;;
  *admin/cli/cron.php*)
    cat '${join(folder, 'moodle-says')}'
    [ ! -e '${join(folder, 'ran')}' ] || exit 1
    touch '${join(folder, 'ran')}' ;;
esac
`,
  );
  chmodSync(join(folder, 'bin', 'php'), 0o755);
  writeFileSync(join(folder, 'moodle-says'), `${moodle.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('each run of cron that ends well, and nothing else, is what the alarm counts', () => {
  const entrypoint = join(image, 'entrypoint');
  const { stdout, stderr } = run('timeout', ['--signal=TERM', '2', entrypoint, 'cron'], {
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    MOODLE_SITE: 'site',
    MOODLE_WWWROOT: 'http://moodle.test',
    MOODLE_DATABASE_TYPE: 'pgsql',
    MOODLE_DATABASE_HOST: '127.0.0.1',
    MOODLE_DATABASE_NAME: 'moodle',
    MOODLE_DATABASE_USER: 'moodle',
    MOODLE_DATABASE_PASSWORD: 'secret',
    MOODLE_DATAROOT: folder,
    MOODLE_DIRROOT: image,
    MOODLE_NODE_SCRIPTS: image,
    MOODLE_LOCAL: join(folder, 'local'),
    MOODLE_LISTEN: '127.0.0.1:1',
    MOODLE_UPGRADE_KEY: 'secret',
  });
  // ECS sends both to one log.
  const log = [...stdout.split('\n'), ...stderr.split('\n')];

  expect(log.filter((line) => line === 'Cron run completed correctly')).toHaveLength(2);
  expect(log).toContain('moodle-node: cron ended with exit code 1; again in 30 s');
  expect(log).toContain('moodle-node: cron stopped');
  expect(log.filter(filterPattern(cronRunPattern))).toEqual(['moodle-node: cron run ended']);
});
