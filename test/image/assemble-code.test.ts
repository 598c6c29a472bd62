import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canShareAPath, seenAt } from '../../rehearsal/machines/same-path.ts';
import { image, run } from './run.ts';

let folder: string;
let source: string;
let target: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assemble-code-'));
  source = join(folder, 'source');
  target = join(folder, 'target');
  mkdirSync(join(source, '.git'), { recursive: true });
  mkdirSync(join(source, 'lib', '.hidden'), { recursive: true });
  writeFileSync(join(source, 'version.php'), '<?php');
  writeFileSync(join(source, 'lib', '.hidden', 'file.php'), 'kept');
  writeFileSync(join(source, '.git', 'HEAD'), 'x');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const assemble = (...args: string[]) => run(join(image, 'assemble-code'), args);
const ours = () => readFileSync(join(image, 'config.php'), 'utf8');

describe.each([{ options: [] }, { options: ['--link'] }])('assemble-code $options', ({ options }) => {
  test('copies the source and puts our config.php in the place of a stray one', () => {
    writeFileSync(join(source, 'config.php'), 'somebody’s own');
    expect(assemble(...options, source, target)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(target, 'config.php'), 'utf8')).toBe(ours());
    expect(readFileSync(join(target, 'lib', '.hidden', 'file.php'), 'utf8')).toBe('kept');
    expect(existsSync(join(target, '.git'))).toBe(false);
    expect(readFileSync(join(source, 'config.php'), 'utf8')).toBe('somebody’s own');
    expect(existsSync(join(source, '.git', 'HEAD'))).toBe(true);
  });

  test('does not write through a config.php that is a link', () => {
    writeFileSync(join(folder, 'elsewhere.php'), 'untouched');
    symlinkSync(join(folder, 'elsewhere.php'), join(source, 'config.php'));
    expect(assemble(...options, source, target).status).toBe(0);
    expect(readFileSync(join(target, 'config.php'), 'utf8')).toBe(ours());
    expect(readFileSync(join(folder, 'elsewhere.php'), 'utf8')).toBe('untouched');
  });
});

describe('assemble-code --link copies what cannot be linked', () => {
  const assembleSeen = (from: string, at: string, given = at) => {
    const { command, args } = seenAt(
      { command: join(image, 'assemble-code'), args: ['--link', given, target] },
      from,
      at,
    );
    return run(command, args);
  };
  const linksOf = (name: string) => statSync(join(target, name)).nlink;

  test('links where it can', () => {
    expect(assemble('--link', source, target)).toMatchObject({ status: 0, stdout: '' });
    expect(linksOf('version.php')).toBe(2);
  });

  test('from another mount of the same disk, whose device number is the same', ({ skip }) => {
    skip(!canShareAPath(), 'This computer lets no process have mounts of its own.');
    expect(assembleSeen(source, join(folder, 'mounted'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('mounted cannot be linked from here, and are copied.'),
      stderr: '',
    });
    expect(readFileSync(join(target, 'lib', '.hidden', 'file.php'), 'utf8')).toBe('kept');
    expect(linksOf('version.php')).toBe(1);
    expect(existsSync(join(target, '.git'))).toBe(false);
  });

  test('from a tree with another mount in it', ({ skip }) => {
    skip(!canShareAPath(), 'This computer lets no process have mounts of its own.');
    const part = join(folder, 'part');
    mkdirSync(part);
    writeFileSync(join(part, 'of-another-mount.php'), 'kept');
    expect(assembleSeen(part, join(source, 'mod'), source)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(target, 'mod', 'of-another-mount.php'), 'utf8')).toBe('kept');
    expect(linksOf('version.php')).toBe(1);
  });

  test('from a tree of somebody else (fs.protected_hardlinks)', ({ skip }) => {
    skip(process.getuid?.() !== 0, 'Only root has files of somebody else to try it with.');
    const place = mkdtempSync('/tmp/assemble-code-');
    try {
      cpSync(image, join(place, 'image'), { recursive: true });
      cpSync(source, join(place, 'source'), { recursive: true });
      mkdirSync(join(place, 'of-nobody'));
      for (const path of [place, join(place, 'of-nobody')]) chownSync(path, 65_534, 65_534);
      target = join(place, 'of-nobody', 'target');
      const command = [join(place, 'image/assemble-code'), '--link', join(place, 'source'), target];
      const identity = ['--reuid=65534', '--regid=65534', '--clear-groups'];
      expect(run('setpriv', [...identity, ...command])).toMatchObject({ status: 0, stderr: '' });
      expect(readFileSync(join(target, 'lib', '.hidden', 'file.php'), 'utf8')).toBe('kept');
    } finally {
      rmSync(place, { recursive: true });
    }
  });
});

test('takes a source whose version.php is in public/', () => {
  rmSync(join(source, 'version.php'));
  mkdirSync(join(source, 'public'));
  writeFileSync(join(source, 'public', 'version.php'), '<?php');
  expect(assemble(source, target).status).toBe(0);
});

test('refuses a folder that is no Moodle, and a target that is there, and changes neither', () => {
  mkdirSync(target);
  expect(assemble(source, target)).toMatchObject({ status: 1, stderr: expect.stringContaining('exists already') });
  rmSync(target, { recursive: true });
  rmSync(join(source, 'version.php'));
  expect(assemble(source, target)).toMatchObject({ status: 1, stderr: expect.stringContaining('is not a Moodle') });
  expect(existsSync(target)).toBe(false);
});

test('a half-made tree of a killed run is not taken for a whole one', () => {
  mkdirSync(`${target}.unfinished`);
  writeFileSync(join(`${target}.unfinished`, 'left-over'), '');
  expect(assemble(source, target).status).toBe(0);
  expect(existsSync(join(target, 'left-over'))).toBe(false);
});
