import { join } from 'node:path';
import type { World } from '../world.ts';

/** Where an object of a bucket lies. Keys may hold anything but a way out of the bucket's folder. */
export function objectFile(world: Pick<World, 'directory'>, bucket: string, key: string): string {
  const names = key.split('/');
  if (!/^[a-z0-9.-]+$/.test(bucket) || names.some((name) => name === '' || name === '.' || name === '..')) {
    throw new Error(`No file can be named after s3://${bucket}/${key}.`);
  }
  return join(world.directory, 's3', bucket, ...names);
}
