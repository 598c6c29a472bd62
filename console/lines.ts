import type { Phase, PhaseStatus, Progress } from './progress.ts';
import { clip, duration, oneLine, outcomeWords, plainWords, textWidth, wrap } from './words.ts';

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
  /** Why the view may be behind: a lost connection, in words. */
  readonly trouble?: string | undefined;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

const GLYPHS: Readonly<Record<PhaseStatus, { glyph: string; colour: Colour }>> = {
  pending: { glyph: '·', colour: 'dim' },
  running: { glyph: '', colour: 'cyan' },
  waiting: { glyph: '', colour: 'yellow' },
  asking: { glyph: '?', colour: 'yellow' },
  succeeded: { glyph: '✔', colour: 'green' },
  failed: { glyph: '✖', colour: 'red' },
  aborted: { glyph: '■', colour: 'red' },
  'put back': { glyph: '↩', colour: 'yellow' },
  'not needed': { glyph: '-', colour: 'dim' },
  skipped: { glyph: '-', colour: 'dim' },
};

/** Width of the longest duration, `59 min 59 s`. */
const DURATION_WIDTH = 11;
/** Columns that are left for words at least; a narrower terminal has them on lines of their own. */
const LEAST_WORDS = 24;

/** The whole view of a rollout: a header, the phases, and the way back once it was taken. */
export function drawProgress(progress: Progress, drawing: Drawing): string[] {
  const shownBack = progress.wayBack.filter(({ startedAt }) => startedAt !== undefined);
  const titleWidth = Math.max(...[...progress.phases, ...shownBack].map(({ title }) => textWidth(title)), 1);
  // A rollout that is over is followed by its summary, which has the cause in full.
  const isOver = progress.status !== 'running';
  const draw = (phase: Phase) => drawPhase(phase, titleWidth, drawing, isOver);
  return [
    ...drawHeader(progress, drawing),
    ...progress.phases.flatMap(draw),
    ...(shownBack.length > 0 ? [drawing.paint('bold', 'The way back'), ...shownBack.flatMap(draw)] : []),
    ...(drawing.trouble === undefined
      ? []
      : wrap(drawing.trouble, drawing.width, 3).map((line) => drawing.paint('yellow', line))),
  ];
}

/** What a rollout is called: its site and kind, or its state machine where it is none of ours. */
export function rolloutName({ site, rollout, stateMachine }: Progress): string {
  return site === undefined || rollout === undefined ? stateMachine : `${site} ${rollout}`;
}

function drawHeader(progress: Progress, { width, paint, now }: Drawing): string[] {
  const right = stateWords(progress, now);
  const room = Math.max(8, width - textWidth(right) - 2);
  const left = clip(`${rolloutName(progress)}  ${progress.execution}`, room);
  const facts = factWords(progress);
  // A file has no right edge.
  const gap = ' '.repeat(Number.isFinite(width) ? Math.max(2, width - textWidth(left) - textWidth(right)) : 2);
  const first =
    textWidth(left) + 2 + textWidth(right) > width
      ? [paint('bold', clip(left, width)), clip(right, width)]
      : [`${paint('bold', left)}${gap}${right}`];
  return [...first, ...(facts ? wrap(facts, width).map((line) => paint('dim', line)) : [])];
}

function stateWords(progress: Progress, now: Date): string {
  const counted = progress.phases.filter(({ status }) => status !== 'skipped');
  const position = progress.phases.filter(({ startedAt }) => startedAt !== undefined).length;
  const elapsed = elapsedOf(progress, now);
  const isOpen = progress.status === 'running';
  return [
    outcomeWords[progress.outcome],
    ...(isOpen ? [`phase ${Math.max(1, position)} of ${Math.max(counted.length, position)}`] : []),
    ...(elapsed === undefined ? [] : [duration(elapsed)]),
  ].join(', ');
}

/** `usually 3 min 10 s (5 runs) · nodes 1 of 3 · sessions in redis`; empty where nothing of it is known. */
function factWords({ usual, actualNodes, wantedNodes, sessionStore, redrivenAt }: Progress): string {
  return [
    ...(usual === undefined
      ? []
      : [`usually ${duration(usual.milliseconds)} (${usual.runs} ${usual.runs === 1 ? 'run' : 'runs'})`]),
    ...(actualNodes === undefined && wantedNodes === undefined ? [] : [nodeWords(actualNodes, wantedNodes)]),
    ...(sessionStore === undefined ? [] : [`sessions in ${sessionStore}`]),
    ...(redrivenAt.length === 0
      ? []
      : [redrivenAt.length === 1 ? 'resumed once' : `resumed ${redrivenAt.length} times`]),
  ].join(' · ');
}

