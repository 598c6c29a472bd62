import { archiveUrl } from '../moodle/download.ts';
import { branchText, numberOf, readVersionFile } from '../moodle/version-file.ts';

/** A release of Moodle itself, as the directory tells of it. */
export interface CoreRelease {
  readonly version: string;
  readonly release: string;
  readonly branch: string;
  readonly maturity: number;
  readonly download: string;
}

/**
 * A release from a folder of Moodle's code.
 *
 * @throws NotMoodle
 */
export function coreReleaseOf(folder: string): CoreRelease {
  const { version, release, branch } = readVersionFile(folder);
  return { version, release, branch: branchText(branch), maturity: 200, download: archiveUrl(numberOf(release)) };
}
