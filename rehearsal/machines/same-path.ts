import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** Words before a command that give it mounts of its own, and words that make it this user again once they are made. */
interface Way {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Root may mount. Anybody else may as the root of a user namespace, and is nobody in particular in one within it. */
const ways: readonly Way[] = [
  { before: ['--mount'], after: [] },
  {
    before: ['--user', '--map-root-user', '--mount'],
    after: ['unshare', '--user', `--map-user=${process.getuid?.()}`, `--map-group=${process.getgid?.()}`, '--'],
  },
];

let way: Way | undefined | null = null;

function findWay(): Way | undefined {
  if (way !== null) return way;
  const folder = mkdtempSync(join(tmpdir(), 'same-path-'));
  try {
    way = ways.find((one) => {
      const { command, args } = inWay(one, { command: 'true', args: [] }, folder, folder);
      return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
    });
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
export function seenAt(command: Command, source: string, target: string): Command {
  const found = findWay();
  if (!found) throw new Error('This computer lets no process have mounts of its own.');
  mkdirSync(target, { recursive: true });
  return inWay(found, command, source, target);
}

function inWay({ before, after }: Way, { command, args }: Command, source: string, target: string): Command {
  const script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  return {
    command: 'unshare',
    args: [...before, 'sh', '-c', script, 'sh', source, target, ...after, command, ...args],
  };
}
