import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checksumOfArchive, PluginDirectory } from '../../lambdas/shared/plugin-directory.ts';
import { DirectoryServer } from './directory-server.ts';

let server: DirectoryServer;
let directory: PluginDirectory;
beforeEach(async () => {
  server = await DirectoryServer.start();
  directory = new PluginDirectory(`${server.url}/api/1.3`);
});
afterEach(() => server.close());

const updates = '/api/1.3/updates.php';
const pluginfo = '/api/1.3/pluginfo.php';
const archive = { download: 'https://archives/mod_x.zip', downloadmd5: 'a1b2' };
const ask = () => directory.findUpdates('2026100500.00', '5.3', new Map([['mod_x', 2025010100]]));

describe('newer versions', () => {
  it('are asked for as Moodle asks, and told apart from those of Moodle itself', async () => {
    server.answers.set(updates, {
      status: 'OK',
      forbranch: '5.3',
      updates: {
        core: [{ version: '2026110200.00', release: '5.3.1 (Build: 20261102)', maturity: '200' }],
        mod_x: [
          { version: '2026010100', release: '1.2', maturity: 200, ...archive },
          { version: 2026020100, maturity: null, download: 'javascript:alert(1)', downloadmd5: 5 },
        ],
      },
    });
    expect(await ask()).toEqual({
      core: [{ version: 2026110200, release: '5.3.1 (Build: 20261102)', maturity: 200, url: '', md5: '' }],
      plugins: new Map([
        [
          'mod_x',
          [
            { version: 2026010100, release: '1.2', maturity: 200, url: 'https://archives/mod_x.zip', md5: 'a1b2' },
            { version: 2026020100, release: '', maturity: null, url: '', md5: '' },
          ],
        ],
      ]),
    });
    const [asked] = server.asked;
    expect(Object.fromEntries(asked?.form ?? [])).toEqual({
      format: 'json',
      version: '2026100500.00',
      branch: '5.3',
      plugins: 'mod_x@2025010100',
    });
  });

  it('are none where PHP writes an empty list, and none without a number', async () => {
    server.answers.set(updates, { status: 'OK', forbranch: '5.3', updates: [] });
    expect(await ask()).toEqual({ core: [], plugins: new Map() });
    const versions = [{ release: '1.2' }, null, 'text', { version: 'new' }, { version: -1 }];
    server.answers.set(updates, { status: 'OK', forbranch: '5.3', updates: { mod_x: versions } });
    expect((await ask()).plugins.get('mod_x')).toEqual([]);
  });

  it('keep of the author’s words what fits into a line', async () => {
    const mod_x = [{ version: 2026010100, release: 'x'.repeat(5000), ...archive }];
    server.answers.set(updates, { status: 'OK', forbranch: '5.3', updates: { mod_x } });
    expect((await ask()).plugins.get('mod_x')?.[0]?.release).toHaveLength(60);
  });

  it.each([
    ['an error of its own', { status: 'ERROR' }, /status ERROR/],
    ['another branch', { status: 'OK', forbranch: '4.5' }, /for branch 4\.5/],
    ['no list', { status: 'OK', forbranch: '5.3', updates: { mod_x: { version: 1 } } }, /no list of versions of mod_x/],
    ['a page', '<html>Maintenance</html>', /no JSON/],
    ['nothing', 'null', /status undefined/],
    ['a number', '5', /status undefined/],
    ['a failure', 500, /it answered 500/],
    ['too many requests', 429, /it answered 429/],
    ['that it is not there', 404, /it answered 404/],
  ])('are waited for when the directory answers %s', async (_, answer, why) => {
    server.answers.set(updates, answer);
    await expect(ask()).rejects.toMatchObject({
      name: 'PluginDirectoryNotAnswering',
      message: expect.stringMatching(why),
    });
  });

  it('are waited for when the answer is without end, breaks off, or nobody is there', async () => {
    server.answers.set(updates, (response) => {
      const more = () => {
        while (response.write('x'.repeat(1024 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    await expect(ask()).rejects.toThrow(/more than 16 MiB/);
    server.answers.set(updates, (response) => {
      response.setHeader('content-length', 1000);
      response.write('{');
      setTimeout(() => response.destroy(), 10);
    });
    await expect(ask()).rejects.toMatchObject({ name: 'PluginDirectoryNotAnswering' });
    await server.close();
    await expect(ask()).rejects.toMatchObject({
      name: 'PluginDirectoryNotAnswering',
      message: expect.stringMatching(/updates\.php gives no usable answer.*Nothing was changed/),
    });
  });
});

describe('one version', () => {
  const version = {
    version: '2026010100',
    release: '1.2',
    maturity: 200,
    downloadurl: 'https://a/x.zip',
    downloadmd5: 'a1',
  };

  it('is the one for the branch, or the one of that number', async () => {
    server.answers.set(pluginfo, { status: 'OK', pluginfo: { version } });
    const found = { version: 2026010100, release: '1.2', maturity: 200, url: 'https://a/x.zip', md5: 'a1' };
    expect(await directory.findPlugin('mod_x', '5.3')).toEqual(found);
    expect(await directory.findPlugin('mod_x', '5.3', 2026010100)).toEqual(found);
    const queries = server.asked.map(({ query }) => Object.fromEntries(query));
    expect(queries).toEqual([
      { plugin: 'mod_x', minversion: '0', branch: '5.3', format: 'json' },
      { plugin: 'mod_x@2026010100', format: 'json' },
    ]);
  });

  it.each([
    [404, undefined, /knows no plugin mod_x/],
    [{ status: 'OK', pluginfo: { version: false } }, undefined, /no version for Moodle 5\.3/],
    [{ status: 'OK', pluginfo: {} }, 2026010100, /not the version 2026010100/],
  ])('is refused when the directory answers %j', async (answer, number, why) => {
    server.answers.set(pluginfo, answer);
    await expect(directory.findPlugin('mod_x', '5.3', number)).rejects.toMatchObject({
      name: 'UpdateNotPossible',
      message: expect.stringMatching(why),
    });
  });

  it.each([
    [{ status: 'OK', pluginfo: null }],
    [{ status: 'OK', pluginfo: { version: 'text' } }],
    [{ status: 'OK', pluginfo: { version } }],
    [503],
  ])('of the number 2020010100 is waited for when the directory answers %j', async (answer) => {
    server.answers.set(pluginfo, answer);
    await expect(directory.findPlugin('mod_x', '5.3', 2020010100)).rejects.toMatchObject({
      name: 'PluginDirectoryNotAnswering',
    });
  });
});

describe('an archive', () => {
  const content = 'the archive';
  const digest = (algorithm: string) => createHash(algorithm).update(content).digest('hex');
  const check = (algorithm: 'md5' | 'sha256', expected: string) =>
    checksumOfArchive('mod_x', `${server.url}/x.zip`, { algorithm, digest: expected });

  it('is pinned to its SHA-256 when its checksum is the given one, in capitals or not', async () => {
    server.answers.set('/x.zip', content);
    expect(await check('md5', digest('md5').toUpperCase())).toBe(digest('sha256'));
    expect(await check('sha256', digest('sha256'))).toBe(digest('sha256'));
  });

  it('is refused with both checksums when it is another', async () => {
    server.answers.set('/x.zip', content);
    await expect(check('md5', 'b'.repeat(32))).rejects.toMatchObject({
      name: 'PluginArchiveWrong',
      message: expect.stringMatching(new RegExp(`mod_x: .*has the MD5 ${digest('md5')}, not ${'b'.repeat(32)}`)),
    });
  });

  it.each([404, 410])('is refused when its place answers %i', async (status) => {
    server.answers.set('/x.zip', status);
    await expect(check('md5', '')).rejects.toMatchObject({ name: 'PluginArchiveWrong' });
  });

  it.each([403, 500, 503])('is waited for when its place answers %i', async (status) => {
    server.answers.set('/x.zip', status);
    await expect(check('md5', '')).rejects.toMatchObject({ name: 'PluginDirectoryNotAnswering' });
  });
});
