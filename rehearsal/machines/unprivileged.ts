import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

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
 *
 * @throws Error where root itself lacks the rights for that, as in a container that has given them up
 */
export function commandAs(user: User | undefined, command: string, args: readonly string[]): [string, string[]] {
  if (!user) return [command, [...args]];
  const words = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...passThrough];
  mayPassThrough ??= spawnSync('setpriv', [...words, 'true'], { stdio: 'ignore' }).status === 0;
  if (!mayPassThrough) {
    throw new Error(
      'PostgreSQL does not run as root, and root has no right here to run it as another user who may enter its folders ' +
        '(capabilities setuid, setgid, setpcap and dac_override). Start as an ordinary user.',
    );
  }
  return ['setpriv', [...words, command, ...args]];
}

const passThrough = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];

/** Asked for once. */
let mayPassThrough: boolean | undefined;

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
