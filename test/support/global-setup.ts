import { rmSync } from 'node:fs';
import { bundleFunctions } from '../../infra/function-bundles.ts';
import { compileCache, removeOldCompiledCode } from '../../rehearsal/compile-cache.ts';
import { ensurePrerequisites } from '../../rehearsal/prerequisites/ensure.ts';
import { makeRunFolder } from './run-folder.ts';

/** Folder of one run of the tests, which its workers share. */
export const RUN_FOLDER = 'MOODLE_LIFECYCLE_TEST_RUN';

export default (): Promise<() => void> => setUp({ browser: true });

/** Tests run against real servers, so that a missing one is installed or asked for before the first test, not skipped. */
export async function setUp({ browser }: { readonly browser: boolean }): Promise<() => void> {
  const needs = { realMoodle: process.env.MOODLE_DIR !== undefined, mariaDb: true, browser };
  await ensurePrerequisites(needs, (line) => console.log(line));
  // Now, lest each of the first synthesises make them at the same time.
  bundleFunctions();
  removeOldCompiledCode();
  // Also for the commands that the tests run, and for the workers.
  Object.assign(process.env, compileCache);
  const folder = makeRunFolder(needs.realMoodle);
  process.env[RUN_FOLDER] = folder;
  // Also for what asks the system where temporary files go.
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
