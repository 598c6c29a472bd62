import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canShareAPath } from '../../rehearsal/machines/same-path.ts';

const clone = join(import.meta.dirname, '../..');
const nobody = [
  'setpriv',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  '--inh-caps=-all',
  '--bounding-set=-all',
];

/** Mounts a clone somewhere, with nothing kept from other runs, and runs a program of it. Its mounts end with it. */
const script = `
mount --bind "$1" "$2"
mount -t tmpfs -o mode=0755 tmpfs "$2/node_modules/.cache"
cd "$2" && shift 2 && exec "$@"`;

let folder: string;
beforeAll(() => {
  // Not in the folder of this run, which is closed to others.
  folder = mkdtempSync('/tmp/any-folder-');
  chmodSync(folder, 0o755);
  mkdirSync(join(clone, 'node_modules/.cache'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('PostgreSQL starts from a clone', () => {
  test('in a folder of root’s own, whose mode is 0700', ({ skip }) => {
    skip(!mayMount(), 'Only root may mount a clone elsewhere.');
    const home = join(folder, 'root');
    mkdirSync(home, { mode: 0o700 });
    expect(startIn(join(home, 'a clone #1'), home, [])).toBe('PostgreSQL started.\n');
  });

  test('of somebody else, who alone may write there', ({ skip }) => {
    skip(!mayMount(), 'Only root may mount a clone elsewhere, and become another user.');
    const temporary = join(folder, 'of-nobody');
    mkdirSync(temporary, { mode: 0o777 });
    chmodSync(temporary, 0o777);
    expect(startIn(join(folder, 'shared'), temporary, nobody)).toBe('PostgreSQL started.\n');
  });
});

const mayMount = () => process.getuid?.() === 0 && canShareAPath();

/** @returns what the program said */
function startIn(place: string, temporary: string, as: readonly string[]): string {
  mkdirSync(place);
  const program = [join(place, 'node_modules/node/bin/node'), join(place, 'test/machines/start-postgres.ts')];
  const { stdout, stderr } = spawnSync(
    'unshare',
    ['--mount', 'sh', '-ec', script, 'sh', clone, place, ...as, ...program],
    { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: '/nonexistent', TMPDIR: temporary } },
  );
  return `${stdout}${stderr}`;
}
