import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../infra/function-bundles.ts';

describe('bundleFunctions', () => {
  const bundles = bundleFunctions();
  const files = ['index.mjs', 'index.mjs.map'];

  it('makes an ES module with a handler, and its source map, and nothing else', async () => {
    const folder = bundles.folderOf('check-site');

    expect(readdirSync(folder).sort()).toEqual(files);
    expect(await import(pathToFileURL(join(folder, 'index.mjs')).href)).toHaveProperty('handler');
  });

  it('makes the same bytes again, in another folder: an asset changes only with its sources', () => {
    const again = bundleFunctions();

    expect(again.folderOf('check-site')).not.toBe(bundles.folderOf('check-site'));
    for (const file of files) {
      const [first, second] = [bundles, again].map((each) => readFileSync(join(each.folderOf('check-site'), file)));
      expect(second?.equals(first ?? Buffer.of()), file).toBe(true);
    }
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
