/** A number that a phase measured, for a chart. */
export interface Figure {
  /** In words, for example `database, per round trip`. */
  readonly name: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'bytes' | '%' | 'count';
  /** Of how many, where the evidence says so: `3 of 4 healthy`. */
  readonly of?: number;
}

/** Members whose number is a name or a moment, not an amount. */
const notAmounts = /(version|since|port|revision|branch)$/i;

const unitByEnding: readonly (readonly [RegExp, Figure['unit'], factor: number])[] = [
  [/Milliseconds$|Ms$/, 'ms', 1],
  [/Seconds$/, 's', 1],
  [/Minutes$/, 's', 60],
  [/Bytes$/, 'bytes', 1],
  [/Percent$/, '%', 1],
];

const unitByWord: Readonly<Record<string, readonly [Figure['unit'], factor: number]>> = {
  ms: ['ms', 1],
  s: ['s', 1],
  min: ['s', 60],
  h: ['s', 3_600],
  '%': ['%', 1],
  bytes: ['bytes', 1],
  kB: ['bytes', 1_000],
  MB: ['bytes', 1_000_000],
  GB: ['bytes', 1_000_000_000],
};

/** Numbers in evidence, those inside of sentences (`PostgreSQL 17.4, 0.4 ms per round trip`) too where they have a unit. */
export function figuresOf(evidence: unknown): Figure[] {
  return collect(evidence, []);
}

function collect(value: unknown, path: readonly string[]): Figure[] {
  if (typeof value === 'number') return Number.isFinite(value) ? fromNumber(value, path) : [];
  if (typeof value === 'string') return fromSentence(value, path);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    collect(item, [...path, Array.isArray(value) ? String(Number(name) + 1) : name]),
  );
}

function fromNumber(value: number, path: readonly string[]): Figure[] {
  const key = path.at(-1) ?? '';
  if (notAmounts.test(key)) return [];
  for (const [ending, unit, factor] of unitByEnding) {
    if (!ending.test(key)) continue;
    return [{ name: words([...path.slice(0, -1), key.replace(ending, '')]), value: value * factor, unit }];
  }
  if (key === 'seconds') return [{ name: words(path.slice(0, -1)) || 'duration', value, unit: 's' }];
  if (key === 'milliseconds') return [{ name: words(path.slice(0, -1)) || 'duration', value, unit: 'ms' }];
  return [{ name: words(path), value, unit: 'count' }];
}

function fromSentence(sentence: string, path: readonly string[]): Figure[] {
  const name = words(path);
  const measured = [
    ...sentence.matchAll(
      /(?<![\w.])(\d+(?:\.\d+)?) ?(ms|s|min|h|%|bytes|kB|MB|GB)(?!\w)((?: (?:per|from|of) [a-z ]+)?)/gi,
    ),
  ].flatMap(([, number, word = '', rest = '']): Figure[] => {
    const [unit, factor] = unitByWord[word] ?? [];
    if (unit === undefined || factor === undefined) return [];
    const named = [name, rest.trim()].filter(Boolean).join(', ');
    return [{ name: named, value: Number(number) * factor, unit }];
  });
  const shares = [...sentence.matchAll(/(?<![\w.])(\d+) of (\d+) ([a-z]+)/gi)].map(
    ([, value, of, what]): Figure => ({
      name: [name, what].filter(Boolean).join(', '),
      value: Number(value),
      unit: 'count',
      of: Number(of),
    }),
  );
  return [...measured, ...shares];
}

/** `database, round trip` of `['database', 'roundTrip']`. */
function words(path: readonly string[]): string {
  return path
    .filter(Boolean)
    .map((name) =>
      /^[a-z][A-Za-z0-9]*$/.test(name) ? name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) : name,
    )
    .join(', ');
}
