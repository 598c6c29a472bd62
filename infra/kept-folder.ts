import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const KEPT_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

/**
 * A folder that is made once for each key, and read by any process after that. Half a folder is never seen, and one that
 * is there is never changed; those that were made more than a week ago go when another is made.
 *
 * @param key names the folder: a digest of what it is made from
 * @param make fills the folder that it is given
 */
export function keptFolder(keptIn: string, key: string, make: (folder: string) => void): string {
  const folder = join(keptIn, key);
  if (existsSync(folder)) return folder;
  mkdirSync(keptIn, { recursive: true });
  removeOldOnes(keptIn);
  const staging = mkdtempSync(`${folder}.`);
  try {
    make(staging);
    renameSync(staging, folder);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Another process may have made the same in the meantime.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Removes what was made in a folder more than a week ago. */
export function removeOldOnes(keptIn: string): void {
  for (const name of existsSync(keptIn) ? readdirSync(keptIn) : []) {
    const path = join(keptIn, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > KEPT_MILLISECONDS) rmSync(path, { recursive: true, force: true });
  }
}
