import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../infra/function-bundles.ts';

describe('bundleFunctions', () => {
  const folder = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-bundles-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  // One: all of them take ten seconds of a processor.
  const one = () => bundleFunctions(folder, ['check-site']);
  const [bundles, again] = [one(), bundleFunctions()];
  const files = ['index.mjs', 'index.mjs.map'];

  it('makes an ES module with a handler, and its source map, and nothing else', () => {
    const folder = bundles.folderOf('check-site');

    expect(readdirSync(folder).sort()).toEqual(files);
    // In a process of its own: Vitest would transform the module before it is imported.
    const program = `import('${pathToFileURL(join(folder, 'index.mjs'))}').then((it) => console.log(typeof it.handler))`;
    expect(execFileSync(process.execPath, ['--eval', program], { encoding: 'utf8' })).toBe('function\n');
  });

  it('makes the same bytes again, in another folder: an asset changes only with its sources', () => {
    expect(again.folderOf('check-site')).not.toBe(bundles.folderOf('check-site'));
    for (const file of files) {
      const [first, second] = [bundles, again].map((each) => readFileSync(join(each.folderOf('check-site'), file)));
      expect(second?.equals(first ?? Buffer.of()), file).toBe(true);
    }
  });

  it('keeps what it made for the next call', () => {
    expect(one().folderOf('check-site')).toBe(bundles.folderOf('check-site'));
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('names the sources from the repository on', () => {
    const map = JSON.parse(readFileSync(join(bundles.folderOf('check-site'), 'index.mjs.map'), 'utf8'));

    expect(map.sources).toContain('lambdas/check-site.ts');
    expect(map.sources.filter((source: string) => /^(\/|\.\.)/.test(source))).toEqual([]);
  });

  it('refuses a function that has no source', () => {
    expect(() => bundles.folderOf('upgrade')).toThrow('There is no lambdas/upgrade.ts to bundle.');
  });
});
