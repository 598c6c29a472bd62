import { type Colour, drawProgress, drawSummary, elapsedOf, type Paint, phaseText, unpainted } from './lines.ts';
import type { Phase, Progress } from './progress.ts';
import { duration, oneLine, textWidth } from './words.ts';

/** Shows a rollout while it goes on. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Writes a line of other news without disturbing the view. */
  note(line: string): void;
  /** Says why nothing new is seen; undefined when it is over. */
  trouble(words: string | undefined): void;
  /** Shows the end and the summary. After this the terminal is as it was before. */
  end(progress: Progress): void;
  /** Leaves the terminal as it was, without a summary; for an end by a signal. */
  close(): void;
}

/** What is needed of `process.stdout`. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const FRAME_MILLISECONDS = 120;

/** A terminal shows what is between the two at once, where it knows them; and wraps nothing that is too long for it. */
const BEGIN_DRAWING = '\x1b[?2026h\x1b[?7l';
const END_DRAWING = '\x1b[?7h\x1b[?2026l';

/**
 * A view that redraws in place on a terminal, and appends plain lines anywhere else.
 *
 * @param environment `NO_COLOR` (any text) turns colours off, `TERM=dumb` redrawing too
 */
export function openProgressView(
  screen: Screen,
  environment: Environment,
  clock: () => Date = () => new Date(),
): ProgressView {
  const live = screen.isTTY === true && environment.TERM !== 'dumb';
  return live ? new LiveView(screen, painterFor(screen, environment), clock) : new PlainView(screen, clock);
}

/** Colours on a terminal; none elsewhere, and none where `NO_COLOR` has any text. */
export function painterFor(screen: Screen, environment: Environment): Paint {
  if (screen.isTTY !== true || environment.NO_COLOR || environment.TERM === 'dumb') return unpainted;
  return (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}

/** Redraws only the lines that changed, so that nothing flickers. */
class LiveView implements ProgressView {
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #clock: () => Date;
  readonly #timer: NodeJS.Timeout;
  #progress: Progress | undefined;
  #trouble: string | undefined;
  #drawn: readonly string[] = [];
  #width = 0;
  #frame = 0;

  constructor(screen: Screen, paint: Paint, clock: () => Date) {
    this.#screen = screen;
    this.#paint = paint;
    this.#clock = clock;
    this.#screen.write('\x1b[?25l');
    process.once('exit', this.#showCursor);
    process.on('SIGCONT', this.#drawAnew);
    this.#timer = setInterval(() => {
      this.#frame += 1;
      this.#draw();
    }, FRAME_MILLISECONDS);
    // A view alone is no reason for the process to stay.
    this.#timer.unref();
  }

  update(progress: Progress): void {
    this.#progress = progress;
    this.#draw();
  }

  trouble(words: string | undefined): void {
    this.#trouble = words;
    this.#draw();
  }

  note(line: string): void {
    this.#screen.write(`${this.#erase(this.#screen.columns ?? 80)}${line}\n`);
    this.#drawn = [];
    this.#draw();
  }

  end(progress: Progress): void {
    this.#trouble = undefined;
    this.update(progress);
    this.close();
    const drawing = { width: this.#screen.columns ?? 80, paint: this.#paint, now: this.#clock() };
    this.#screen.write(`\n${drawSummary(progress, drawing).join('\n')}\n`);
  }

  close(): void {
    clearInterval(this.#timer);
    process.off('exit', this.#showCursor);
    process.off('SIGCONT', this.#drawAnew);
    this.#showCursor();
  }

  readonly #showCursor = (): void => {
    this.#screen.write('\x1b[?25h');
  };

  /** After a pause of the process the shell has written below the view. */
  readonly #drawAnew = (): void => {
    this.#drawn = [];
    this.#screen.write('\x1b[?25l');
    this.#draw();
  };

  #draw(): void {
    if (!this.#progress) return;
    const width = this.#screen.columns ?? 80;
    const lines = this.#linesThatFit(this.#progress, width);
    let text = '';
    if (width !== this.#width || lines.length < this.#drawn.length) {
      text += this.#erase(width);
      this.#drawn = [];
    }
    this.#width = width;
    if (this.#drawn.length > 0) text += `\x1b[${this.#drawn.length}A`;
    for (const [index, line] of lines.entries()) {
      text += line === this.#drawn[index] ? '\n' : `\x1b[2K${line}\n`;
    }
    const changed = lines.length !== this.#drawn.length || lines.some((line, index) => line !== this.#drawn[index]);
    this.#drawn = lines;
    if (changed) this.#screen.write(`${BEGIN_DRAWING}${text}${END_DRAWING}`);
  }

  /** With as much evidence as the terminal has rows for; without any the phases themselves must fit. */
  #linesThatFit(progress: Progress, width: number): string[] {
    const rows = this.#screen.rows || Number.POSITIVE_INFINITY;
    let lines: string[] = [];
    for (const evidenceLines of [3, 2, 1, 0]) {
      lines = drawProgress(progress, {
        width,
        paint: this.#paint,
        now: this.#clock(),
        frame: this.#frame,
        evidenceLines,
        trouble: this.#trouble,
      });
      if (lines.length < rows) return lines;
    }
    // The end is where it happens.
    const most = Math.max(2, rows - 1);
    return [...lines.slice(0, 1), ...lines.slice(lines.length - most + 1)];
  }

  /** A window that has become narrower has wrapped the old lines: then they take more rows than they were. */
  #erase(width: number): string {
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(textWidth(unpaintedOf(line)) / width)),
      0,
    );
    return rows > 0 ? `\x1b[${rows}A\x1b[J` : '';
  }
}

