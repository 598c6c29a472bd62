import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A command line that cannot be obeyed. The message says which word, and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Option {
  readonly type: 'string' | 'boolean';
  /** What stands for its value in the help, for example `FILE`. */
  readonly value?: string;
  /** All that its value may be. */
  readonly values?: readonly string[];
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** Is said by what ends it: `--no-wait`. */
  readonly negative?: boolean;
  /** One sentence, without a full stop. */
  readonly doc: string;
}

export type Options = Readonly<Record<string, Option>>;

export interface Arguments {
  readonly words: readonly string[];
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  /** Undefined where neither `--option` nor `--no-option` was given. */
  flag(option: string): boolean | undefined;
}

/** `--wait`, or `--no-wait` where that is what is said. */
export function spelling(name: string, { negative = false }: Option): string {
  return `--${negative ? 'no-' : ''}${name}`;
}

/** @throws UsageError */
export function parseCommandLine(words: readonly string[], options: Options): Arguments {
  const { values, positionals } = parse(words, options);
  for (const [name, option] of Object.entries(options)) {
    for (const given of [values[name] ?? []].flat()) {
      if (option.values && typeof given === 'string' && !option.values.includes(given)) {
        throw new UsageError(`--${name} takes ${option.values.join(' or ')}, not “${given}”.`);
      }
    }
  }
  return {
    words: positionals,
    text: (option) => [values[option] ?? []].flat().map(String).at(-1),
    texts: (option) => [values[option] ?? []].flat().map(String),
    flag: (option) => (typeof values[option] === 'boolean' ? values[option] : undefined),
  };
}

function parse(words: readonly string[], options: Options) {
  const config: ParseArgsConfig['options'] = Object.fromEntries(
    Object.entries(options).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  try {
    return parseArgs({ args: [...words], options: config, allowPositionals: true, allowNegative: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(unknownWords(message, Object.keys(options)) ?? message);
  }
}

/** Node's own words for an unknown option go on about `--`; ours name what is near. */
function unknownWords(message: string, known: readonly string[]): string | undefined {
  const [, name] = /^Unknown option '--?([^']+)'/.exec(message) ?? [];
  if (name === undefined) return undefined;
  const near = nearest(name, known);
  return `There is no option --${name}.${near ? ` Did you mean --${near}?` : ''}`;
}

/** The word that differs least, if it differs little. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: distanceOf(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= (best.candidate.length < 4 ? 1 : 2) ? best.candidate : undefined;
}

/** Levenshtein's. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
