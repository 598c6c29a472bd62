import { elapsedOf, evidenceWords, phaseText, problemWords, rolloutName } from '../../lines.ts';
import type { Phase, Progress } from '../../progress.ts';
import { duration, moment, oneLine, outcomeWords, plainWords, wrap } from '../../words.ts';
import { exitCodes } from '../exit-codes.ts';
import { runbookSection } from '../runbook.ts';
import type { Session } from '../session.ts';
import { readSource } from '../source.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const { progress } = await readSource(session, given.words[0]);
  if (given.flag('json')) session.say(JSON.stringify(progress, undefined, 2));
  else for (const line of explanation(progress, session)) session.say(line);
  return exitCodes.succeeded;
};

type Drawn = Pick<Session, 'width' | 'paint'>;

/** A failed attempt that is not the last was a wait; of so many only the last ones are told. */
const SHOWN_ATTEMPTS = 5;

function explanation(progress: Progress, drawn: Drawn): string[] {
  const { paint } = drawn;
  const { failure, next } = progress;
  const now = new Date();
  const took = duration(elapsedOf(progress, now) ?? 0);
  const phase = [...progress.phases, ...progress.wayBack].find(({ title }) => title === failure?.phase);
  const asking = progress.phases.find(({ status }) => status === 'asking');
  return [
    paint('bold', `${rolloutName(progress)}  ${progress.execution}`),
    ...point(
      'State',
      `${outcomeWords[progress.outcome]}, ${took}${progress.ending ? `, “${progress.ending}”` : ''}`,
      drawn,
    ),
    ...point('Started', progress.startedAt ? moment(progress.startedAt) : undefined, drawn),
    ...point('Input', plainWords(progress.input) || 'none', drawn),
    ...(failure ? ['', ...failureLines(progress, phase, drawn)] : []),
    ...(asking?.question ? ['', ...point('Decide', phaseText(asking, now), drawn)] : []),
    ...(failure === undefined && progress.status === 'running' ? ['', ...runningLines(progress, now, drawn)] : []),
    ...wayBackLines(progress, now, drawn),
    ...(next ? ['', ...point('Do', next.why, drawn), `  ${paint('bold', next.command)}`] : []),
    ...link('Log', phase?.log),
    ...link('Console', progress.console),
  ];
}

function failureLines(progress: Progress, phase: Phase | undefined, drawn: Drawn): string[] {
  const { failure } = progress;
  if (!failure) return [];
  // What a way back that did not come to its end leaves counts for more than what the phase would have left.
  const notPutBack = progress.wayBack[0]?.status === 'failed';
  const said = new Map([
    ...runbookSection(failure.error),
    ...(notPutBack ? [...runbookSection('SiteNotPutBack')].filter(([title]) => title !== 'Means') : []),
  ]);
  const waits = (phase?.timeline ?? []).filter(({ status }) => status === 'failed');
  return [
    ...point('Failed in', failure.phase ?? 'no phase of its own', drawn),
    ...point('Error', failure.error, drawn),
    ...point('Cause', oneLine(failure.cause), drawn),
    ...point('Means', said.get('Means'), drawn),
    ...point('Left', said.get('Left'), drawn),
    ...point('Look', said.get('Look'), drawn),
    ...point('Then', said.get('Next'), drawn),
    ...(failure.lastEvidence
      ? point('Last seen', `${failure.lastEvidence.phase}: ${evidenceWords(failure.lastEvidence.evidence)}`, drawn)
      : []),
    ...(phase && waits.length > 1 ? ['', ...attemptLines(phase, drawn)] : []),
  ];
}

function runningLines(progress: Progress, now: Date, drawn: Drawn): string[] {
  const current = progress.phases.find(({ status }) => status === 'running' || status === 'waiting');
  return current ? point(current.title, phaseText(current, now) || 'running', drawn) : [];
}

function wayBackLines({ wayBack }: Progress, now: Date, drawn: Drawn): string[] {
  const taken = wayBack.filter(({ startedAt }) => startedAt !== undefined);
  if (taken.length === 0) return [];
  return ['', ...taken.flatMap((phase) => point(phase.title, `${phase.status}. ${phaseText(phase, now)}`, drawn))];
}

/** Every phase with its attempts: when each began, how long it took, how it ended. */
export function timelineLines(progress: Progress, drawn: Drawn): string[] {
  const begun = [...progress.phases, ...progress.wayBack].filter(({ startedAt }) => startedAt !== undefined);
  return [
    drawn.paint('bold', `${rolloutName(progress)}  ${progress.execution}  ${outcomeWords[progress.outcome]}`),
    ...begun.flatMap((phase) => attemptLines(phase, drawn, Number.POSITIVE_INFINITY)),
  ];
}

function attemptLines(phase: Phase, { paint, width }: Drawn, most = SHOWN_ATTEMPTS): string[] {
  const { timeline } = phase;
  const shown = timeline.slice(-most);
  const lines = shown.flatMap((attempt, index) => {
    const number = timeline.length - shown.length + index + 1;
    const took =
      attempt.startedAt && attempt.endedAt ? duration(attempt.endedAt.getTime() - attempt.startedAt.getTime()) : '';
    const how = attempt.problem
      ? problemWords(attempt.problem)
      : attempt.status === 'succeeded'
        ? evidenceWords(phase.evidence)
        : attempt.status;
    const start = `  ${String(number).padStart(3)}  ${attempt.startedAt ? moment(attempt.startedAt) : ''}  ${took.padStart(11)}  `;
    return hanging(start, how, width, (text) => paint('dim', text));
  });
  const left = timeline.length - shown.length;
  return [`${phase.title}: ${phase.status}`, ...(left > 0 ? [`  … ${left} earlier attempts`] : []), ...lines];
}

function point(title: string, text: string | undefined, { paint, width }: Drawn): string[] {
  return text === undefined || text === ''
    ? []
    : hanging(paint('bold', title.padEnd(10)), text, width, (part) => part, Math.max(10, title.length) + 1);
}

/** A link is not wrapped: what is broken into lines cannot be followed. */
function link(title: string, address: string | undefined): string[] {
  return address === undefined ? [] : [`${title.padEnd(10)} ${address}`];
}

function hanging(
  start: string,
  text: string,
  width: number,
  paint: (text: string) => string,
  indent = start.length,
): string[] {
  const room = width - indent;
  if (room < 24) return [start.trimEnd(), ...wrap(text, Math.max(8, width - 4)).map((line) => `    ${paint(line)}`)];
  const [first = '', ...more] = wrap(text, room);
  const gap = ' '.repeat(indent);
  return [
    `${start}${indent === start.length ? '' : ' '}${paint(first)}`,
    ...more.map((line) => `${gap}${paint(line)}`),
  ];
}
