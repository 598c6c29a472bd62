import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { image, run } from './run.ts';

let folder: string;
let settings: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'entrypoint-'));
  mkdirSync(join(folder, 'code'));
  writeFileSync(join(folder, 'code', 'config.php'), 'another');
  settings = {
    MOODLE_SITE: 'site',
    MOODLE_WWWROOT: 'http://moodle.test',
    MOODLE_DATABASE_TYPE: 'pgsql',
    MOODLE_DATABASE_HOST: '127.0.0.1',
    MOODLE_DATABASE_NAME: 'moodle',
    MOODLE_DATABASE_USER: 'moodle',
    MOODLE_DATABASE_PASSWORD: 'database-secret',
    MOODLE_DATAROOT: folder,
    MOODLE_DIRROOT: join(folder, 'code'),
    MOODLE_NODE_SCRIPTS: image,
    MOODLE_LOCAL: join(folder, 'local'),
    MOODLE_LISTEN: '127.0.0.1:1',
    MOODLE_UPGRADE_KEY: 'upgrade-secret',
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (changes: Record<string, string>, ...role: string[]) =>
  run(join(image, 'entrypoint'), role, { ...settings, ...changes });

test.each([
  ['MOODLE_DATABASE_PASSWORD', '', 'MOODLE_DATABASE_PASSWORD is missing'],
  ['MOODLE_SITE', 'a b', 'MOODLE_SITE is made of'],
  ['MOODLE_WWWROOT', 'https://moodle.test/path', 'without a path'],
  ['MOODLE_WWWROOT', 'moodle.test', 'without a path'],
  ['MOODLE_DATABASE_SSLMODE', 'verify-ca', 'require, verify-full or disable, not “verify-ca”'],
  ['MOODLE_SESSION_STORE', 'file', 'database, redis or memcached, not “file”'],
  ['MOODLE_UPLOAD_MAX', '650', 'a size like 512M or 2G, not “650”'],
])('refuses %s=“%s” before anything starts', (name, value, reason) => {
  const { status, stderr } = start({ [name]: value }, 'web');
  expect(status).toBe(1);
  expect(stderr).toContain(reason);
  expect(stderr).not.toContain('secret');
});

test.each([[[]], [['install']], [['--help']]])('refuses the role %j and names those there are', (role) => {
  expect(start({}, ...role)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('web, cron, probe session|application'),
  });
});

test('refuses a code tree that was made with another config.php', () => {
  expect(start({}, 'web')).toMatchObject({ status: 1, stderr: expect.stringContaining('make the code tree again') });
});

test('refuses to go on without the shared volume', () => {
  const stale = { MOODLE_DIRROOT: image, MOODLE_DATAROOT: join(folder, 'not-mounted') };
  expect(start(stale, 'cron')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('shared volume is not there'),
  });
});
