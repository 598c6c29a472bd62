import { constants } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that are copied at once. */
const AT_ONCE = 16;

/**
 * Copies a folder that somebody writes to meanwhile: what has vanished since it was listed is left out. Shares the
 * blocks with the original where the file system can.
 *
 * @param wanted asked with each path relative to the folder; a folder that is not wanted is left out with all in it
 */
export async function copyFolder(from: string, to: string, wanted: (path: string) => boolean): Promise<void> {
  const files: string[] = [];
  await listInto(files, from, to, '', wanted);
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let path = files.pop(); path !== undefined; path = files.pop()) {
      await copyFile(join(from, path), join(to, path), constants.COPYFILE_FICLONE).catch(forgiveVanished);
    }
  });
  await Promise.all(workers);
}

async function listInto(
  files: string[],
  from: string,
  to: string,
  folder: string,
  wanted: (path: string) => boolean,
): Promise<void> {
  await mkdir(join(to, folder), { recursive: true, mode: 0o700 });
  for (const entry of await readdir(join(from, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!wanted(path)) continue;
    if (entry.isDirectory()) await listInto(files, from, to, path, wanted);
    else if (entry.isFile()) files.push(path);
    else throw new Error(`${join(from, path)} is neither a file nor a folder.`);
  }
}

function forgiveVanished(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
