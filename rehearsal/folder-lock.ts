import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another rehearsal that is running uses this folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/**
 * Takes a folder for this process. A lock whose process is gone counts for nothing, so that a killed rehearsal does not
 * keep its folder.
 *
 * @returns what gives it back
 * @throws FolderInUse
 */
export function lockFolder(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'rehearsal.pid');
  const owner = readOwner(file);
  if (owner !== undefined && owner !== process.pid && isRunning(owner)) {
    throw new FolderInUse(
      `Another rehearsal (process ${owner}) is using ${directory}. Nothing was started. Stop that one, or give another folder.`,
    );
  }
  writeFileSync(file, `${process.pid}\n`);
  return () => rmSync(file, { force: true });
}

function readOwner(file: string): number | undefined {
  try {
    const owner = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isNaN(owner) ? undefined : owner;
  } catch {
    return undefined;
  }
}

/** Whether that process is a rehearsal: after a restart of the computer its number may belong to another program. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('rehearsal/main.ts');
  } catch {
    return false;
  }
}
