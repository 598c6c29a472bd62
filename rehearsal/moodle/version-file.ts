import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MoodleSource } from './source.ts';

/** A folder that is not Moodle's code. */
export class NotMoodle extends Error {
  override readonly name = 'NotMoodle';
}

/** What Moodle's version.php says. */
export interface VersionFile {
  /** Moodle's number, for example `2024100706.00`. */
  readonly version: string;
  /** For example `4.5.6 (Build: 20250811)`. */
  readonly release: string;
  /** For example 405. */
  readonly branch: number;
}

/**
 * Reads which Moodle is in a folder.
 *
 * @throws NotMoodle
 */
export function readMoodle(directory: string): Extract<MoodleSource, { kind: 'real' }> {
  const folder = resolve(directory);
  const { release, branch } = readVersionFile(folder);
  return { kind: 'real', directory: folder, release, branch };
}

/**
 * From 5.1 on, version.php is in `public/` (the folder that a web server serves).
 *
 * @throws NotMoodle
 */
export function readVersionFile(directory: string): VersionFile {
  const folder = resolve(directory);
  const text = readFirst([join(folder, 'public', 'version.php'), join(folder, 'version.php')]);
  const version = text?.match(/^\$version\s*=\s*(\d+(?:\.\d+)?)/m)?.[1];
  const release = text?.match(/^\$release\s*=\s*'([^']+)'/m)?.[1];
  const branch = text?.match(/^\$branch\s*=\s*'(\d+)'/m)?.[1];
  if (version === undefined || release === undefined || branch === undefined) {
    throw new NotMoodle(
      `${folder} is not a folder of Moodle's code: it has no version.php that says a $version, a $release and a $branch. ` +
        'Give the folder into which Moodle was unpacked.',
    );
  }
  return { version, release, branch: Number(branch) };
}

/** As manifests name it: `4.5.6` of `4.5.6 (Build: 20250811)`. */
export const numberOf = (release: string): string => /^\d+(?:\.\d+)+/.exec(release)?.[0] ?? release;

/** 405 is 4.5, 510 is 5.10. */
export const branchText = (branch: number): string => `${Math.floor(branch / 100)}.${branch % 100}`;

function readFirst(files: readonly string[]): string | undefined {
  for (const file of files) {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      // The next place, if there is one.
    }
  }
  return undefined;
}
