import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PluginRelease, releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { codeOnly } from '../plugins/harmless.ts';
import { pluginFiles } from '../plugins/make-plugin.ts';
import { beforePoison, POISONED, type Poison, poisons } from '../plugins/poisoned.ts';
import { makeCodeTree } from './code-tree.ts';
import { recordedReleases, recordedTree } from './record-moodle-tree.ts';
import { image, leftOut } from './run.ts';

const noTools = leftOut('the commands that put plugins into an image', 'php', 'curl');

let folder: string;
let tree: string;
let directory: PluginDirectory;

beforeAll(async () => {
  directory = await PluginDirectory.start();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plugins-'));
  tree = makeCodeTree(join(folder, 'code'));
});
afterAll(async () => {
  await directory.close();
});

/** Not waited for synchronously: this process is the server. */
function command(name: 'add-plugins' | 'check-plugins', ...words: string[]) {
  const child = spawn(join(image, name), words, { env: { PATH: process.env.PATH } });
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

function manifest(releases: readonly PluginRelease[], pinned: Poison['pinned'] = {}): string {
  const file = join(folder, 'manifest.json');
  const plugins = releases.map((release) => {
    directory.offer(release);
    const { component, version, archive } = release;
    const sha256 = createHash('sha256').update(archive).digest('hex');
    return { component, version, release: release.release, url: directory.downloadUrl(release), sha256, ...pinned };
  });
  writeFileSync(file, JSON.stringify({ moodle: { version: '4.5.6', sha256: null }, plugins }));
  return file;
}

/** Adds and checks, as a build does; what the first that fails says. */
async function build(releases: readonly PluginRelease[], pinned?: Poison['pinned'], installed?: object) {
  const file = manifest(releases, pinned);
  const added = await command('add-plugins', file, tree);
  if (added.status !== 0) return { step: 'add', ...added };
  const known = join(folder, 'installed.json');
  if (installed) writeFileSync(known, JSON.stringify(installed));
  const checked = await command('check-plugins', file, tree, ...(installed ? ['--installed', known] : []));
  return { step: checked.status === 0 ? 'built' : 'check', ...checked };
}

const inTree = (...path: string[]) => join(tree, ...path);

describe.skipIf(noTools)('plugins in an image', () => {
  test('the plugins of the deployed source are what their schema says', () => {
    const schema = JSON.parse(readFileSync(join(image, 'plugins.schema.json'), 'utf8'));
    const { validate, errors } = (() => {
      const ajv = new Ajv();
      const validate = ajv.compile(schema);
      return { validate, errors: () => validate.errors };
    })();
    expect(validate(JSON.parse(readFileSync(join(image, 'plugins.json'), 'utf8'))), JSON.stringify(errors())).toBe(
      true,
    );
    expect(validate(JSON.parse(readFileSync(manifest([codeOnly(1)]), 'utf8'))), JSON.stringify(errors())).toBe(true);
    expect(validate({ plugins: [{ component: 'local_x', version: 1, url: 'https://x/x.zip' }] })).toBe(false);
  });

  test.each(recordedReleases().map((release) => ({ release, layout: recordedTree(release).served })))(
    'adds plugins where Moodle $release keeps them',
    async ({ release, layout }) => {
      rmSync(tree, { recursive: true });
      makeCodeTree(tree, release);
      const parent = releaseOf(
        pluginFiles({
          component: 'tool_parent',
          version: 2026010100,
          files: {
            'db/subplugins.json': JSON.stringify({
              plugintypes: { parentpart: `admin/tool/parent/part` },
              ...(layout ? { subplugintypes: { parentpart: 'part' } } : {}),
            }),
            'part/readme.txt': '',
          },
        }),
      );
      const part = releaseOf(pluginFiles({ component: 'parentpart_one', version: 2026010100 }));
      const submission = releaseOf(pluginFiles({ component: 'assignsubmission_two', version: 2026010100 }));

      const built = await build([part, codeOnly(1), submission, parent]);

      expect(built).toMatchObject({ step: 'built', output: expect.stringContaining('4 plugins checked, 0 problems') });
      expect(readFileSync(inTree(layout, 'local/codeonly/version.php'), 'utf8')).toContain('2026010101');
      for (const place of ['admin/tool/parent', 'admin/tool/parent/part/one', 'mod/assign/submission/two']) {
        expect(existsSync(inTree(layout, place, 'version.php')), place).toBe(true);
      }
      expect(readdirSync(folder).sort()).toEqual(['code', 'manifest.json']);
    },
  );

  test('names every plugin that cannot come, and not the first one only', async () => {
    const wrong = ['local_one', 'local_three'].map((component) =>
      releaseOf(pluginFiles({ component, version: 2026010109 }), { version: 2026010101 }),
    );
    const { step, output } = await build([...wrong, codeOnly(1)]);
    expect(step).toBe('add');
    for (const { component } of wrong) {
      expect(output).toContain(`plugin problem: ${component}: its archive holds version 2026010109, not 2026010101.`);
    }
    expect(output).toContain('added local_codeonly 2026010101');
    expect(readdirSync(folder).sort()).toEqual(['code', 'manifest.json']);
  });

  test('puts a plugin in the place of another version of it, of which no file stays', async () => {
    await build([releaseOf(pluginFiles({ component: POISONED, version: 2026010101, files: { 'old.php': '<?php' } }))]);
    expect(existsSync(inTree('local/poisoned/old.php'))).toBe(true);

    expect(await build([beforePoison], undefined, { [POISONED]: 2026010101 })).toMatchObject({ step: 'built' });

    expect(existsSync(inTree('local/poisoned/old.php'))).toBe(false);
  });

  test.each(poisons.filter(({ stoppedIn }) => ['add', 'check'].includes(stoppedIn)))(
    'a build ends with: $name',
    async ({ release, pinned, stoppedIn, words }) => {
      const { step, status, output } = await build([release], pinned);

      expect({ step, status }, output).toEqual({ step: stoppedIn, status: 1 });
      const line = output.split('\n').find((one) => one.startsWith(`plugin problem: ${POISONED}: `));
      expect(line, output).toMatch(words);
      expect(output).not.toContain(folder);
      // Nothing escaped, and what was refused before it was unpacked is not in the tree.
      expect(readdirSync(folder).filter((name) => !['code', 'manifest.json'].includes(name))).toEqual([]);
      expect(existsSync(inTree('local/poisoned'))).toBe(stoppedIn === 'check');
    },
  );

  test('a build cannot know of what only an upgrade or a page shows', async () => {
    const half = poisons.find(({ name }) => name === 'half an upgrade')?.release ?? beforePoison;
    expect(await build([half])).toMatchObject({ step: 'built' });
  });

  test('says every problem, of every plugin', async () => {
    const named = (name: string) => poisons.find((poison) => poison.name === name)?.release ?? beforePoison;
    const other = releaseOf(
      pluginFiles({
        component: 'mod_wordless',
        version: 2026010100,
        files: { 'lib.php': '<?php {', 'lang/en/wordless.php': '' },
      }),
    );
    rmSync(tree, { recursive: true });
    makeCodeTree(tree);
    const { output } = await build([named('missing dependency'), other]);
    expect(output.match(/^plugin problem: .*/gm)).toEqual([
      expect.stringContaining('local_poisoned: it needs local_nowhere'),
      expect.stringContaining('mod_wordless: lib.php does not parse'),
      expect.stringContaining(
        'mod_wordless: it has no db/install.xml, without which Moodle installs no activity module',
      ),
    ]);
    expect(output).toContain('2 plugins checked, 3 problems');
  });

  test('what the site has is not made older', async () => {
    const { step, output } = await build([beforePoison], undefined, { [POISONED]: 2026010199 });
    expect(step).toBe('check');
    expect(output).toContain(
      `plugin problem: ${POISONED}: version 2026010101 is older than the 2026010199 that the site has.`,
    );
  });

  test('only warns of others’ code that does not parse, and of a Moodle that the plugin does not name', async () => {
    const built = await build([
      releaseOf(
        pluginFiles({
          component: POISONED,
          version: 2026010101,
          says: ['$plugin->supported = [401, 404];'],
          files: {
            'vendor/polyfill/bootstrap.php': '<?php {',
            'thirdpartylibs.xml': '<libraries><library><location>extlib</location></library></libraries>',
            'extlib/a.php': '<?php {',
            'tests/fixtures/broken.php': '<?php {',
            'composer.json': JSON.stringify({ require: { php: '^7.4 || ^8.0' } }),
          },
        }),
      ),
    ]);
    expect(built.step).toBe('built');
    expect(built.output.match(/^warning: .*/gm)).toEqual([
      expect.stringContaining('does not parse'),
      expect.stringContaining('does not parse'),
      `warning: ${POISONED}: it names Moodle 401 to 404 as supported; this is 405.`,
    ]);
  });

  test('Moodle’s own plugins change only with Moodle, and unknown types have no place', async () => {
    const forum = releaseOf(pluginFiles({ component: 'mod_forum', version: 2026010100 }));
    expect((await build([forum])).output).toContain('plugin problem: mod_forum: it is part of Moodle 4.5.6');
    const lost = releaseOf(pluginFiles({ component: 'nowhere_x', version: 2026010100 }));
    expect((await build([lost])).output).toContain('has no plugins of the type nowhere');
  });

  test.each([
    ['{"plugins": {"a": 1}}', 'has no list “plugins”'],
    ['{', 'is not JSON'],
    ['{"plugins": [{"component": "../x", "version": 1, "url": "https://x", "sha256": ""}]}', 'plugins[0]: “component”'],
    ['{"plugins": [{"component": "a_b", "version": 1, "url": "file:///x", "sha256": ""}]}', 'plugins[0]: “url”'],
    [
      `{"plugins": [{"component": "a_b", "version": "1", "url": "https://x", "sha256": "${'0'.repeat(64)}"}]}`,
      '“version”',
    ],
  ])('refuses the manifest %s', async (text, words) => {
    const file = join(folder, 'manifest.json');
    writeFileSync(file, text);
    for (const name of ['add-plugins', 'check-plugins'] as const) {
      const { status, output } = await command(name, file, tree);
      expect(status).toBe(1);
      expect(output).toContain(words);
    }
  });

  test('a directory that is gone ends the build with its address', async () => {
    const file = manifest([beforePoison]);
    directory.withdraw(POISONED);
    const { output } = await command('add-plugins', file, tree);
    expect(output).toMatch(/^plugin problem: local_poisoned: http:\S+\.zip could not be downloaded: curl: .*404/m);
  });
});
