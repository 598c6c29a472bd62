import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { imageFolder } from '../../rehearsal/machines/container.ts';
import type { Site } from './site.ts';

/** Not tar: it fails where a file gets another hard link meanwhile, as Moodle's do when another image is made of them. */
const checksum = `
  set -o pipefail
  { find . -printf '%y %m %p %l\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum`;

/**
 * One checksum over every path, mode and content of an image: the code tree that its nodes serve, and their scripts. The
 * name of an image says only what it should hold.
 */
export async function checksumOfImage({ account: { world } }: Site, image: string): Promise<string> {
  const folder = dirname(imageFolder(world, image.slice(image.lastIndexOf(':') + 1)).code);
  const { stdout } = await promisify(execFile)('bash', ['-ec', checksum], {
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stdout;
}
