import type { Phase, PhaseStatus, Progress } from './progress.ts';
import { duration, oneLine, plainWords, wrap } from './words.ts';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (colour: Colour, text: string) => string;

/** For terminals without colours and for files. */
export const unpainted: Paint = (_colour, text) => text;

export interface Drawing {
  /** Columns of the terminal. */
  readonly width: number;
  readonly paint: Paint;
  /** The time at which running phases are measured. */
  readonly now: Date;
  /** Counts up while something runs. */
  readonly frame: number;
  /** Lines that the evidence of a phase, or its last cause, may take. */
  readonly evidenceLines: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

const GLYPHS: Readonly<Record<PhaseStatus, { glyph: string; colour: Colour }>> = {
  pending: { glyph: '·', colour: 'dim' },
  running: { glyph: '', colour: 'cyan' },
  waiting: { glyph: '', colour: 'yellow' },
  succeeded: { glyph: '✔', colour: 'green' },
  failed: { glyph: '✖', colour: 'red' },
  aborted: { glyph: '■', colour: 'red' },
  skipped: { glyph: '-', colour: 'dim' },
};

/** Width of the longest duration, `59 min 59 s`. */
const DURATION_WIDTH = 11;

/** The whole view of a rollout: a header, the phases, and the way back once it was taken. */
export function drawProgress(progress: Progress, drawing: Drawing): string[] {
  const shownBack = progress.wayBack.filter(({ startedAt }) => startedAt !== undefined);
  const titleWidth = Math.max(...[...progress.phases, ...shownBack].map(({ title }) => title.length), 1);
  const draw = (phase: Phase) => drawPhase(phase, titleWidth, drawing);
  return [
    drawHeader(progress, drawing),
    ...progress.phases.flatMap(draw),
    ...(shownBack.length > 0 ? [drawing.paint('bold', 'The way back'), ...shownBack.flatMap(draw)] : []),
  ];
}

function drawHeader(progress: Progress, { width, paint, now }: Drawing): string {
  const position = progress.phases.filter(({ startedAt }) => startedAt !== undefined).length;
  const elapsed = elapsedOf(progress, now);
  const right = [
    progress.status,
    ...(progress.status === 'running' ? [`phase ${position} of ${progress.phases.length}`] : []),
    ...(elapsed === undefined ? [] : [duration(elapsed)]),
  ].join(', ');
  const room = Math.max(8, width - right.length - 2);
  const left = wrap(`${progress.stateMachine}  ${progress.execution}`, room, 1)[0] ?? '';
  return `${paint('bold', left)}${' '.repeat(Math.max(2, width - left.length - right.length))}${right}`;
}

function drawPhase(phase: Phase, titleWidth: number, drawing: Drawing): string[] {
  const { paint, width } = drawing;
  const { glyph, colour } = GLYPHS[phase.status];
  const elapsed = elapsedOf(phase, drawing.now);
  const time = elapsed === undefined ? '' : duration(elapsed);
  const sign = glyph || (SPINNER[drawing.frame % SPINNER.length] ?? '');
  const indent = 2 + titleWidth + 2 + DURATION_WIDTH + 2;
  const text = phaseText(phase);
  const most = phase.status === 'failed' ? Number.POSITIVE_INFINITY : drawing.evidenceLines;
  const [first = '', ...more] = text && most > 0 ? wrap(text, Math.max(20, width - indent), most) : [];
  const head = `${paint(colour, sign)} ${phase.status === 'pending' || phase.status === 'skipped' ? paint('dim', phase.title) : phase.title}`;
  const textColour: Colour = phase.status === 'failed' ? 'red' : 'dim';
  if (!time && !first) return [head];
  const padding = ' '.repeat(titleWidth - phase.title.length + 2);
  const line = `${head}${padding}${time.padStart(DURATION_WIDTH)}`;
  return [
    first ? `${line}  ${paint(textColour, first)}` : line,
    ...more.map((part) => `${' '.repeat(indent)}${paint(textColour, part)}`),
  ];
}

/** What a phase has to tell: why it waits or failed, or what it measured. */
export function phaseText(phase: Phase): string {
  const { status, problem, attempts } = phase;
  switch (status) {
    case 'succeeded':
      return evidenceWords(phase.evidence);
    case 'failed':
      return problem ? problemWords(problem) : '';
    case 'running':
    case 'waiting':
      return problem
        ? `attempt ${status === 'waiting' ? attempts + 1 : attempts}: ${oneLine(problem.cause || problem.error)}`
        : '';
    case 'aborted':
      return problem ? `last: ${oneLine(problem.cause || problem.error)}` : '';
    default:
      return '';
  }
}

/**
 * Evidence in short. The way back returns the execution's whole cause, of which the failure itself and the next command
 * are shown elsewhere; an AWS service answers with more about HTTP than about what it did.
 */
function evidenceWords(evidence: unknown): string {
  if (typeof evidence !== 'object' || evidence === null || Array.isArray(evidence)) return plainWords(evidence);
  const { cause } = evidence as { readonly cause?: unknown };
  if (typeof cause === 'string') {
    const [, ...lines] = cause.split('\n');
    return lines.filter((line) => !/^(Next|Or|Execution): /.test(line)).join(' ');
  }
  return plainWords(Object.fromEntries(Object.entries(evidence).filter(([name]) => !name.startsWith('Sdk'))));
}

export function problemWords({ error, cause }: { error: string; cause: string }): string {
  return cause ? `${error}: ${oneLine(cause)}` : error;
}

/** Milliseconds from the start until the end, or until now. */
export function elapsedOf({ startedAt, endedAt }: Pick<Phase, 'startedAt' | 'endedAt'>, now: Date): number | undefined {
  return startedAt && (endedAt ?? now).getTime() - startedAt.getTime();
}

/** What is left to say when the execution has ended. */
export function drawSummary(progress: Progress, drawing: Pick<Drawing, 'width' | 'paint' | 'now'>): string[] {
  const { paint, width } = drawing;
  const took = duration(elapsedOf(progress, drawing.now) ?? 0);
  const attempts = progress.phases.reduce((sum, phase) => sum + phase.attempts, 0);
  if (progress.status === 'succeeded') {
    return [
      paint(
        'green',
        `✔ ${progress.stateMachine} succeeded in ${took}: ${progress.phases.length} phases, ${attempts} attempts.`,
      ),
    ];
  }
  if (!progress.failure) return [`${progress.stateMachine} is running since ${took}.`];
  const { phase } = progress.failure;
  const indented = (text: string) => wrap(text, Math.max(20, width - 2)).map((line) => `  ${line}`);
  return [
    paint('red', `✖ ${progress.stateMachine} ${progress.status} after ${took}${phase ? ` in “${phase}”` : ''}.`),
    ...indented(problemWords(progress.failure)),
    ...wayBackSummary(progress).flatMap(indented),
    // Not wrapped: a command that is broken into lines cannot be copied.
    ...(progress.nextCommand ? ['  Next:', `  ${paint('bold', progress.nextCommand)}`] : []),
  ];
}

function wayBackSummary({ wayBack }: Progress): string[] {
  return wayBack
    .filter(({ startedAt }) => startedAt !== undefined)
    .map((phase) => `${phase.title}: ${phase.status}${phaseText(phase) ? ` (${phaseText(phase)})` : ''}`);
}
