import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { image, leftOut } from './run.ts';

const noCurl = leftOut('the download of Moodle', 'curl');

let folder: string;
let server: Server;
let archive: Buffer;
let published: string;
const asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'download-moodle-'));
  mkdirSync(join(folder, 'moodle'));
  writeFileSync(join(folder, 'moodle', 'version.php'), '<?php');
  execFileSync('tar', ['czf', join(folder, 'moodle.tgz'), '-C', folder, 'moodle']);
  archive = readFileSync(join(folder, 'moodle.tgz'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.endsWith('.sha256')) response.end(`SHA256(moodle.tgz)= ${published}\n`);
    else response.end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  published = sha256();
  asked.length = 0;
  rmSync(join(folder, 'target'), { recursive: true, force: true });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const sha256 = () => createHash('sha256').update(archive).digest('hex');

/** Not waited for synchronously: this process is the server. */
function download(version: string, checksum: string): Promise<{ status: number | null; stderr: string }> {
  const { port } = server.address() as AddressInfo;
  const child = spawn(join(image, 'download-moodle'), [version, checksum, join(folder, 'target')], {
    env: { PATH: process.env.PATH, MOODLE_DOWNLOADS: `http://127.0.0.1:${port}` },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stderr })));
}

describe.skipIf(noCurl)('download-moodle', () => {
  test.each([
    ['5.3', '/stable503/moodle-5.3.tgz'],
    ['4.5.6', '/stable405/moodle-4.5.6.tgz'],
    ['5.10.1', '/stable510/moodle-5.10.1.tgz'],
  ])('fetches %s from its branch and compares the given checksum', async (version, url) => {
    expect(await download(version, sha256().toUpperCase())).toMatchObject({ status: 0 });
    expect(asked).toEqual([url]);
    expect(existsSync(join(folder, 'target', 'version.php'))).toBe(true);
  });

  test('without a checksum compares the published one', async () => {
    expect(await download('5.3', '')).toMatchObject({ status: 0 });
    expect(asked).toContain('/stable503/moodle-5.3.tgz.sha256');
  });

  test.each(['given', 'published'])('does not unpack what is not what was %s', async (which) => {
    published = '0'.repeat(64);
    const { status, stderr } = await download('5.3', which === 'given' ? published : '');
    expect(status).toBe(1);
    expect(stderr).toContain(`has the SHA-256 ${sha256()}, not ${published}`);
    expect(existsSync(join(folder, 'target'))).toBe(false);
  });

  test.each([
    ['5', ''],
    ['../../x', ''],
    ['5.3', 'abc'],
  ])('refuses version “%s” with checksum “%s” before it asks anybody', async (version, checksum) => {
    expect((await download(version, checksum)).status).toBe(1);
    expect(asked).toEqual([]);
  });
});
