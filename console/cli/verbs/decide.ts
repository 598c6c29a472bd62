import { decide, whoAmI } from '../../api/actions.ts';
import { PlainError } from '../../api/trouble.ts';
import { phaseText } from '../../lines.ts';
import { wrap } from '../../words.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { isFile, readSource } from '../source.ts';
import type { Run } from '../verb.ts';

export const approve: Run = (...given) => answer(true, ...given);
export const refuse: Run = (...given) => answer(false, ...given);

const answer = async (approved: boolean, ...[session, given]: Parameters<Run>): Promise<number> => {
  const [word] = given.words;
  const verb = approved ? 'approve' : 'refuse';
  if (word !== undefined && isFile(word)) throw new UsageError(`${verb} takes an execution, not a file.`);
  const { recording, progress } = await readSource(session, word);
  const phase = progress.phases.find(({ status }) => status === 'asking');
  if (phase === undefined) {
    throw new PlainError(
      `${progress.execution} does not wait for anybody's decision. npx lifecycle status shows how it stands.`,
    );
  }
  if (!given.flag('yes')) {
    if (!session.interactive) throw new UsageError(`${verb} asks first; where nobody can be asked, say --yes.`);
    for (const line of wrap(phaseText(phase, new Date()), session.width)) session.say(line);
    if (!(await session.confirm(`${approved ? 'Approve' : 'Refuse'} ${progress.execution}?`))) {
      session.say('Nothing was decided.');
      return exitCodes.asking;
    }
  }
  const by = given.text('as') ?? whoAmI();
  await decide(session.connection.client, recording, { approved, by, comment: given.text('reason') });
  session.say(`${approved ? 'Approved' : 'Refused'} by ${by}.`);
  return given.flag('watch') ? follow(session, progress.executionArn) : exitCodes.succeeded;
};
