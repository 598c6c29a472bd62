import { executionName, retry, whoAmI } from '../../api/actions.ts';
import { listExecutions } from '../../api/executions.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { isFile, readSource } from '../source.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const [word] = given.words;
  if (word !== undefined && isFile(word)) throw new UsageError('retry takes an execution, not a file.');
  const { recording, progress } = await readSource(session, word);
  const { client } = session.connection;
  const stateMachineArn = recording.execution.stateMachineArn ?? '';
  const machine = { arn: stateMachineArn, site: progress.site ?? '', name: progress.rollout ?? '' };
  const endedAt = progress.endedAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const since = (await listExecutions(client, [machine], 50)).filter(
    ({ startDate }) => (startDate?.getTime() ?? 0) > endedAt,
  );
  const retried = await retry(client, progress, stateMachineArn, since, executionName(whoAmI()));
  session.say(`${retried.why}\n  ${retried.executionArn}\n`);
  if (given.flag('wait') === false) return exitCodes.running;
  return follow(session, retried.executionArn);
};
