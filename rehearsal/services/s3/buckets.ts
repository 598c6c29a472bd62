import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';

export interface Bucket {
  readonly name: string;
  readonly created: Date;
  /** The key that its objects are encrypted with, where it is not S3's own. */
  readonly keyArn?: string;
}

/** The templates' buckets by name. */
export const bucketsOf = perWorld(() => new Map<string, Bucket>());

/** What is remembered of an object besides its bytes. */
export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  /** With its quotation marks. */
  readonly eTag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** By `<bucket>/<key>`. */
export function objectsOf(world: Pick<World, 'state'>) {
  return world.state.collection<StoredObject>('s3-objects');
}
