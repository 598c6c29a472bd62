import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readMember } from './plugin-version.ts';
import { type ZipEntry, zip } from './zip.ts';

/** One version of one plugin, as a plugin directory offers it. */
export interface PluginRelease {
  readonly component: string;
  readonly version: number;
  readonly release: string;
  /** 50 alpha, 100 beta, 150 release candidate, 200 stable. */
  readonly maturity: number;
  /** First and last Moodle branch, for example 404 and 501. */
  readonly supported?: readonly [number, number];
  readonly archive: Buffer;
  /** What the directory says that the archive's MD5 is. */
  readonly md5: string;
}

/** What the directory says of a release that its files do not. */
export type Said = Partial<Pick<PluginRelease, 'component' | 'version' | 'md5' | 'archive'>>;

/**
 * A release from a plugin's files.
 *
 * @param files content by path below the plugin's folder, among them `version.php`
 * @param said what the directory is to say all the same; with it, a release can be one that must be refused
 * @throws Error when nothing says component or version
 */
export function releaseOf(files: Readonly<Record<string, string | Buffer>>, said: Said = {}): PluginRelease {
  const text = String(files['version.php'] ?? '');
  const read = (name: string) => readMember(text, name);
  const component = said.component ?? read('component');
  const version = said.version ?? Number(read('version'));
  if (!component || !(version > 0)) throw new Error(`version.php does not name component and version:\n${text}`);
  const maturities: Record<string, number> = { MATURITY_ALPHA: 50, MATURITY_BETA: 100, MATURITY_RC: 150 };
  const supported = /\$plugin->supported\s*=\s*\[\s*(\d+)\s*,\s*(\d+)\s*\]/.exec(text);
  const archive = said.archive ?? zip(entriesOf(component, files));
  return {
    component,
    version,
    release: read('release') ?? String(version),
    maturity: maturities[read('maturity') ?? ''] ?? 200,
    archive,
    md5: said.md5 ?? createHash('md5').update(archive).digest('hex'),
    ...(supported ? { supported: [Number(supported[1]), Number(supported[2])] } : {}),
  };
}

/** Entries of an archive as Moodle's plugin directory packs them: all in one folder, named after the plugin. */
export function entriesOf(component: string, files: Readonly<Record<string, string | Buffer>>): ZipEntry[] {
  const folder = component.slice(component.indexOf('_') + 1);
  return Object.entries(files).map(([path, content]) => ({ name: `${folder}/${path}`, content }));
}

/**
 * Releases from a folder: every folder in it, at whatever depth, that has a `version.php` is one, with all below it.
 * For example `local_x/1/version.php` and `local_x/2/version.php`.
 */
export function readReleases(folder: string): PluginRelease[] {
  const names = readdirSync(folder);
  if (names.includes('version.php')) return [releaseOf(readFiles(folder))];
  return names.flatMap((name) => (statSync(join(folder, name)).isDirectory() ? readReleases(join(folder, name)) : []));
}

function readFiles(folder: string): Record<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(files.map((file) => [relative(folder, file), readFileSync(file)]));
}
