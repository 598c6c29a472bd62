import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { help, parseOptions, UsageError } from '../../rehearsal/options.ts';
import { servePlugins } from '../../rehearsal/plugin-directory/serve-folder.ts';
import { makeCodeTree } from '../image/code-tree.ts';
import { temporaryFolder } from './support/assembly.ts';

const parse = (...words: string[]) => parseOptions(words, false);

describe('the command line of a rehearsal', () => {
  it('rehearses an install by default, and a plugin update with its own options', () => {
    expect(parse()).toMatchObject({ rollout: 'install', input: {}, bySchedule: false, keep: false });
    expect(parse('plugin-update', '--plugins', 'some', '--input', '{"approval":true}')).toMatchObject({
      rollout: 'plugin-update',
      plugins: resolve('some'),
      input: { approval: true },
    });
    expect(parse('--by-schedule', 'plugin-update')).toMatchObject({ bySchedule: true, input: {} });
  });

  const refused: [RegExp, ...string[]][] = [
    [/The rollout takes install or plugin-update, not “update”/, 'update'],
    [/One rollout is rehearsed, not “install plugin-update”/, 'install', 'plugin-update'],
    [/--plugins is an option of plugin-update/, '--plugins', 'some'],
    [/--other-moodle is an option of plugin-update/, '--other-moodle', 'some'],
    [/--by-schedule is an option of plugin-update/, 'install', '--by-schedule'],
    [/leave --input out/, 'plugin-update', '--by-schedule', '--input', '{}'],
    [/--input takes a JSON object, not “\[\]”/, 'plugin-update', '--input', '[]'],
    [/--input takes a JSON object, not “{”/, 'plugin-update', '--input', '{'],
    [/--cloud-assembly .* leave --cache out/, '--cloud-assembly', 'cdk.out', '--cache', 'redis'],
    [/--cloud-assembly .* leave --context out/, '--cloud-assembly', 'cdk.out', '-c', 'waf=true'],
    [/--nodes takes a whole number from 1, not “0”/, '--nodes', '0'],
  ];

  it.each(refused)('is refused as %s', (expected, ...words) => {
    expect(() => parse(...words)).toThrow(UsageError);
    expect(() => parse(...words)).toThrow(expected);
  });

  it('is told by the help text', () => {
    for (const word of ['plugin-update', '--plugins', '--input', '--by-schedule', '--keep', '--data']) {
      expect(help).toContain(word);
    }
  });
});

describe('a folder of plugins', () => {
  it('is served in the place of the plugin directory, at the same address each time', async () => {
    const [folder, data] = [temporaryFolder(), temporaryFolder()];
    await expect(servePlugins(join(folder, 'none'), data)).rejects.toThrow('There is no folder');
    await expect(servePlugins(folder, data)).rejects.toThrow(/no plugin to update to/);
    mkdirSync(join(folder, 'local_x/2'), { recursive: true });
    writeFileSync(
      join(folder, 'local_x/2/version.php'),
      "<?php\n$plugin->component = 'local_x';\n$plugin->version = 2026010102;\n",
    );
    const first = await servePlugins(folder, data);
    const { url } = first;
    const asked = await fetch(`${url}/updates.php?branch=5.3&version=1&plugins=local_x@2026010101`);
    expect(await asked.json()).toMatchObject({ updates: { local_x: [{ version: '2026010102' }] } });
    await first.close();
    const second = await servePlugins(folder, data);
    expect(second.url).toBe(url);
    await second.close();
  });

  it('offers other releases of Moodle within its branch, without any plugin too', async () => {
    const moodle = makeCodeTree(join(temporaryFolder(), 'moodle'));
    const directory = await servePlugins(undefined, temporaryFolder(), [moodle]);
    const asked = await fetch(`${directory.url}/updates.php?branch=4.5&version=2024100705.00`);
    await directory.close();
    expect(await asked.json()).toMatchObject({
      updates: {
        core: [{ version: '2024100706.00', release: '4.5.6 (Build: 20250811)', branch: '4.5', maturity: 200 }],
      },
    });
  });
});

describe('options of the app in a rehearsal', () => {
  it('are taken as cdk deploy takes them, any number of them', () => {
    const { context } = parseOptions(['-c', 'cloudFront=true', '-c', 'siteFullName=A = B'], false);
    expect(context).toEqual({ cloudFront: 'true', siteFullName: 'A = B' });
    expect(parseOptions([], false).context).toEqual({});
  });

  it.each([
    ['cloudFront', 'NAME=VALUE'],
    ['site=north', 'always demo'],
    ['sessionStore=memcached', '--cache'],
    ['databaseAccess=network', '--database-access'],
  ])('refuses -c %s and says %s', (word, words) => {
    expect(() => parseOptions(['-c', word], false)).toThrow(UsageError);
    expect(() => parseOptions(['-c', word], false)).toThrow(words);
  });
});
