import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readReleases } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { pluginFiles } from '../plugins/make-plugin.ts';

let folder: string;
let directory: PluginDirectory;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plugin-directory-'));
  const versions = { 2026010101: [], 2026010102: [], 2026010103: ['$plugin->supported = [500, 501];'] };
  for (const [version, says] of Object.entries(versions)) {
    for (const [path, content] of Object.entries(pluginFiles({ component: 'mod_x', version: Number(version), says }))) {
      const file = join(folder, 'mod_x', version, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
  const core = {
    branch: '4.5',
    release: '4.5.7',
    maturity: 200,
    version: '2024100707.00',
    download: 'https://x/x.zip',
  };
  directory = await PluginDirectory.start(readReleases(folder), [core]);
});
afterAll(async () => {
  await directory.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = async (path: string, init?: RequestInit) => {
  const answer = await fetch(`${directory.url}/${path}`, init);
  return { status: answer.status, body: JSON.parse(await answer.text()) };
};

test('tells of newer versions for the branch, asked by GET and as Moodle posts it', async () => {
  const query = 'format=json&version=2024100706.00&branch=4.5&plugins=mod_x@2026010101,mod_unknown@1';
  const { body } = await ask(`updates.php?${query}`);
  const posted = await ask('updates.php', { method: 'POST', body: query });

  expect(body).toMatchObject({ status: 'OK', apiver: '1.3', forbranch: '4.5', forversion: '2024100706.00' });
  expect(body.updates).toEqual({
    core: [expect.objectContaining({ version: '2024100707.00' })],
    mod_x: [expect.objectContaining({ version: '2026010102', release: 'release of 2026010102', maturity: 200 })],
  });
  expect(posted.body.updates).toEqual(body.updates);
});

test('gives archives whose checksum it has told', async () => {
  const { body } = await ask('updates.php?version=1&branch=5.1&plugins=mod_x@2026010102');
  const [update] = body.updates.mod_x;
  const archive = Buffer.from(await (await fetch(update.download)).arrayBuffer());

  expect(createHash('md5').update(archive).digest('hex')).toBe(update.downloadmd5);
  writeFileSync(join(folder, 'x.zip'), archive);
  const listed = execFileSync(process.execPath, ['-e', listNames, join(folder, 'x.zip')], { encoding: 'utf8' });
  expect(listed.trim().split('\n').sort()).toEqual(['x/classes/facts.php', 'x/lang/en/x.php', 'x/version.php']);
});

/** Names in an archive's local headers: signature, 22 bytes, length of the compressed data at 18, of the name at 26. */
const listNames = `
  const b = require('node:fs').readFileSync(process.argv[1]);
  for (let at = 0; b.readUInt32LE(at) === 0x04034b50; at += 30 + b.readUInt16LE(at + 26) + b.readUInt32LE(at + 18))
    console.log(b.toString('utf8', at + 30, at + 30 + b.readUInt16LE(at + 26)));
`;

test('answers for one plugin: a version, the best one for a branch, none', async () => {
  const version = async (query: string) =>
    (await ask(`pluginfo.php?format=json&plugin=${query}`)).body.pluginfo.version;

  expect(await version('mod_x@2026010101')).toMatchObject({
    version: '2026010101',
    downloadurl: expect.stringMatching(/^http:.*mod_x_2026010101\.zip$/),
    downloadmd5: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(await version('mod_x&branch=4.5&minversion=0')).toMatchObject({ version: '2026010102' });
  expect(await version('mod_x&branch=5.1&minversion=0')).toMatchObject({
    version: '2026010103',
    supportedmoodles: [{ release: '5.0' }, { release: '5.1' }],
  });
  expect(await version('mod_x&branch=4.5&minversion=2026010103')).toBe(false);
  expect(await ask('pluginfo.php?plugin=mod_unknown')).toMatchObject({ status: 404 });
});
