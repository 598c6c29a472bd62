import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** As root; as anybody else, in a user namespace in which this user is root. */
const ways = [['--mount'], ['--user', '--map-root-user', '--mount']];

let way: readonly string[] | undefined | null = null;

/** How a process of this computer gets mounts of its own; undefined where it cannot. */
function findWay(): readonly string[] | undefined {
  if (way !== null) return way;
  const folder = mkdtempSync(join(tmpdir(), 'same-path-'));
  try {
    way = ways.find(
      (options) =>
        spawnSync('unshare', [...options, 'mount', '--bind', folder, folder], { stdio: 'ignore' }).status === 0,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return way;
}

/** Whether folders can be seen by some processes at another path, as those of different images are in containers. */
export const canShareAPath = (): boolean => findWay() !== undefined;

/**
 * The command as a process that finds at one path what lies at another, alone or with what it starts. It is the process
 * itself, not a child: signals reach it.
 *
 * @param source folder that is to be seen
 * @param target folder at which it is seen; made when it is not there
 * @throws Error where `canShareAPath` is false
 */
export function seenAt({ command, args }: Command, source: string, target: string): Command {
  const options = findWay();
  if (!options) throw new Error('This computer lets no process have mounts of its own.');
  mkdirSync(target, { recursive: true });
  const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  return { command: 'unshare', args: [...options, 'sh', '-c', script, 'sh', source, target, command, ...args] };
}
