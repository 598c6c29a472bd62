import { createHash } from 'node:crypto';
import type { Config } from './config.ts';

/**
 * The tag of the image that these sources and build arguments make: the same for the same content, another for any
 * other. It begins with the Moodle release, for people.
 *
 * @param sourceHash hash over the files of `image/`
 */
export function contentTag(
  config: Pick<Config, 'moodleVersion' | 'moodleChecksum' | 'phpVersion' | 'architecture'>,
  sourceHash: string,
): string {
  const { moodleVersion, moodleChecksum, phpVersion, architecture } = config;
  const content = JSON.stringify([sourceHash, moodleVersion, moodleChecksum ?? '', phpVersion, architecture]);
  return `${moodleVersion}-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
}
