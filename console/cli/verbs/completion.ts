import { UsageError } from '../command-line.ts';
import { completionScript, isShell, shells } from '../completion.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const [shell] = given.words;
  if (shell === undefined || !isShell(shell)) {
    throw new UsageError(`completion takes ${shells.join(' or ')}${shell === undefined ? '' : `, not “${shell}”`}.`);
  }
  session.screen.write(completionScript(shell));
  return 0;
};
