import { stop, whoAmI } from '../../api/actions.ts';
import { PlainError } from '../../api/trouble.ts';
import { rolloutName } from '../../lines.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { isFile, readSource } from '../source.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const [word] = given.words;
  if (word !== undefined && isFile(word)) throw new UsageError('stop takes an execution, not a file.');
  const { progress } = await readSource(session, word);
  const { executionArn, execution } = progress;
  if (progress.status !== 'running')
    throw new PlainError(`${execution} is not running: it is ${progress.outcome} already.`);
  const what = `${rolloutName(progress)} ${execution}`;
  const open = progress.phases.find(
    ({ status }) => status === 'running' || status === 'waiting' || status === 'asking',
  );
  if (!given.flag('yes')) {
    if (!session.interactive) throw new UsageError('stop asks first; where nobody can be asked, say --yes.');
    const where = open ? ` in “${open.title}”` : '';
    if (!(await session.confirm(`Stop ${what}${where}? Nothing is put back, and the site stays held by it.`))) {
      session.say('Nothing was stopped.');
      return exitCodes.running;
    }
  }
  await stop(session.connection.client, executionArn, whoAmI(), given.text('reason'));
  session.say(
    `Stopped ${what}. Nothing was put back, and the site stays held by it until a rollout takes it over.\n` +
      `This goes on where it was:\n  npx lifecycle retry ${executionArn}`,
  );
  return exitCodes.succeeded;
};
