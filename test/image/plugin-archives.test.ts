import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assembleStandIn } from '../../rehearsal/machines/code-build/assemble-stand-in.ts';
import { releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { zip } from '../../rehearsal/plugin-directory/zip.ts';
import { ARCHIVED, archivedFiles, archiveForms } from '../plugins/archives.ts';
import { pluginFiles } from '../plugins/make-plugin.ts';
import { makeCodeTree } from './code-tree.ts';
import { image, leftOut } from './run.ts';

const noTools = leftOut('the commands that put plugins into an image', 'php', 'curl');

let folder: string;
let tree: string;
let directory: PluginDirectory;

beforeAll(async () => {
  directory = await PluginDirectory.start();
});
afterAll(() => directory.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archives-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Build {
  readonly component?: string;
  readonly release?: string;
  /** Files of plugins beside it. */
  readonly others?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Adds an archive as this plugin to a tree of this release, and checks it. */
async function build(archive: Buffer, { component = ARCHIVED, release = '4.5.6', others = {} }: Build = {}) {
  tree = makeCodeTree(join(folder, 'code'), release);
  const offered = [
    ...Object.values(others).map((files) => releaseOf(files)),
    releaseOf(pluginFiles({ component, version: 2026010100 }), { archive }),
  ];
  const plugins = offered.map((one) => {
    directory.offer(one);
    const sha256 = createHash('sha256').update(one.archive).digest('hex');
    return { component: one.component, version: one.version, url: directory.downloadUrl(one), sha256 };
  });
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ plugins }));
  const added = await run('add-plugins', manifest);
  return added.status === 0 ? run('check-plugins', manifest) : added;
}

/** Not waited for synchronously: this process is the server. */
function run(name: string, manifest: string) {
  const child = spawn(join(image, name), [manifest, tree], { env: { PATH: process.env.PATH } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  return new Promise<{ status: number | null; output: string }>((resolve) =>
    child.once('close', (status) => resolve({ status, output })),
  );
}

const filesIn = (place: string) =>
  readdirSync(join(tree, place), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(tree, place).length + 1))
    .sort();
const packed = (files: Record<string, string>, top: string) =>
  zip(Object.entries(files).map(([name, content]) => ({ name: `${top}/${name}`, content })));

/** Makes the stand-in's code of an archive; its files, or why not. */
async function assembled(archive: Buffer): Promise<string[] | string> {
  const offered = releaseOf(archivedFiles, { archive });
  directory.offer(offered);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const plugins = [{ component: ARCHIVED, version: 2026010100, url: directory.downloadUrl(offered), sha256 }];
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ moodle: { version: '5.3' }, plugins }));
  tree = join(folder, 'stand-in');
  try {
    await assembleStandIn(manifest, '5.3', tree, () => {});
    return filesIn(`plugins/${ARCHIVED}`);
  } catch (error) {
    return String(error);
  }
}

test.each(archiveForms.filter(({ name, words }) => !words && !name.includes('older encoding')))(
  'the stand-in’s code takes the same archives: $name',
  async ({ archive, more = [] }) => {
    expect(await assembled(archive)).toEqual([...Object.keys(archivedFiles), ...more].sort());
  },
);

test.each(archiveForms.filter(({ name }) => /separators|leads out|drive|nothing but/.test(name)))(
  'the stand-in’s code refuses the same archives: $name',
  async ({ archive }) => {
    expect(await assembled(archive)).toMatch(/^Error: plugin problem: local_sample: its archive has /);
  },
);

