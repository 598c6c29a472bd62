import { accessSync, constants, mkdtempSync, readFileSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The file system in memory that Linux has at this path. */
const MEMORY = '/dev/shm';

/** The suite with the stand-in writes about a tenth of it at any one time. */
const ENOUGH_BYTES = 6 * 1024 ** 3;

/**
 * A new folder for what one run of the tests writes: in memory where there is enough of it, as databases, images and state
 * are thousands of files that live for seconds, and cost a quarter of the suite's time on a disk. But not for a real
 * Moodle, whose trees and databases take gigabytes.
 */
export function makeRunFolder(realMoodle: boolean): string {
  return mkdtempSync(join(!realMoodle && isMemoryUsable() ? MEMORY : tmpdir(), 'moodle-lifecycle-tests-'));
}

function isMemoryUsable(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    const [, , , options = ''] = mountOf(MEMORY);
    // Nodes run an image's scripts from there.
    return bavail * bsize >= ENOUGH_BYTES && !options.split(',').includes('noexec');
  } catch {
    return false;
  }
}

/** Fields of proc(5), “mounts”: device, mount point, type, options. The last mount at a point is the one that is seen. */
function mountOf(folder: string): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).findLast(([, point]) => point === folder) ?? ['', '', '', 'noexec'];
}
