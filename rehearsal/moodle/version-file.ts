import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MoodleSource } from './source.ts';

/** A folder that is not Moodle's code. */
export class NotMoodle extends Error {
  override readonly name = 'NotMoodle';
}

/**
 * Reads which Moodle is in a folder. From 5.1 on, version.php is in `public/` (the folder that a web server serves).
 *
 * @throws NotMoodle
 */
export function readMoodle(directory: string): Extract<MoodleSource, { kind: 'real' }> {
  const folder = resolve(directory);
  const text = readFirst([join(folder, 'public', 'version.php'), join(folder, 'version.php')]);
  const release = text?.match(/^\$release\s*=\s*'([^']+)'/m)?.[1];
  const branch = text?.match(/^\$branch\s*=\s*'(\d+)'/m)?.[1];
  if (release === undefined || branch === undefined) {
    throw new NotMoodle(
      `${folder} is not a folder of Moodle's code: it has no version.php that says a $release and a $branch. ` +
        'Give the folder into which Moodle was unpacked.',
    );
  }
  return { kind: 'real', directory: folder, release, branch: Number(branch) };
}

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
