import { isMissingPart } from './database-errors.ts';
import { DatabaseLoginRefused, DatabaseResuming, DatabaseUnreachable } from './errors.ts';
import type { FailedRollout, NoSteps } from './failure-report.ts';
import { type Hold, readHold } from './hold.ts';
import type { MoodleDatabase } from './moodle-database.ts';

/** What a way back says when the hold is not to be read. */
export const heldPerhaps: NoSteps = {
  words:
    'Nothing was changed. Should this rollout hold the site already, which the database cannot tell now, then the next ' +
    'one takes it over.',
  outcome: 'nothing changed',
};

/** What a way back says of a rollout that failed before the first phase that changes the site. */
export const nothingOfSite: NoSteps = {
  words: 'Nothing of the site was changed.\nThe site is released.',
  outcome: 'nothing changed',
};

/** What a way back says of a rollout that does not hold the site, or not any more. */
export function notHeld(state: FailedRollout, hold: Hold | undefined): NoSteps {
  if (!('checked' in state))
    return { words: 'Nothing was changed: this rollout did not hold the site.', outcome: 'nothing changed' };
  if (hold) {
    const words = `This rollout does not hold the site any more: ${hold.execution} took it over, with what there is to put back.`;
    return { words, outcome: 'not all put back' };
  }
  // A call that was killed between releasing and answering is made again.
  return { words: 'What there was to put back was put back before, and the site is released.', outcome: 'put back' };
}

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
