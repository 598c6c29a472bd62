import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { imageFolder } from '../../rehearsal/machines/container.ts';
import type { Site } from './site.ts';

/**
 * One checksum over every path, mode and content of an image: the code tree that its nodes serve, and their scripts. The
 * name of an image says only what it should hold.
 */
export async function checksumOfImage({ account: { world } }: Site, image: string): Promise<string> {
  const folder = dirname(imageFolder(world, image.slice(image.lastIndexOf(':') + 1)).code);
  const sameForAll = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--hard-dereference'];
  const tar = spawn('tar', [...sameForAll, '--create', '--directory', folder, '.'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(tar, 'close');
  const hash = createHash('sha256');
  await pipeline(tar.stdout, hash);
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar cannot read ${folder}: exit status ${code}.`);
  return hash.digest('hex');
}
