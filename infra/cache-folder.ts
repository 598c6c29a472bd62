import { accessSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const besideTheDependencies = fileURLToPath(new URL('../node_modules/.cache/moodle-lifecycle', import.meta.url));

/** Where things are kept for as long as the dependencies are, or with the user who may not write there. */
export function cacheFolder(name: string): string {
  writable ??= canWriteTo(besideTheDependencies) ? besideTheDependencies : userCacheFolder();
  return join(writable, name);
}

let writable: string | undefined;

/** Where things are kept for a user, whichever clone they use: at home, or in a temporary folder for one without a home. */
export function userCacheFolder(): string {
  const atHome = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'moodle-lifecycle');
  return canWriteTo(atHome) ? atHome : temporaryFolder();
}

function canWriteTo(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What is kept is run, so that nobody else may have made the folder. */
function temporaryFolder(): string {
  const user = userInfo().uid;
  const folder = join(tmpdir(), `moodle-lifecycle-cache-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const owner = lstatSync(folder).uid;
  if (owner !== user)
    throw new Error(`${folder} belongs to somebody else (user ${owner}). Set TMPDIR to another folder.`);
  return folder;
}
