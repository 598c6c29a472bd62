import { createHash } from 'node:crypto';
import { PluginArchiveWrong, PluginDirectoryNotAnswering, UpdateNotPossible } from './errors.ts';

/** A version of a plugin, or of Moodle itself, that the directory offers. */
export interface OfferedVersion {
  readonly version: number;
  readonly release: string;
  /** 50 alpha, 100 beta, 150 release candidate, 200 stable (MATURITY_… in Moodle's lib/setup.php); null: not said. */
  readonly maturity: number | null;
  /** Of the archive; empty where the directory offers none. */
  readonly url: string;
  readonly md5: string;
}

export interface OfferedUpdates {
  readonly core: readonly OfferedVersion[];
  readonly plugins: ReadonlyMap<string, readonly OfferedVersion[]>;
}

/** Moodle's own checks skip what is not stable, unless the administrator asks for more. */
export const stable = 200;

/** The largest archive that is read; the largest plugin of Moodle's directory is far below. */
const archiveBytes = 300 * 1024 * 1024;
/** The largest answer that is read: of a site with 400 plugins, all of them old, it has some 500 KiB. */
const answerBytes = 16 * 1024 * 1024;
/** Authors' words for a version that are kept: Moodle has no limit for them. */
const releaseCharacters = 60;
const answerMilliseconds = 30_000;
const archiveMilliseconds = 50_000;

/**
 * Moodle's plugin directory, by the two calls that Moodle itself makes (core\update\checker, core\update\api).
 *
 * @throws PluginDirectoryNotAnswering from every method while there is no usable answer
 */
export class PluginDirectory {
  readonly #url: string;

  /** @param url for example `https://download.moodle.org/api/1.3` */
  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Newer versions of a site's Moodle and plugins, for its branch.
   *
   * @param version Moodle's number, for example `2026100500.00`
   * @param branch for example `5.3`
   * @param plugins version by component
   */
  async findUpdates(version: string, branch: string, plugins: ReadonlyMap<string, number>): Promise<OfferedUpdates> {
    const form = {
      format: 'json',
      version,
      branch,
      ...(plugins.size > 0 ? { plugins: [...plugins].map(([name, number]) => `${name}@${number}`).join(',') } : {}),
    };
    const url = `${this.#url}/updates.php`;
    const answer = await this.#ask(url, { method: 'POST', body: new URLSearchParams(form) });
    const { status, forbranch, updates } = (await json(url, answer)) as {
      status?: unknown;
      forbranch?: unknown;
      updates?: unknown;
    };
    if (status !== 'OK' || forbranch !== branch) throw unusable(url, `status ${status}, for branch ${forbranch}`);
    const offered = Object.entries(updates ?? {}).map(([component, versions]) => {
      if (!Array.isArray(versions)) throw unusable(url, `no list of versions of ${component}`);
      return [component, versions.flatMap((one) => offer(one, 'download') ?? [])] as const;
    });
    return {
      core: offered.find(([component]) => component === 'core')?.[1] ?? [],
      plugins: new Map(offered.filter(([component]) => component !== 'core')),
    };
  }

  /**
   * One version of a plugin: the one with this number, or the most suitable for the branch.
   *
   * @throws UpdateNotPossible when the directory knows no such plugin, or none for this branch
   */
  async findPlugin(component: string, branch: string, version?: number): Promise<OfferedVersion> {
    const words =
      version === undefined ? { plugin: component, minversion: '0', branch } : { plugin: `${component}@${version}` };
    const url = `${this.#url}/pluginfo.php?${new URLSearchParams({ ...words, format: 'json' })}`;
    const answer = await this.#ask(url, {});
    if (answer.status === 404) {
      throw new UpdateNotPossible(
        `Moodle’s plugin directory (${this.#url}) knows no plugin ${component}. Nothing was changed. Look at its spelling, ` +
          'or add it with url, version and sha256.',
      );
    }
    const { status, pluginfo } = (await json(url, answer)) as {
      status?: unknown;
      pluginfo?: { version?: unknown } | null;
    };
    if (status !== 'OK' || !pluginfo) throw unusable(url, `status ${status}`);
    if (!pluginfo.version) {
      throw new UpdateNotPossible(
        `Moodle’s plugin directory has ${component}, but ${version === undefined ? `no version for Moodle ${branch}` : `not the version ${version}`}. ` +
          'Nothing was changed. Choose another version, or wait for one.',
      );
    }
    const found = offer(pluginfo.version, 'downloadurl');
    if (found && (version === undefined || found.version === version)) return found;
    throw unusable(url, `it names the version ${found?.version ?? 'without a number'}`);
  }

