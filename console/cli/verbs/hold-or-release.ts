import { setTimeout as sleep } from 'node:timers/promises';
import { executionName, start, whoAmI } from '../../api/actions.ts';
import { inputSchema } from '../../api/input-schemas.ts';
import { RecordingReader } from '../../api/recording.ts';
import { PlainError } from '../../api/trouble.ts';
import { evidenceWords, problemWords } from '../../lines.ts';
import { readProgress } from '../../progress.ts';
import { wrap } from '../../words.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { checkInput } from '../input-flags.ts';
import type { Run } from '../verb.ts';

export const hold: Run = (...given) => change('hold', ...given);
export const release: Run = (...given) => change('release', ...given);

const change = async (action: 'hold' | 'release', ...[session, given]: Parameters<Run>): Promise<number> => {
  const reason = given.text('reason');
  if (action === 'hold' && !reason) throw new UsageError('hold takes --reason: whoever finds the site held reads it.');
  const operator = given.text('as') ?? whoAmI();
  const input = { action, operator, ...(reason === undefined ? {} : { reason }) };
  await checkInput(input, inputSchema('hold'));
  const machine = (await session.machines()).find(({ name }) => name === 'hold');
  if (machine === undefined) {
    throw new PlainError('The site has no state machine hold. Deploy it: npx cdk deploy --all (README.md).');
  }
  const { client } = session.connection;
  const executionArn = await start(client, machine.arn, JSON.stringify(input), executionName(operator));
  const reader = new RecordingReader(client, executionArn);
  for (;;) {
    const { definition, execution, events } = await reader.read();
    const { status, phases, failure } = readProgress(definition, execution, events);
    if (status === 'running') {
      await sleep(500);
      continue;
    }
    const words = failure ? problemWords(failure) : evidenceWords(phases[0]?.evidence);
    for (const line of wrap(`${machine.site}: ${words}`, session.width)) session.say(line);
    if (!failure) return exitCodes.succeeded;
    return failure.error === 'SiteHeld' ? exitCodes.refused : exitCodes.failed;
  }
};
