import { operatorHoldOf } from '../../api/operator-hold.ts';
import { drawProgress, drawSummary } from '../../lines.ts';
import type { Progress } from '../../progress.ts';
import type { ProgressView } from '../../terminal.ts';
import { moment, wrap } from '../../words.ts';
import { exitCodes } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import type { Session } from '../session.ts';
import { isFile, readSource } from '../source.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const [word] = given.words;
  const asJson = given.flag('json') === true;
  if (given.flag('watch') && !(word !== undefined && isFile(word))) {
    return follow(session, await session.execution(word), asJson ? { view: jsonLines(session) } : {});
  }
  const { progress } = await readSource(session, word);
  if (asJson) session.say(JSON.stringify(progress, undefined, 2));
  else for (const line of [...draw(progress, session), ...(await heldLines(session, word))]) session.say(line);
  return exitCodes[progress.outcome];
};

function draw(progress: Progress, { paint, width }: Session): string[] {
  const drawing = { width, paint, now: new Date(), frame: 0, evidenceLines: 3 };
  const isOver = progress.status !== 'running';
  return [
    ...drawProgress(progress, drawing),
    ...(isOver || progress.next ? ['', ...drawSummary(progress, drawing)] : []),
  ];
}

/** Who holds the site, since when and why; a saved history is of no site that could be held. */
async function heldLines(session: Session, word: string | undefined): Promise<string[]> {
  if (word !== undefined) return [];
  const hold = await operatorHoldOf(session.connection.client, await session.machines());
  if (hold === undefined) return [];
  const since = moment(new Date(hold.since));
  const words = `The site is held by ${hold.operator} since ${since}: ${hold.reason}. No rollout begins until npx lifecycle release.`;
  return ['', ...wrap(words, session.width).map((line) => session.paint('yellow', line))];
}

/** One line of JSON for each change; what only time changes is none. */
function jsonLines(session: Session): ProgressView {
  let last = '';
  const show = (progress: Progress) => {
    const text = JSON.stringify(progress);
    if (text !== last) session.say(text);
    last = text;
  };
  return { update: show, end: show, note() {}, trouble() {}, close() {} };
}