  async #ask(url: string, request: RequestInit): Promise<Response> {
    return asked(url, request, answerMilliseconds);
  }
}

/**
 * Reads an archive once and compares its checksum. The directory names an MD5 alone; builds compare SHA-256 from then on.
 *
 * @returns the archive's SHA-256
 * @throws PluginArchiveWrong, PluginDirectoryNotAnswering
 */
export async function checksumOfArchive(
  component: string,
  url: string,
  expected: { readonly algorithm: 'md5' | 'sha256'; readonly digest: string },
): Promise<string> {
  const answer = await asked(url, {}, archiveMilliseconds);
  if (answer.status === 404 || answer.status === 410) {
    throw wrong(component, `${url} answered ${answer.status}: it is not there (any more)`);
  }
  if (!answer.ok || answer.body === null) throw unusable(url, `it answered ${answer.status}`);
  const sha256 = createHash('sha256');
  const given = createHash(expected.algorithm);
  let bytes = 0;
  try {
    for await (const part of answer.body) {
      bytes += part.length;
      if (bytes > archiveBytes) throw wrong(component, `${url} has more than ${archiveBytes / 1024 / 1024} MiB`);
      sha256.update(part);
      given.update(part);
    }
  } catch (error) {
    if (error instanceof PluginArchiveWrong) throw error;
    throw unusable(url, words(error));
  }
  const found = given.digest('hex');
  if (found !== expected.digest.toLowerCase()) {
    const name = expected.algorithm === 'md5' ? 'MD5' : 'SHA-256';
    throw wrong(component, `the archive ${url} has the ${name} ${found}, not ${expected.digest}`);
  }
  return sha256.digest('hex');
}

async function asked(url: string, request: RequestInit, milliseconds: number): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      ...request,
      headers: { 'user-agent': 'moodle-lifecycle' },
      signal: AbortSignal.timeout(milliseconds),
    });
  } catch (error) {
    throw unusable(url, words(error));
  }
  if (answer.status >= 500 || answer.status === 429) throw unusable(url, `it answered ${answer.status}`);
  return answer;
}

async function json(url: string, answer: Response): Promise<unknown> {
  if (answer.status !== 200) throw unusable(url, `it answered ${answer.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const part of answer.body ?? []) {
      bytes += part.length;
      if (bytes > answerBytes) break;
      parts.push(part);
    }
  } catch (error) {
    throw unusable(url, words(error));
  }
  if (bytes > answerBytes) throw unusable(url, `it answered more than ${answerBytes / 1024 / 1024} MiB`);
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) ?? {};
  } catch (error) {
    throw unusable(url, `it answered no JSON (${words(error)})`);
  }
}

/** @returns undefined for a version without a number */
function offer(given: unknown, urlMember: 'download' | 'downloadurl'): OfferedVersion | undefined {
  const one = (given ?? {}) as Readonly<Record<string, unknown>>;
  const text = (name: string) => (typeof one[name] === 'string' ? (one[name] as string) : '');
  const version = Number(one.version);
  if (!(version > 0)) return undefined;
  return {
    version,
    release: text('release').slice(0, releaseCharacters),
    maturity: one.maturity === undefined || one.maturity === null ? null : Number(one.maturity),
    url: /^https?:\/\//i.test(text(urlMember)) ? text(urlMember) : '',
    md5: text('downloadmd5'),
  };
}

const unusable = (url: string, why: string) =>
  new PluginDirectoryNotAnswering(
    `${url} gives no usable answer: ${why.replace(/[.\s]+$/, '')}. Nothing was changed. It is tried again; if it stays so, look ` +
      'whether the functions reach the internet, or start the rollout later.',
    `${url} gives no usable answer: ${why.replace(/[.\s]+$/, '')}`,
  );

const wrong = (component: string, why: string) =>
  new PluginArchiveWrong(
    `${component}: ${why}. Nothing was changed. Do not install it: ask the plugin’s author, or look whether the version was ` +
      'withdrawn, and start the rollout again.',
    why,
  );

/** The reason of a failed fetch is in its cause. */
function words(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
