import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { World } from '../world.ts';

/** Longest name of a file. */
const LONGEST_NAME = 255;

/**
 * Where an object of a bucket lies. A key is a file's whole name here and no path, so that every key has a file of its
 * own inside the bucket's folder.
 */
export function objectFile(world: Pick<World, 'directory'>, bucket: string, key: string): string {
  const name = encodeURIComponent(key).replace(/^\./, '%2E');
  const fits = name.length <= LONGEST_NAME;
  return join(bucketFolder(world, bucket), fits ? name : createHash('sha256').update(key).digest('hex'));
}

/** @throws Error for what cannot be a bucket's name */
export function bucketFolder(world: Pick<World, 'directory'>, bucket: string): string {
  if (!/^[a-z0-9][a-z0-9.-]+$/.test(bucket)) throw new Error(`No bucket can be named ${bucket}.`);
  return join(world.directory, 's3', bucket);
}
