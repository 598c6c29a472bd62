import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MoodleSource } from './source.ts';

/** The site in a folder runs another Moodle than the one that was asked for. */
export class OtherMoodle extends Error {
  override readonly name = 'OtherMoodle';
}

/**
 * A site's data belongs to the Moodle that made it: another one on the same data would be an upgrade, or worse.
 *
 * @throws OtherMoodle
 */
export function rememberMoodle(directory: string, moodle: MoodleSource): void {
  const file = join(directory, 'moodle.json');
  const wanted = JSON.stringify(moodle);
  const known = readIfThere(file);
  if (known !== undefined && known !== wanted) {
    throw new OtherMoodle(
      `The site in ${directory} runs ${known}, not ${wanted}. Nothing was started. Choose that Moodle by --moodle, or ` +
        'give another folder by --data.',
    );
  }
  writeFileSync(file, wanted);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
