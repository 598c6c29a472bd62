import { writeFileSync } from 'node:fs';
import { listExecutions } from '../../api/executions.ts';
import { PlainError } from '../../api/trouble.ts';
import { formatHistory } from '../../model/history-file.ts';
import { duration, moment } from '../../words.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { readSource } from '../source.ts';
import type { Run } from '../verb.ts';
import { timelineLines } from './explain.ts';

export const run: Run = async (session, given) => {
  const [word] = given.words;
  const file = given.text('save');
  if (file !== undefined) return save(session, word, file);
  if (word !== undefined) {
    const { progress } = await readSource(session, word);
    if (given.flag('json')) session.say(JSON.stringify(progress, undefined, 2));
    else for (const line of timelineLines(progress, session)) session.say(line);
    return exitCodes.succeeded;
  }
  return list(session, wholeNumber(given.text('limit') ?? '20'), given.flag('json') === true);
};

async function save(session: Session, word: string | undefined, file: string): Promise<number> {
  const { recording, progress } = await readSource(session, word);
  try {
    // For the eyes of whom its owner gives it to: inputs and evidence are in it.
    writeFileSync(file, formatHistory(recording), { mode: 0o600 });
  } catch (error) {
    throw new PlainError(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
  session.say(
    `Saved ${progress.execution}, ${recording.events.length} events, to ${file}. This opens it anywhere:\n  npx lifecycle explain ${/[./]/.test(file) ? file : `./${file}`}`,
  );
  return exitCodes.succeeded;
}

const glyphs: Readonly<Record<string, string>> = {
  RUNNING: '…',
  PENDING_REDRIVE: '…',
  SUCCEEDED: '✔',
  FAILED: '✖',
  ABORTED: '■',
  TIMED_OUT: '■',
};

async function list(session: Session, limit: number, asJson: boolean): Promise<number> {
  const machines = await session.machines();
  const executions = await listExecutions(session.connection.client, machines, limit);
  if (asJson) {
    session.say(JSON.stringify(executions, undefined, 2));
    return exitCodes.succeeded;
  }
  if (executions.length === 0)
    session.say(`The site ${machines[0]?.site ?? ''} has had no rollout in the last 90 days.`);
  const names = Math.max(...executions.map(({ name = '' }) => name.length), 1);
  for (const { rollout, name = '', status = '', startDate, stopDate, redriveCount } of executions) {
    const took = startDate ? duration((stopDate ?? new Date()).getTime() - startDate.getTime()) : '';
    const words = [
      `${glyphs[status] ?? '?'} ${startDate ? moment(startDate) : ''}`,
      rollout.padEnd(13),
      name.padEnd(names),
      took.padStart(11),
      status.toLowerCase().replaceAll('_', ' '),
      ...(redriveCount ? [`resumed ${redriveCount} times`] : []),
    ];
    session.say(words.join('  '));
  }
  return exitCodes.succeeded;
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`--limit takes a whole number from 1, not “${text}”.`);
}
