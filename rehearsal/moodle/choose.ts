import { existsSync } from 'node:fs';
import { fetchMoodle, MoodleNotReachable, type Progress } from './download.ts';
import type { MoodleSource } from './source.ts';
import { readMoodle } from './version-file.ts';

export interface MoodleChoice {
  /** `--moodle`: a directory, a version or `stand-in`. */
  readonly asked?: string | undefined;
  /** `$MOODLE_DIR`. */
  readonly environment?: string | undefined;
  /** The version that the image is built with when nothing else is said. */
  readonly pinnedVersion: string;
}

/**
 * Which Moodle the nodes of a rehearsal run: what was asked for; else `$MOODLE_DIR`; else the pinned version; and where
 * that cannot be reached, the stand-in. What was asked for by name is never replaced by the stand-in.
 *
 * @param notice told in plain words when the stand-in takes Moodle's place
 * @throws NotMoodle, MoodleNotReachable, ChecksumMismatch
 */
export async function chooseMoodle(
  choice: MoodleChoice,
  notice: (line: string) => void,
  progress: Progress,
  fetch: typeof fetchMoodle = fetchMoodle,
): Promise<MoodleSource> {
  const { asked, environment, pinnedVersion } = choice;
  if (asked === 'stand-in') return { kind: 'stand-in' };
  if (asked !== undefined) {
    const isVersion = /^\d+\.\d+(\.\d+)?$/.test(asked) && !existsSync(asked);
    return readMoodle(isVersion ? await fetch(asked, progress) : asked);
  }
  if (environment) return readMoodle(environment);
  try {
    return readMoodle(await fetch(pinnedVersion, progress));
  } catch (error) {
    if (!(error instanceof MoodleNotReachable)) throw error;
    notice(
      `Moodle ${pinnedVersion} is not here and cannot be downloaded: ${error.message} The stand-in takes its place: a ` +
        'small server, not Moodle. Name a folder of Moodle’s code by --moodle or MOODLE_DIR to rehearse the real one.',
    );
    return { kind: 'stand-in' };
  }
}