function nodeWords(actual: number | undefined, wanted: number | undefined): string {
  if (actual === 0 && !wanted) return 'no nodes';
  if (actual === undefined) return `${wanted} nodes wanted`;
  return wanted === undefined ? `${actual} nodes` : `${actual} of ${wanted} nodes`;
}

function drawPhase(phase: Phase, titleWidth: number, drawing: Drawing, isOver: boolean): string[] {
  const { paint, width, now } = drawing;
  const { glyph, colour } = GLYPHS[phase.status];
  const elapsed = elapsedOf(phase, now);
  const time = elapsed === undefined ? '' : duration(elapsed);
  const sign = paint(colour, glyph || (SPINNER[drawing.frame % SPINNER.length] ?? ''));
  const beside = 2 + titleWidth + 2 + DURATION_WIDTH + 2;
  // Beside the titles, or below them where there is no room.
  const indent = width - beside >= LEAST_WORDS ? beside : 4;
  const text = phaseText(phase, now);
  const mustBeRead = (phase.status === 'failed' && !isOver) || phase.status === 'asking';
  const most = mustBeRead ? Number.POSITIVE_INFINITY : drawing.evidenceLines;
  const words = text && most > 0 ? wrap(text, Math.max(8, width - indent), most) : [];
  const title = clip(phase.title, Math.max(8, width - 2));
  const shown = phase.status === 'pending' || phase.status === 'skipped' ? paint('dim', title) : title;
  const textColour: Colour = phase.status === 'failed' ? 'red' : phase.status === 'asking' ? 'yellow' : 'dim';
  const head = `${sign} ${shown}`;
  const room = width - 2 - textWidth(title);
  const timed = time && room > time.length ? `${head}${timeBeside(time, titleWidth - textWidth(title), room)}` : head;
  const below = (lines: readonly string[]) => lines.map((line) => `${' '.repeat(indent)}${paint(textColour, line)}`);
  const [first, ...more] = words;
  if (first === undefined) return [timed];
  return indent === beside ? [`${timed}  ${paint(textColour, first)}`, ...below(more)] : [timed, ...below(words)];
}

/** The duration in its column, or as near to it as the terminal allows. */
function timeBeside(time: string, padding: number, room: number): string {
  const wanted = padding + 2 + DURATION_WIDTH;
  return time.padStart(Math.min(wanted, room));
}

/** What a phase has to tell: why it waits or failed, or what it measured; and at which attempt. */
export function phaseText(phase: Phase, now: Date): string {
  const { status, problem, attempts } = phase;
  const said = problem ? oneLine(problem.cause || problem.error) : '';
  switch (status) {
    case 'succeeded':
    case 'put back':
    case 'not needed':
      return [...(attempts > 1 ? [`${attempts} attempts`] : []), evidenceWords(phase.evidence)]
        .filter(Boolean)
        .join(' · ');
    case 'failed':
      return problem ? `${attempts > 1 ? `attempt ${attempts}: ` : ''}${problemWords(problem)}` : '';
    case 'running':
      return problem ? `attempt ${attempts}: ${said}` : '';
    case 'waiting':
      return problem ? `attempt ${attempts}: ${said} ${nextAttemptWords(phase, now)}`.trim() : '';
    case 'asking':
      return questionWords(phase, now);
    case 'aborted':
      return problem ? `last: ${said}` : '';
    default:
      return '';
  }
}

/** `(next attempt within 12 s, 158 left)`. */
function nextAttemptWords({ nextAttempt }: Phase, now: Date): string {
  if (!nextAttempt) return '';
  const { at, exact, attemptsLeft } = nextAttempt;
  const milliseconds = at.getTime() - now.getTime();
  const when = milliseconds < 500 ? 'is due' : `${exact ? 'in' : 'within'} ${duration(milliseconds + 500)}`;
  return `(next attempt ${when}, ${attemptsLeft} left)`;
}

