import { retry } from '../../api/actions.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { isFile } from '../source.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const [word] = given.words;
  if (word !== undefined && isFile(word)) throw new UsageError('retry takes an execution, not a file.');
  const old = await session.execution(word);
  const { executionArn, why } = await retry(session.connection, old);
  session.say(`${why}\n  ${executionArn}\n`);
  if (given.flag('wait') === false) return exitCodes.running;
  return follow(session, executionArn);
};
