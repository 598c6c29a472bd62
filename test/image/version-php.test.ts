import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCodeTree } from './code-tree.ts';
import { leftOut } from './run.ts';
import { readByBuild, type Shape, shapes, values } from './version-php-shapes.ts';

const noPhp = leftOut('the reader of version.php', 'php');

let folder: string;
let read: readonly { readonly shape: Shape; readonly ours: ReturnType<typeof readByBuild>[number] }[];
beforeAll(() => {
  if (noPhp) return;
  folder = mkdtempSync(join(tmpdir(), 'version-php-tree-'));
  const all = shapes();
  const answers = readByBuild(makeCodeTree(folder, '4.5.6'), all);
  read = all.map((shape, index) => ({ shape, ours: answers[index] ?? {} }));
});
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const named = (name: string) => read.find(({ shape }) => shape.name === name)?.ours;

/** What Moodle reads where it stands, and a build does not: it would have to run it, or to know the site. */
const notRead = [
  'a setting of the site',
  'a loop',
  // Moodle's upgrade refuses these, after load_disk_version has found no version in them.
  'no object',
  'an activity module in the form of 2.4',
];

describe.skipIf(noPhp)('what version.php says', () => {
  test('is read as Moodle’s load_disk_version reads it', () => {
    const compared = read.filter(({ ours }) => ours.unreadable === undefined);
    const readable = compared.filter(({ shape }) => !shape.moodle.stops && shape.moodle.refused === undefined);
    expect(readable.length).toBeGreaterThan(340);
    for (const { shape, ours } of readable) {
      // Of $module, other plugins than activity modules have what Moodle's upgrade reads, and load_disk_version does not.
      if (shape.php.includes('$module->')) continue;
      expect(values(ours), shape.php).toEqual(values(shape.moodle));
    }
  });

  test('is refused where Moodle refuses it or stops, and nowhere else', () => {
    for (const { shape, ours } of read) {
      const isOld = shape.component === 'mod_sample' && shape.php.includes('$module->');
      if (shape.moodle.refused !== undefined) {
        expect(ours.problems, shape.php).toContainEqual(
          expect.stringMatching(/its \$plugin->(supported|incompatible) is .* Moodle refuses/),
        );
      } else if (shape.moodle.stops) {
        expect(ours.unreadable ?? ours.problems?.join(), shape.php).toBeTruthy();
      } else if (!isOld && !notRead.includes(shape.name ?? '')) {
        expect(ours.unreadable, shape.php).toBeUndefined();
      } else {
        expect(ours.unreadable, shape.php).toBeTruthy();
      }
    }
  });

  test.each([
    [
      'a guard of another system',
      'the guard of something else',
      /version\.php line 2: it ends PHP here, and Moodle with it/,
    ],
    [
      'a constant that is not there',
      'maturity without its prefix',
      /line \d: there is no constant ALPHA, where PHP stops/,
    ],
    ['a call', 'a question to the configuration', /it calls the function get_config\(\), which is not run here/],
    ['a setting', 'a setting of the site', /it asks for “sample_domain” of the site, which a build cannot know/],
    ['a file of Moodle', 'a file that is not its own', /it includes a file that is not the plugin’s own, or not there/],
    ['a loop', 'a loop', /line 5: “foreach” is more than a plugin’s version is read from/],
    ['what does not parse', 'a mistake', /version\.php does not parse: .*unexpected variable "\$plugin".* on line 3/],
    ['the form of Moodle 2.4', 'an activity module in the form of 2.4', /sets \$module, the form of Moodle 2\.4/],
  ])('names the line and the reason: %s', (_, name, words) => {
    expect(named(name)?.unreadable).toMatch(words);
  });

  test.each([
    ['supported is a number', /its \$plugin->supported is 405, which Moodle refuses\. It has to be two branches/],
    ['incompatible is a release', /its \$plugin->incompatible is "4\.5", which Moodle refuses/],
    ['requires is a release', /its \$plugin->requires is "4\.1", which Moodle takes for a plugin of Moodle 1/],
  ])('says what Moodle refuses: %s', (name, words) => {
    expect(named(name)?.problems).toEqual([expect.stringMatching(words)]);
  });
});
