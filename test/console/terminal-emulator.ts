import type { Screen } from '../../console/terminal.ts';

const ESCAPE = '\u001b';
export const ERASE_LINE = `${ESCAPE}[2K`;
/** A control sequence, a line break, or text. */
export const PART = new RegExp(`${ESCAPE}\\[[?\\d;]*[A-Za-z]|\n|[^${ESCAPE}\n]+`, 'g');
export const SEQUENCE = new RegExp(`^${ESCAPE}\\[([?\\d;]*)([A-Za-z])$`);

/** A terminal that understands what the view sends, and nothing else. */
export class Terminal implements Screen {
  readonly isTTY = true;
  readonly rows: number;
  columns: number;
  lines: string[] = [''];
  cursorHidden = false;
  wraps = true;
  draws = false;
  raw = '';
  #row = 0;

  constructor(columns = 100, rows = 60) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    this.raw += text;
    for (const [part] of text.matchAll(PART)) this.#take(part);
  }

  #take(part: string): void {
    const code = SEQUENCE.exec(part);
    if (part === '\n') {
      this.#row += 1;
      this.lines[this.#row] ??= '';
    } else if (!code) this.lines[this.#row] += part;
    else if (code[2] === 'A') this.#up(Number(code[1]));
    else if (code[2] === 'K') this.lines[this.#row] = '';
    else if (code[2] === 'J') this.lines.splice(this.#row, Number.POSITIVE_INFINITY, '');
    else if (code[1] === '?25') this.cursorHidden = code[2] === 'l';
    else if (code[1] === '?7') this.wraps = code[2] === 'h';
    else if (code[1] === '?2026') this.draws = code[2] === 'h';
    else if (code[2] !== 'm') throw new Error(`the terminal does not know ${JSON.stringify(part)}`);
  }

  /** A line that was written when the window was wider takes several rows of it now. */
  #up(rows: number): void {
    for (
      let left = rows;
      left > 0;
      left -= Math.max(1, Math.ceil((this.lines[this.#row] ?? '').length / this.columns))
    ) {
      this.#row -= 1;
    }
  }

  get text(): string {
    return this.lines.join('\n').trimEnd();
  }
}