function questionWords({ question }: Phase, now: Date): string {
  const answer = 'waits for a person: npx lifecycle approve, or refuse';
  if (!question) return answer;
  const { expiresAt, about } = question;
  const left = expiresAt ? `, within ${duration(expiresAt.getTime() - now.getTime())}` : '';
  const plan = plainWords(about);
  return `${answer}${left}${plan ? ` (${plan})` : ''}`;
}

/**
 * Evidence in short. The way back returns the execution's whole cause, of which the failure itself and the next command
 * are shown elsewhere.
 */
export function evidenceWords(evidence: unknown): string {
  return shortDigests(words(evidence));
}

function words(evidence: unknown): string {
  if (typeof evidence !== 'object' || evidence === null || Array.isArray(evidence)) return plainWords(evidence);
  const { cause } = evidence as { readonly cause?: unknown };
  if (typeof cause !== 'string') return plainWords(evidence);
  const [, ...lines] = cause.split('\n');
  return lines.filter((line) => !/^(Next|Or|Execution): /.test(line)).join(' ');
}

/** Twelve digits tell a digest from another, and leave room for words. */
function shortDigests(text: string): string {
  return text.replace(/\b([0-9a-f]{12})[0-9a-f]{20,}\b/g, '$1…');
}

export function problemWords({ error, cause }: { error: string; cause: string }): string {
  return cause ? `${error}: ${oneLine(cause)}` : error;
}

/** Milliseconds from the start until the end, or until now. */
export function elapsedOf({ startedAt, endedAt }: Pick<Phase, 'startedAt' | 'endedAt'>, now: Date): number | undefined {
  return startedAt && (endedAt ?? now).getTime() - startedAt.getTime();
}

/** What is left to say when the execution has ended, or waits for somebody. */
export function drawSummary(progress: Progress, drawing: Pick<Drawing, 'width' | 'paint' | 'now'>): string[] {
  const { paint, width } = drawing;
  const name = rolloutName(progress);
  const took = duration(elapsedOf(progress, drawing.now) ?? 0);
  const { usual, failure, ending } = progress;
  const usually = usual === undefined ? '' : ` (usually ${duration(usual.milliseconds)})`;
  if (progress.status === 'succeeded') {
    const done = progress.phases.filter(({ startedAt }) => startedAt !== undefined);
    const attempts = done.reduce((sum, phase) => sum + phase.attempts, 0);
    const ended = ending === undefined ? '' : ` “${ending}”.`;
    const words = `✔ ${name} succeeded in ${took}${usually}: ${done.length} phases, ${attempts} attempts.${ended}`;
    return wrap(words, width).map((line) => paint('green', line));
  }
  const indented = (text: string) => wrap(text, Math.max(20, width - 2)).map((line) => `  ${line}`);
  // Not wrapped: what is broken into lines cannot be copied.
  const next = progress.next
    ? ['  Next:', `  ${paint('bold', progress.next.command)}`, ...indented(progress.next.why)]
    : [];
  if (!failure) {
    const state = progress.outcome === 'asking' ? 'waits for a person' : 'is running';
    return [...wrap(`${name} ${state}; it began ${took} ago${usually}.`, width), ...next];
  }
  const { phase } = failure;
  const words = `✖ ${name} ${endWords[progress.outcome] ?? progress.outcome} after ${took}${phase ? ` in “${phase}”` : ''}.`;
  const log = [...progress.phases, ...progress.wayBack].find(({ title }) => title === phase)?.log;
  return [
    ...wrap(words, width).map((line) => paint('red', line)),
    ...indented(problemWords(failure)),
    ...wayBackSummary(progress, drawing.now).flatMap(indented),
    ...(log === undefined ? [] : [`  Log: ${log}`]),
    ...next,
  ];
}

const endWords: Readonly<Partial<Record<Progress['outcome'], string>>> = {
  failed: 'failed and was not put back',
  'put back': 'failed and was put back',
  'nothing changed': 'ended without having changed anything',
  refused: 'was refused',
  stopped: 'was stopped by hand',
};

function wayBackSummary({ wayBack }: Progress, now: Date): string[] {
  return wayBack
    .filter(({ startedAt }) => startedAt !== undefined)
    .map((phase) => `${phase.title}: ${phase.status}${phaseText(phase, now) ? ` (${phaseText(phase, now)})` : ''}`);
}
