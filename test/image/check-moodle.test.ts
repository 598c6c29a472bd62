import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeCodeTree } from './code-tree.ts';
import { recordedReleases, recordedTree } from './record-moodle-tree.ts';
import { image, leftOut, run } from './run.ts';

const noPhp = leftOut('the check of a release of Moodle', 'php');

let folder: string;
let tree: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'check-moodle-'));
  tree = join(folder, 'code');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const check = () => run(join(image, 'check-moodle'), [tree]);
const problems = () => check().stderr.trimEnd().split('\n');

describe.skipIf(noPhp)('check-moodle', () => {
  // The tests' trees are no Moodle: they get as far as the question to Moodle's own classes, which they do not have.
  // That real releases pass is tried in moodle-tree.moodle.test.ts.
  test.each(recordedReleases())('knows the layout of Moodle %s', (release) => {
    makeCodeTree(tree, release);
    const { status, stdout, stderr } = check();
    expect(status).toBe(1);
    expect(stdout).toContain(`Moodle ${recordedTree(release).release}, version `);
    expect(stdout).toMatch(/in order: \d+ files where the image needs them/);
    expect(stderr).toMatch(
      /^Moodle problem: Moodle .* does not start as its admin\/cli\/install\.php starts it: .*\n$/,
    );
    expect(stderr).not.toContain(folder);
  });

  test.each([
    [
      '4.5.6',
      'lib/components.json',
      /lib\/components\.json is not there, in which every release so far names its plugins/,
    ],
    [
      '5.1.3',
      'lib/components.json',
      /Moodle 5\.1\.3 \(Build: \d+\) is of a layout that is not known here: lib\/components\.json is not there/,
    ],
    ['5.1.3', 'lib/plugins.json', /lib\/plugins\.json is not there/],
    [
      '5.1.3',
      'admin/cli/uninstall_plugins.php',
      /layout that is not known here: admin\/cli\/uninstall_plugins\.php is not there/,
    ],
    ['4.5.6', 'lib/upgradelib.php', /layout that is not known here: lib\/upgradelib\.php is not there/],
    ['5.1.3', 'public/lib/upgradelib.php', /layout that is not known here: public\/lib\/upgradelib\.php is not there/],
    ['5.1.3', 'public/config.php', /public\/config\.php is not there/],
    ['4.5.6', 'admin/environment.xml', /admin\/environment\.xml is not there/],
    ['5.1.3', 'public/admin/environment.xml', /public\/admin\/environment\.xml is not there/],
  ])('says of Moodle %s without %s what was looked for, and where', (release, file, words) => {
    makeCodeTree(tree, release);
    rmSync(join(tree, file));
    expect(check().status).toBe(1);
    expect(problems()[0]).toMatch(words);
  });

  test('as Moodle 5.1 was taken to be once, with its tables in public/lib: named, and where they were looked for', () => {
    makeCodeTree(tree, '5.1.3');
    for (const file of ['components.json', 'plugins.json']) {
      writeFileSync(join(tree, 'public/lib', file), readFileSync(join(tree, 'lib', file)));
      rmSync(join(tree, 'lib', file));
    }
    expect(problems()).toEqual([expect.stringContaining('lib/components.json is not there')]);
  });

  test.each([
    [
      'no Moodle',
      'version.php',
      null,
      /There is no Moodle in .*neither public\/version\.php .* nor version\.php is there/,
    ],
    [
      'a version in another form',
      'version.php',
      '<?php return [2024100706];',
      /version\.php does not set \$version in the form/,
    ],
    ['tables that are no JSON', 'lib/components.json', '<?xml?>', /lib\/components\.json is no JSON/],
    ['tables of another form', 'lib/components.json', '{"plugins": {}}', /lib\/components\.json has no “plugintypes”/],
    [
      'no activity modules',
      'lib/components.json',
      '{"plugintypes": {"x": "x"}, "subsystems": {}}',
      /names no folder for plugins of the type “mod”/,
    ],
  ])('stops at %s', (_, file, text, words) => {
    makeCodeTree(tree);
    if (text === null) rmSync(join(tree, file));
    else writeFileSync(join(tree, file), text);
    expect(problems()).toEqual([expect.stringMatching(words)]);
  });

  test.each([
    [
      'an older PHP than it requires',
      'PHP version="8.1.0"',
      'PHP version="99.0"',
      /it requires PHP 99\.0 or newer; this is 8/,
    ],
    ['an extension that is not here', 'name="json"', 'name="nowhere"', /it requires the extension nowhere of PHP/],
    [
      'a PHP that is too new',
      '<PHP version="8.1.0" level="required"/>',
      '<PHP version="8.1.0" level="required"><RESTRICT function="restrict_php_version_80" message="x"/></PHP>',
      /it runs on no PHP from 8\.0 on/,
    ],
  ])('compares PHP: %s', (_, from, to, words) => {
    makeCodeTree(tree);
    const file = join(tree, 'admin/environment.xml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
    expect(problems()[0]).toMatch(words);
  });

  test('looks at every folder that it is given, and leaves nothing behind', () => {
    makeCodeTree(tree);
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('check-moodle-'));
    const { status, stderr } = run(join(image, 'check-moodle'), [join(folder, 'nowhere'), tree]);
    expect(status).toBe(1);
    expect(stderr.match(/^Moodle problem: /gm)).toHaveLength(2);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('check-moodle-'))).toEqual(before);
    expect(run(join(image, 'check-moodle'), []).status).toBe(64);
  });
});

/** Every file of the image that is run, and what it says without its comments. */
function sources(): { file: string; text: string }[] {
  return readdirSync(image, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('plugin-tools') && !entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, 'utf8').replace(/^\s*(?:\/\/|\*|\/\*|#).*$/gm, '') }));
}

describe('what the image relies on', () => {
  const contract = readFileSync(join(image, 'plugin-tools/moodle_contract.php'), 'utf8');
  const used = (pattern: RegExp) =>
    [...new Set(sources().flatMap(({ text }) => [...text.matchAll(pattern)].map(([, name]) => name ?? '')))].sort();

  test.each([
    ['commands of Moodle', /\b(admin\/cli\/\w+\.php)/g, 4],
    ['libraries of Moodle', /\$CFG->(?:libdir)\/(\w[\w.]*\.php)/g, 6],
    [
      'classes of Moodle',
      /\\(core_(?:component|plugin_manager)|core_cache\\\w+|cache_\w+|core\\session\\(?:manager|redis|memcached|database)|context_system)\b/g,
      8,
    ],
  ])('is looked for in a release: %s', (_, pattern, atLeast) => {
    const names = used(pattern);
    expect(names.length).toBeGreaterThanOrEqual(atLeast);
    for (const name of names) expect(contract, name).toContain(name);
  });
});
