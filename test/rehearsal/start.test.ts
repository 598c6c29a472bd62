import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { help } from '../../rehearsal/options.ts';

const clone = join(import.meta.dirname, '../..');
let bare: string;
beforeEach(() => {
  bare = mkdtempSync(join(tmpdir(), 'clone-'));
  for (const file of ['package.json', 'pinned-node.js', 'rehearsal/start.js', 'console/bin.js'])
    cpSync(join(clone, file), join(bare, file));
});
afterEach(() => rmSync(bare, { recursive: true }));

const programs = ['rehearsal/start.js', 'console/bin.js'];
const run = (program: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(bare, program), '--help'], { encoding: 'utf8' });
  return { status, stdout, stderr };
};

test.each(programs)('%s says that npm ci has not run', (program) => {
  expect(run(program)).toEqual({
    status: 1,
    stdout: '',
    stderr: `npm ci has not run in ${bare}. Run it first, with Node.js 18.19 or newer (this is ${process.version}).\n`,
  });
});

test.each(programs)('%s says that npm ci ran without install scripts', (program) => {
  mkdirSync(join(bare, 'node_modules/node'), { recursive: true });
  expect(run(program).stderr).toContain('Run npm ci --ignore-scripts=false in');
});

test('a rehearsal runs on the pinned Node.js, with the words that it was given', () => {
  const { status, stdout } = spawnSync('node', [join(clone, 'rehearsal/start.js'), '--help'], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: help });
});

test('the Node.js that is asked for is the one that the package names', () => {
  const { engines } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
  expect(readFileSync(join(clone, 'pinned-node.js'), 'utf8')).toContain(`Node.js ${engines.node.slice(2)} or newer`);
});
