import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A system user that a server is run as where the rehearsal itself runs as root. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. It is then run as `postgres` where the system has that user, else as `nobody`, so
 * that no user has to be made on somebody's machine.
 *
 * @returns undefined when the rehearsal does not run as root
 */
export function serverUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  // Asked for once: a process takes longer to start the larger the one that starts it is.
  known ??= lookUp('postgres') ?? lookUp('nobody') ?? { uid: 65_534, gid: 65_534 };
  return known;
}

let known: User | undefined;

/**
 * The words that start a command as this user. It keeps the right to pass through folders that are closed to it, since a
 * clone and its data often lie below root's own home folder, whose mode is 0700. Programs that ask access(2) first, as
 * PostgreSQL's do for one another, have it only where a user's change takes no right away (`no_setuid_fixup`).
 */
export function commandAs(user: User | undefined, command: string, args: readonly string[]): [string, string[]] {
  if (!user) return [command, [...args]];
  return ['setpriv', [...identity(user), ...(mayPassThrough(user) ? passThrough : []), command, ...args]];
}

const identity = ({ uid, gid }: User): string[] => [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];

const passThrough = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];

/** Not so for the root of a container that has given rights up. Asked for once. */
function mayPassThrough(user: User): boolean {
  passes ??= spawnSync('setpriv', [...identity(user), ...passThrough, 'true'], { stdio: 'ignore' }).status === 0;
  return passes;
}

let passes: boolean | undefined;

/**
 * Sees to it that a server which runs as this user comes to its files.
 *
 * @param server its name, for people
 * @throws Error that says which folder is closed to it, and what to do
 */
export function requireReach(server: string, user: User | undefined, paths: readonly string[]): void {
  const closed = user && paths.find((path) => !reaches(user, path));
  if (!closed) return;
  throw new Error(
    `${server} does not run as root. Here it runs as the user ${user.uid}, who may not enter ${firstClosed(user, closed)}, ` +
      'and root has no right to let it. Nothing was started. Put the clone, and the folder of --data, where every ' +
      'user may enter, such as /srv, or start as an ordinary user.',
  );
}

function reaches(user: User, path: string): boolean {
  const [command, args] = commandAs(user, 'test', ['-x', path]);
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** The uppermost folder on the way to it. */
function firstClosed(user: User, path: string): string {
  const parent = dirname(path);
  return parent === path || reaches(user, parent) ? path : firstClosed(user, parent);
}

/** Makes the folder and gives it, with all that is in it, to the user. */
export function ownFolder(directory: string, user: User | undefined): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (user && lstatSync(directory).uid !== user.uid) giveAway(directory, user);
}

function giveAway(path: string, user: User): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveAway(join(path, name), user);
  chownSync(path, user.uid, user.gid);
}

function lookUp(name: string): User | undefined {
  try {
    const [, , uid, gid] = execFileSync('getent', ['passwd', name], { encoding: 'utf8' }).split(':');
    return { uid: Number(uid), gid: Number(gid) };
  } catch {
    return undefined;
  }
}
