import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Settings } from './settings.ts';

/** A plugin as an image has it, pinned to its archive. */
export interface PinnedPlugin {
  readonly component: string;
  /** Moodle's number of the version, for example 2026010100. */
  readonly version: number;
  /** The author's own words for the version; empty when there are none. */
  readonly release: string;
  readonly url: string;
  readonly sha256: string;
}

/** What an image is made of, beside the deployed `image/`. */
export interface Manifest {
  readonly moodle: {
    readonly version: string;
    /** Null: the checksum that Moodle publishes beside the archive. */
    readonly sha256: string | null;
  };
  readonly plugins: readonly PinnedPlugin[];
}

/** The same text for the same content: members and plugins in their order, no spaces. */
export function canonicalManifest({ moodle, plugins }: Manifest): string {
  return JSON.stringify({
    moodle: { sha256: moodle.sha256, version: moodle.version },
    plugins: [...plugins]
      .sort((one, other) => (one.component < other.component ? -1 : 1))
      .map(({ component, release, sha256, url, version }) => ({ component, release, sha256, url, version })),
  });
}

export function sameManifest(one: Manifest, other: Manifest): boolean {
  return canonicalManifest(one) === canonicalManifest(other);
}

/** What the deployed sources alone make. */
export function deployedManifest(settings: Settings, plugins: readonly PinnedPlugin[]): Manifest {
  return {
    moodle: { version: settings.deployedMoodleVersion, sha256: settings.deployedMoodleChecksum ?? null },
    plugins,
  };
}

/** The tag under which an image of this manifest, built from the deployed `image/`, is kept. */
export function tagOf(manifest: Manifest, settings: Settings, deployed: Manifest): string {
  if (sameManifest(manifest, deployed)) return settings.imageTag;
  const digest = createHash('sha256').update(canonicalManifest(manifest)).digest('hex');
  return `${settings.imageTag}-${digest.slice(0, 12)}`;
}

/** Whether an update has made the image of this tag: the content tag of `image/` alone has another end. */
export const isOfUpdate = (tag: string): boolean => /-[0-9a-f]{12}$/.test(tag);

const keyOf = (tag: string) => `manifests/${tag}.json`;

/** The manifest of an image; undefined when none was kept for this tag. */
export async function readManifest(s3: S3Client, settings: Settings, tag: string): Promise<Manifest | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: settings.manifestBucket, Key: keyOf(tag) }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
    throw error;
  }
}

/** Before the image is built, so that an image is never without its manifest. The same tag has the same content. */
export async function writeManifest(s3: S3Client, settings: Settings, tag: string, manifest: Manifest): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: settings.manifestBucket,
      Key: keyOf(tag),
      Body: canonicalManifest(manifest),
      ContentType: 'application/json',
    }),
  );
}
