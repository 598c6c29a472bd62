import { ensurePrerequisites } from '../../rehearsal/prerequisites/ensure.ts';

/** Tests run against real servers, so that a missing one is installed or asked for before the first test, not skipped. */
export default async function setup(): Promise<void> {
  await ensurePrerequisites(process.env.MOODLE_DIR !== undefined, (line) => console.log(line));
}
