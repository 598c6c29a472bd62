import { expect, test } from 'vitest';
import { atReleaseOf, otherReleaseInWords } from '../../rehearsal/moodle/at-release.ts';
import type { MoodleSource } from '../../rehearsal/moodle/source.ts';
import { type CloudAssembly, readAssembly } from '../../rehearsal/template/assembly.ts';
import { assemblyFor } from '../support/assembly.ts';

const real = (release: string, branch: number): MoodleSource => ({ kind: 'real', directory: '/m', release, branch });

/** Every text of the templates that is a release of 5.3, or begins with one, with where it is. */
function naming(assembly: CloudAssembly, words: RegExp): string[] {
  const found: string[] = [];
  const look = (value: unknown, place: string): void => {
    if (typeof value === 'string' && words.test(value)) found.push(`${place}: ${value}`);
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) look(member, `${place}.${name}`);
  };
  for (const { stackName, template } of assembly.stacks) look(template.Resources, stackName);
  return found;
}
const deployed = /^5\.3(\.\d+)?(-[0-9a-f]{16})?$/;

test.each([
  ['4.4.1+ (Build: 20240614)', 404, '4.4.1'],
  ['4.5.6 (Build: 20250811)', 405, '4.5.6'],
  ['5.1.3 (Build: 20260216)', 501, '5.1.3'],
])(
  'with the tree of Moodle %s the templates name that release, wherever they name one',
  async (release, branch, named) => {
    const assembly = readAssembly(await assemblyFor({ site: 'demo' }));
    const before = naming(assembly, deployed);
    expect(before.join()).toMatch(/BuildImageFunction.*FindUpdatesFunction/s);
    const after = atReleaseOf(assembly, real(release, branch));
    expect(naming(after, deployed)).toEqual([]);
    expect(naming(after, new RegExp(`^${named.replaceAll('.', '\\.')}(-[0-9a-f]{16})?$`))).toHaveLength(before.length);
  },
);

test('the checksum of another release’s archive is not that of the tree', () => {
  const Variables = { MOODLE_VERSION: '5.3', MOODLE_CHECKSUM: 'a'.repeat(64), IMAGE_TAG: 'another' };
  const build = { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables } } };
  const assembly: CloudAssembly = { stacks: [{ stackName: 'Demo', template: { Resources: { build } } }] };
  const variables = (moodle: MoodleSource) =>
    atReleaseOf(assembly, moodle).stacks[0]?.template.Resources.build?.Properties?.Environment;
  expect(variables(real('5.1.3', 501))).toEqual({
    Variables: { MOODLE_VERSION: '5.1.3', MOODLE_CHECKSUM: 'published', IMAGE_TAG: 'another' },
  });
  expect(variables(real('5.3 (Build: 20261005)', 503))).toEqual({ Variables });
});

test('the stand-in stands for what the templates name', async () => {
  const assembly = readAssembly(await assemblyFor({ site: 'demo' }));
  expect(atReleaseOf(assembly, { kind: 'stand-in' })).toBe(assembly);
});

test('templates that name another release than the tree are said plainly', () => {
  expect(otherReleaseInWords(real('5.1.3 (Build: 20260216)', 501), '5.3')).toBe(
    'The templates name Moodle 5.3; the code in /m is Moodle 5.1.3. That is what is rehearsed: images, plans and messages ' +
      'name 5.1.3, and updates stay within its branch.',
  );
  expect(otherReleaseInWords(real('5.3 (Build: 20261005)', 503), '5.3')).toBeUndefined();
  expect(otherReleaseInWords({ kind: 'stand-in' }, '5.3')).toBeUndefined();
});