describe.skipIf(noTools)('archives of plugins', () => {
  test.each(archiveForms.filter(({ words }) => !words))('takes: $name', async ({ archive, more = [] }) => {
    const built = await build(archive);
    expect(built, built.output).toMatchObject({ status: 0 });
    expect(filesIn('local/sample')).toEqual([...Object.keys(archivedFiles), ...more].sort());
    expect(readFileSync(join(tree, 'local/sample/version.php'), 'utf8')).toBe(archivedFiles['version.php']);
  });

  test.each(archiveForms.filter(({ words }) => words))('refuses: $name', async ({ archive, words }) => {
    const { status, output } = await build(archive);
    expect(status).toBe(1);
    expect(output).toMatch(words ?? /^$/);
    expect(existsSync(join(tree, 'local/sample'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['code', 'manifest.json']);
  });

  test('what Moodle’s own installer takes is taken, but for a link and two files of one name', () => {
    const stricter = archiveForms.filter(({ moodle, words }) => moodle === 'takes' && words).map(({ name }) => name);
    expect(stricter).toEqual(['a link among what macOS adds', 'two files of one name']);
  });
});

const broken = '<?php class Old { function first($text) { return $text{0}; } }';
const component = 'tool_realtimelike';
const parent = {
  'db/subplugins.json': JSON.stringify({
    plugintypes: { rtlike: 'admin/tool/realtimelike/plugin' },
    subplugintypes: { rtlike: 'plugin' },
  }),
};
const part = (version: string) =>
  Object.fromEntries(
    Object.entries(
      pluginFiles({ component: 'rtlike_pusher', version: 2026010100, files: { 'version.php': version } }),
    ).map(([name, content]) => [`plugin/pusher/${name}`, content]),
  );
const partVersion = "<?php\n$plugin->component = 'rtlike_pusher';\n$plugin->version = 2026010100;\n";
const withParts = (files: Record<string, string>, version = partVersion) =>
  packed(pluginFiles({ component, version: 2026010100, files: { ...parent, ...part(version), ...files } }), 'realtime');

describe.skipIf(noTools)('what a plugin carries along', () => {
  test('only warns of others’ code that does not parse, at any depth', async () => {
    const files = {
      'plugin/pusher/thirdpartylibs.xml': '<libraries><library><location>extlib</location></library></libraries>',
      'plugin/pusher/extlib/Old.php': broken,
      'plugin/pusher/vendor/old/old.php': broken,
      'classes/local/vendor/old.php': broken,
      'examples/deep/down.php': broken,
      'db/fixtures/old.php': broken,
      'classes/tests/old.php': broken,
    };
    const { status, output } = await build(withParts(files), { component });
    expect(status, output).toBe(0);
    expect(
      [...output.matchAll(/^warning: tool_realtimelike: (\S+) does not parse: .*Moodle itself does not load it/gm)].map(
        ([, file]) => file,
      ),
    ).toEqual([
      'classes/local/vendor/old.php',
      'db/fixtures/old.php',
      'examples/deep/down.php',
      'plugin/pusher/extlib/Old.php',
      'plugin/pusher/vendor/old/old.php',
    ]);
  });

  test.each([
    ['the autoloader', { 'classes/deep/down.php': broken }],
    ['the upgrade', { 'db/upgrade.php': broken }],
    ['every page', { 'lib.php': broken }],
    ['the administration', { 'settings.php': broken }],
    ['words', { 'lang/en/tool_realtimelike.php': broken }],
    ['a subplugin’s settings', { 'plugin/pusher/settings.php': broken }],
    ['a subplugin’s classes', { 'plugin/pusher/classes/old.php': broken }],
    [
      'a page in a folder',
      { 'pages/one.php': `<?php require(__DIR__ . '/../../../../config.php');\n${broken.slice(5)}` },
    ],
    ['what lib.php requires', { 'lib.php': "<?php require_once(__DIR__ . '/inc/old.php');", 'inc/old.php': broken }],
  ])('a file that does not parse is a problem where Moodle loads it: %s', async (_, files) => {
    const { status, output } = await build(withParts(files), { component });
    expect(status).toBe(1);
    const file = Object.entries(files).find(([, text]) => text.includes('class Old'))?.[0];
    expect(output).toContain(`plugin problem: tool_realtimelike: ${file} does not parse: `);
  });

  test.each([
    [
      'needs another Moodle',
      `${partVersion}$plugin->requires = 2099010100;`,
      /in its subplugin rtlike_pusher: it requires Moodle 2099010100/,
    ],
    [
      'has a form that Moodle refuses',
      `${partVersion}$plugin->supported = 405;`,
      /in its subplugin rtlike_pusher: its \$plugin->supported is 405/,
    ],
    [
      'is another',
      partVersion.replace('rtlike_pusher', 'rtlike_other'),
      /in its subplugin rtlike_pusher: its version\.php names "rtlike_other" as component/,
    ],
    [
      'lacks another plugin',
      `${partVersion}$plugin->dependencies = ['local_nowhere' => 1];`,
      /in its subplugin rtlike_pusher: it needs local_nowhere/,
    ],
  ])('a subplugin that %s ends the build', async (_, version, words) => {
    const { status, output } = await build(withParts({}, version), { component });
    expect({ status, output }).toMatchObject({ status: 1, output: expect.stringMatching(words) });
  });
});

const subpluginsInPhp = { 'db/subplugins.php': "<?php\n$subplugins = ['oldpart' => 'local/oldparent/part'];\n" };
const oldParent = (more: Record<string, string> = {}) =>
  packed(
    pluginFiles({
      component: 'local_oldparent',
      version: 2026010100,
      files: {
        ...subpluginsInPhp,
        'part/one/version.php': "<?php\n$plugin->component = 'oldpart_one';\n$plugin->version = 2026010100;\n",
        ...more,
      },
    }),
    'old',
  );

describe.skipIf(noTools)('subplugins declared in db/subplugins.php', () => {
  test.each(['4.4.1', '4.5.6'])('Moodle %s reads them, and so does the build', async (release) => {
    const { status, output } = await build(
      oldParent({
        'part/one/version.php': "<?php\n$plugin->component = 'oldpart_one';\n$plugin->version = 'never';\n",
      }),
      { component: 'local_oldparent', release },
    );
    expect(status).toBe(1);
    expect(output).toContain('in its subplugin oldpart_one: its version.php names no version');
    const whole = await build(oldParent(), { component: 'local_oldparent', release });
    expect(whole, whole.output).toMatchObject({ status: 0 });
  });

  test('a type whose folder the archive leaves out is there with its first plugin', async () => {
    const { status, output } = await build(
      packed(pluginFiles({ component: 'local_oldparent', version: 2026010100, files: subpluginsInPhp }), 'old'),
      {
        component: 'local_oldparent',
        others: { oldpart_one: pluginFiles({ component: 'oldpart_one', version: 2026010100 }) },
      },
    );
    expect(status, output).toBe(0);
    expect(output).toContain('2 plugins checked, 0 problems');
    expect(existsSync(join(tree, 'local/oldparent/part/one/version.php'))).toBe(true);
  });

  test('Moodle 5.1.3 stops at them, and so does the build', async () => {
    const { status, output } = await build(oldParent(), { component: 'local_oldparent', release: '5.1.3' });
    expect(status).toBe(1);
    expect(output).toMatch(
      /it declares its subplugins in db\/subplugins\.php alone, at which Moodle 5\.1\.3 .* stops with every page/,
    );
  });

  test('what cannot be read without running it is said', async () => {
    const { output } = await build(oldParent({ 'db/subplugins.php': '<?php\n$subplugins = find_subplugins();\n' }), {
      component: 'local_oldparent',
    });
    expect(output).toContain(
      'which subplugins it has cannot be read: subplugins.php line 2: it calls the function find_subplugins()',
    );
  });

  test('what Moodle passes over is a warning', async () => {
    const { status, output } = await build(
      oldParent({
        'db/subplugins.json':
          '{"plugintypes": {"Old_part": "local/oldparent/part", "lostpart": "local/oldparent/lost", "outpart": "local/../../../tmp"}}',
      }),
      { component: 'local_oldparent' },
    );
    expect(status).toBe(0);
    expect(output.match(/^warning: .*/gm)).toEqual([
      expect.stringContaining('“Old_part” is none for Moodle: its name is not one of small letters and digits'),
      expect.stringContaining('“lostpart” is none for Moodle: its folder local/oldparent/lost is not there'),
      expect.stringContaining('“outpart” is none for Moodle: its folder local/../../../tmp leads elsewhere'),
    ]);
  });
});
