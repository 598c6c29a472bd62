import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, keptFolder } from '../../infra/kept-folder.ts';

export interface DataFolderRequest {
  /** Names the kind of server, and where the folders of earlier calls are. */
  readonly kind: string;
  /** All that makes one folder differ from another. */
  readonly madeFrom: readonly unknown[];
  /** Has the server's installer make the folder, with no secret in it. */
  make(folder: string): void;
  /** Makes a copy its server's own. */
  finish?(folder: string): void;
}

/**
 * Makes the data folder of a new database server, unless it is there: a copy of one that the server's installer has made
 * and no server has written to, since the installer takes ten times as long. Half a folder is never seen.
 */
export function makeDataFolder(directory: string, { kind, madeFrom, make, finish }: DataFolderRequest): void {
  if (existsSync(directory)) return;
  const key = createHash('sha256').update(JSON.stringify(madeFrom)).digest('hex').slice(0, 16);
  const installed = keptFolder(cacheFolder(kind), key, (folder) => make(join(folder, 'data')));
  const copy = `${directory}.new`;
  // What a killed attempt left.
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(dirname(directory), { recursive: true });
  // Not by Node's cpSync, which does not keep the owner.
  execFileSync('cp', ['-a', join(installed, 'data'), copy]);
  finish?.(copy);
  renameSync(copy, directory);
}
