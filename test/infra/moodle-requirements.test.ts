import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { options } from '../../infra/config.ts';
import { branches, describeRelease, notRunInWords, phpVersions } from '../../infra/moodle-requirements.ts';

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const range = `${branches[0]} to ${branches.at(-1)}`;

it('the range of Moodle releases is one: in the option, its document, the README and the schema of manifests', () => {
  const { parse, allowed } = options.moodleVersion;
  for (const branch of branches) expect([branch, `${branch}.1`].map(parse)).toEqual([branch, `${branch}.1`]);
  for (const other of ['4.4', '4.4.1', '5.4', '5.30', '6.0', '45', 'main']) expect(parse(other)).toBeUndefined();
  expect(allowed).toContain(`from ${range}`);
  for (const document of ['README.md', 'docs/configuration.md']) {
    const row = file(document)
      .split('\n')
      .find((line) => line.startsWith('| `moodleVersion` |'));
    expect(row, document).toContain(range);
    expect(row, document).toContain(notRunInWords);
  }
  const { pattern } = JSON.parse(file('image/plugins.schema.json')).properties.moodle.properties.version;
  for (const branch of branches) expect(branch).toMatch(new RegExp(pattern));
});

it('every one of them runs on a PHP that the image can have', () => {
  for (const branch of branches) {
    const [least, newest] = phpVersions(branch).map(Number) as [number, number];
    const suitable = ['8.2', '8.4'].filter((php) => Number(php) >= least && Number(php) <= newest);
    expect(suitable, branch).not.toEqual([]);
    for (const php of suitable) expect(options.phpVersion.parse(php)).toBe(php);
  }
});

it('a synthesis says of a release that it was not run, and nothing of one that was', () => {
  expect(describeRelease({ moodleVersion: '5.3.1' })).toMatch(
    /^Moodle 5\.3\.1 is supported as 5\.1 is, and was not run by us/,
  );
  expect(branches.filter((moodleVersion) => describeRelease({ moodleVersion }) === undefined)).toEqual(['4.5', '5.1']);
  expect(notRunInWords).toBe('5.0, 5.2 and 5.3: as 5.1, not run by us');
});
