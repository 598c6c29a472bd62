import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { userCacheFolder } from '../../infra/cache-folder.ts';

/** Moodle's download site cannot be reached, or does not have this version. */
export class MoodleNotReachable extends Error {
  override readonly name = 'MoodleNotReachable';
}

/** What was downloaded is not what its publisher says it is. */
export class ChecksumMismatch extends Error {
  override readonly name = 'ChecksumMismatch';
}

/** Told how far a download is; `total` is undefined where the server does not say. Both in bytes. */
export type Progress = (received: number, total: number | undefined) => void;

const downloads = 'https://packaging.moodle.org';

/** Archives are kept per stable branch: 5.3.1 is in stable503, and so is 5.3 itself. */
export function archiveUrl(version: string): string {
  const [major, minor] = version.split('.');
  return `${downloads}/stable${major}${(minor ?? '0').padStart(2, '0')}/moodle-${version}.tgz`;
}

const downloadsFolder = () => join(userCacheFolder(), 'moodle');

/**
 * Folder with the code of a Moodle version: from the cache, or downloaded, compared with its SHA-256 and unpacked.
 *
 * @param version for example `5.3` or `4.5.6`
 * @throws MoodleNotReachable, ChecksumMismatch; the cache is left as it was
 */
export async function fetchMoodle(version: string, progress: Progress, cache = downloadsFolder()): Promise<string> {
  const folder = join(cache, version);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, '.download-'));
  try {
    const archive = join(temporary, 'moodle.tgz');
    const url = archiveUrl(version);
    const expected = parseChecksum(await (await get(`${url}.sha256`)).text());
    await save(await get(url), archive, progress);
    const actual = await sha256(archive);
    if (actual !== expected) {
      throw new ChecksumMismatch(
        `${url} has the SHA-256 ${actual}, but its publisher says ${expected}. It was thrown away. Try again; if it ` +
          'stays so, do not use it.',
      );
    }
    await promisify(execFile)('tar', ['xzf', archive, '-C', temporary]);
    renameSync(join(temporary, 'moodle'), folder);
    return folder;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Moodle publishes `SHA256(file)= hex`, which `sha256sum -c` does not read.
 *
 * @throws ChecksumMismatch when there is no checksum in the text
 */
export function parseChecksum(text: string): string {
  const hex = text.match(/\b[0-9a-f]{64}\b/i)?.[0];
  if (hex === undefined) throw new ChecksumMismatch(`No SHA-256 is in what was published: “${text.slice(0, 80)}”.`);
  return hex.toLowerCase();
}

async function get(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(600_000) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new MoodleNotReachable(`${new URL(url).host} cannot be reached (${cause}).`);
  }
  if (!response.ok) throw new MoodleNotReachable(`${url} answers ${response.status}.`);
  return response;
}

async function save(response: Response, file: string, progress: Progress): Promise<void> {
  const length = response.headers.get('content-length');
  const total = length === null ? undefined : Number(length);
  let received = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      progress(received, total);
      done(undefined, chunk);
    },
  });
  if (!response.body) throw new MoodleNotReachable(`${response.url} answered with nothing.`);
  await pipeline(Readable.fromWeb(response.body), count, createWriteStream(file));
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
