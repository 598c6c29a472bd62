import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../infra/cache-folder.ts';
import { keptFolder } from '../../infra/kept-folder.ts';

export interface DataFolderRequest {
  /** Names the kind of server, and where the folders of earlier calls are. */
  readonly kind: string;
  /** All that makes one folder differ from another. */
  madeFrom(): readonly unknown[];
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
  const key = createHash('sha256').update(JSON.stringify(madeFrom())).digest('hex').slice(0, 16);
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

/**
 * Runs a program of a database server to its end.
 *
 * @param server its name, for people
 * @param input what the program reads
 * @returns what it prints
 * @throws Error with its last words
 */
export function runProgram(
  server: string,
  [command, args]: readonly [string, readonly string[]],
  env: Readonly<Record<string, string>>,
  input = '',
): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env, input });
  if (status === 0) return stdout;
  throw new Error(`${server} could not prepare its data: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
}
