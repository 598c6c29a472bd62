import { type Colour, drawProgress, drawSummary, elapsedOf, type Paint, phaseText, unpainted } from './lines.ts';
import type { Phase, Progress } from './progress.ts';
import { duration } from './words.ts';

/** Shows a rollout while it goes on. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Writes a line of other news without disturbing the view. */
  note(line: string): void;
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

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const FRAME_MILLISECONDS = 120;

/**
 * A view that redraws in place on a terminal, and appends plain lines anywhere else.
 *
 * @param environment `NO_COLOR` (any text) turns colours off, `TERM=dumb` redrawing too
 */
export function openProgressView(
  screen: Screen,
  environment: Readonly<Record<string, string | undefined>>,
  clock: () => Date = () => new Date(),
): ProgressView {
  const live = screen.isTTY === true && environment.TERM !== 'dumb';
  return live ? new LiveView(screen, painter(environment), clock) : new PlainView(screen, clock);
}

function painter(environment: Readonly<Record<string, string | undefined>>): Paint {
  if (environment.NO_COLOR) return unpainted;
  return (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}

/** Redraws only the lines that changed, so that nothing flickers. */
class LiveView implements ProgressView {
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #clock: () => Date;
  readonly #timer: NodeJS.Timeout;
  #progress: Progress | undefined;
  #drawn: readonly string[] = [];
  #width = 0;
  #frame = 0;

  constructor(screen: Screen, paint: Paint, clock: () => Date) {
    this.#screen = screen;
    this.#paint = paint;
    this.#clock = clock;
    this.#screen.write('\x1b[?25l');
    process.once('exit', this.#showCursor);
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

  note(line: string): void {
    this.#screen.write(`${this.#erase()}${line}\n`);
    this.#drawn = [];
    this.#draw();
  }

  end(progress: Progress): void {
    this.update(progress);
    this.close();
    const drawing = { width: this.#screen.columns ?? 80, paint: this.#paint, now: this.#clock() };
    this.#screen.write(`\n${drawSummary(progress, drawing).join('\n')}\n`);
  }

  close(): void {
    clearInterval(this.#timer);
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  readonly #showCursor = (): void => {
    this.#screen.write('\x1b[?25h');
  };

  #draw(): void {
    if (!this.#progress) return;
    const width = this.#screen.columns ?? 80;
    const lines = this.#linesThatFit(this.#progress, width);
    let text = '';
    if (width !== this.#width || lines.length < this.#drawn.length) {
      // The terminal has wrapped the old lines anew: what is above the cursor cannot be told line by line.
      text += this.#erase();
      this.#drawn = [];
    }
    this.#width = width;
    if (this.#drawn.length > 0) text += `\x1b[${this.#drawn.length}A`;
    for (const [index, line] of lines.entries()) {
      text += line === this.#drawn[index] ? '\n' : `\x1b[2K${line}\n`;
    }
    const changed = lines.length !== this.#drawn.length || lines.some((line, index) => line !== this.#drawn[index]);
    this.#drawn = lines;
    if (changed) this.#screen.write(text);
  }

  /** With as much evidence as the terminal has rows for; without any the phases themselves must fit. */
  #linesThatFit(progress: Progress, width: number): string[] {
    const rows = this.#screen.rows ?? Number.POSITIVE_INFINITY;
    let lines: string[] = [];
    for (const evidenceLines of [3, 2, 1, 0]) {
      lines = drawProgress(progress, {
        width,
        paint: this.#paint,
        now: this.#clock(),
        frame: this.#frame,
        evidenceLines,
      });
      if (lines.length < rows) return lines;
    }
    return lines.slice(0, Math.max(1, rows - 1));
  }

  #erase(): string {
    return this.#drawn.length > 0 ? `\x1b[${this.#drawn.length}A\x1b[J` : '';
  }
}

/** One line per change, each with the time since the start; for files, pipes and logs. */
class PlainView implements ProgressView {
  readonly #screen: Screen;
  readonly #clock: () => Date;
  readonly #told = new Map<string, string>();

  constructor(screen: Screen, clock: () => Date) {
    this.#screen = screen;
    this.#clock = clock;
  }

  update(progress: Progress): void {
    const now = this.#clock();
    const since = duration(elapsedOf(progress, now) ?? 0).padStart(11);
    for (const phase of [...progress.phases, ...progress.wayBack]) {
      if (phase.startedAt === undefined) continue;
      const line = `${phase.title}: ${plainStatus(phase, now)}`;
      const told = this.#told.get(phase.title);
      // That it runs is news only once; a new attempt is none until it ends.
      if (told === line || (told !== undefined && phase.status === 'running')) continue;
      this.#told.set(phase.title, line);
      this.#screen.write(`[${since}] ${line}\n`);
    }
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
}

function plainStatus(phase: Phase, now: Date): string {
  const text = phaseText(phase);
  switch (phase.status) {
    case 'running':
      return 'running';
    case 'waiting':
      return `waiting, ${text.replace(/^attempt \d+: /, '')}`;
    default: {
      const took = elapsedOf(phase, now) ?? 0;
      return `${phase.status} in ${duration(took)}${text ? `, ${text}` : ''}`;
    }
  }
}