function unpaintedOf(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours begin with one.
  return line.replace(/\x1b\[\d+m/g, '');
}

/** One line per change, each with the time since the start; for files, pipes and logs. */
class PlainView implements ProgressView {
  readonly #screen: Screen;
  readonly #clock: () => Date;
  readonly #told = new Map<string, string>();
  #trouble: string | undefined;
  #startedAt: Date | undefined;

  constructor(screen: Screen, clock: () => Date) {
    this.#screen = screen;
    this.#clock = clock;
  }

  update(progress: Progress): void {
    this.#startedAt = progress.startedAt;
    for (const phase of [...progress.phases, ...progress.wayBack]) {
      if (phase.startedAt === undefined) continue;
      const line = `${phase.title}: ${plainStatus(phase, this.#clock())}`;
      const told = this.#told.get(phase.title);
      // That it runs is news only once; a new attempt is none until it ends.
      if (told === line || (told !== undefined && phase.status === 'running')) continue;
      this.#told.set(phase.title, line);
      this.#say(line);
    }
  }

  trouble(words: string | undefined): void {
    if (words === undefined && this.#trouble !== undefined) this.#say('The connection is back.');
    // How long it lasts changes with every look, what it is does not.
    else if (words !== undefined && this.#trouble === undefined) this.#say(words);
    this.#trouble = words;
  }

  note(line: string): void {
    this.#screen.write(`${line}\n`);
  }

  end(progress: Progress): void {
    this.update(progress);
    const drawing = { width: Number.POSITIVE_INFINITY, paint: unpainted, now: this.#clock() };
    this.#screen.write(`${drawSummary(progress, drawing).join('\n')}\n`);
  }

  close(): void {}

  #say(line: string): void {
    const since = duration(elapsedOf({ startedAt: this.#startedAt, endedAt: undefined }, this.#clock()) ?? 0);
    this.#screen.write(`[${since.padStart(11)}] ${line}\n`);
  }
}

/** A phase's line, without what changes though nothing happens. */
function plainStatus(phase: Phase, now: Date): string {
  switch (phase.status) {
    case 'running':
      return 'running';
    case 'waiting':
      return `waiting, ${oneLine(phase.problem?.cause || phase.problem?.error || '')}`;
    case 'asking': {
      const until = phase.question?.expiresAt;
      return `waits for a person${until ? ` until ${until.toISOString()}` : ''}: npx lifecycle approve, or refuse`;
    }
    default: {
      const text = phaseText(phase, now);
      return `${phase.status} in ${duration(elapsedOf(phase, now) ?? 0)}${text ? `, ${text}` : ''}`;
    }
  }
}
