import { isMissingPart } from './database-errors.ts';
import { DatabaseLoginRefused, DatabaseResuming, DatabaseUnreachable } from './errors.ts';
import type { FailedRollout } from './failure-report.ts';
import { type Hold, readHold } from './hold.ts';
import type { MoodleDatabase } from './moodle-database.ts';

/** What a way back says when the hold is not to be read. */
export const heldPerhaps =
  'Nothing was changed, so there is nothing to put back. Should this rollout hold the site already, which the database ' +
  'cannot tell now, then the next one takes it over.';

/**
 * The hold; or that it cannot be read, where that is no reason to try longer: the first phase changes nothing but the
 * hold, and fails itself when the database does.
 */
export async function readHoldAfter(
  database: MoodleDatabase,
  site: string,
  state: FailedRollout,
): Promise<Hold | undefined | 'not to be read'> {
  try {
    return await readHold(database, site);
  } catch (error) {
    const unanswered =
      error instanceof DatabaseUnreachable ||
      error instanceof DatabaseResuming ||
      error instanceof DatabaseLoginRefused;
    // Before the first rollout there is no table to read.
    if (!('checked' in state) && unanswered) return 'not to be read';
    if (!('checked' in state) && isMissingPart(error)) return undefined;
    throw error;
  }
}
