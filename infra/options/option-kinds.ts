/** One option of the app: what it may be, what it is by default, and what it is for. */
export interface Option<Value> {
  /** One sentence for the operator. */
  readonly doc: string;
  /** The allowed values in plain words, as a refusal names them. */
  readonly allowed: string;
  /** Default for `-c config=dev`; `undefined`: the option may be left out. */
  readonly dev: Value;
  /** Default for `-c config=prod`. */
  readonly prod: Value;
  /** The whole range where it is a list of words or numbers, else its ends; none for a free text. As they are given. */
  readonly extremes: readonly string[];
  /** The value that a text stands for; `undefined` when the text is not allowed. */
  parse(text: string): Value | undefined;
}

interface Described<Value> {
  readonly doc: string;
  readonly dev: Value;
  readonly prod: Value;
}

export function oneOf<const Word extends string>(
  words: readonly Word[],
  described: Described<NoInfer<Word>>,
): Option<Word> {
  return {
    ...described,
    allowed: words.join(' | '),
    extremes: words,
    parse: (text) => words.find((word) => word === text),
  };
}

/** CDK context arrives as text: only these two words are taken, so that "false" or "no" is never a truthy string. */
export function yesNo(described: Described<boolean>): Option<boolean> {
  const values = new Map([
    ['true', true],
    ['false', false],
  ]);
  return { ...described, allowed: 'true | false', extremes: [...values.keys()], parse: (text) => values.get(text) };
}

export function wholeNumber(minimum: number, maximum: number, described: Described<number>): Option<number> {
  return {
    ...described,
    allowed: `a whole number from ${minimum} to ${maximum}`,
    extremes: [String(minimum), String(maximum)],
    parse: (text) => (/^\d{1,9}$/.test(text) ? within(minimum, maximum, Number(text)) : undefined),
  };
}

/** A whole number of a range, or 0 for what is not wanted at all. */
export function zeroOr(minimum: number, maximum: number, described: Described<number>): Option<number> {
  return {
    ...described,
    allowed: `0, or a whole number from ${minimum} to ${maximum}`,
    extremes: ['0', String(minimum), String(maximum)],
    parse: (text) => (/^\d{1,9}$/.test(text) ? (text === '0' ? 0 : within(minimum, maximum, Number(text))) : undefined),
  };
}

export function oneOfNumbers(numbers: readonly number[], described: Described<number>): Option<number> {
  return {
    ...described,
    allowed: numbers.join(' | '),
    extremes: numbers.map(String),
    parse: (text) => numbers.find((number) => String(number) === text),
  };
}

/** A multiple of one half, as Aurora counts capacity. */
export function halves(minimum: number, maximum: number, described: Described<number>): Option<number> {
  return {
    ...described,
    allowed: `a multiple of 0.5 from ${minimum} to ${maximum}`,
    extremes: [String(minimum), String(maximum)],
    parse: (text) => (/^\d{1,3}(\.[05])?$/.test(text) ? within(minimum, maximum, Number(text)) : undefined),
  };
}

export function text(pattern: RegExp, allowed: string, described: Described<string>): Option<string> {
  return {
    ...described,
    allowed,
    extremes: [],
    parse: (candidate) => (pattern.test(candidate) ? candidate : undefined),
  };
}

/** The name of a time zone, as the runtime's own time zone data has it. */
export function timeZone(described: Described<string>): Option<string> {
  return {
    ...described,
    allowed: 'an IANA time zone, for example Europe/Berlin',
    extremes: [],
    parse: (candidate) => (isTimeZone(candidate) ? candidate : undefined),
  };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Z]/.test(name);
  } catch {
    return false;
  }
}

/** A text that may be left out; it has no default. */
export function optionalText(pattern: RegExp, allowed: string, doc: string): Option<string | undefined> {
  return {
    doc,
    allowed,
    dev: undefined,
    prod: undefined,
    extremes: [],
    parse: (candidate) => (pattern.test(candidate) ? candidate : undefined),
  };
}

/** Comma-separated texts that may be left out; it has no default. */
export function optionalList(pattern: RegExp, allowed: string, doc: string): Option<readonly string[] | undefined> {
  return {
    doc,
    allowed,
    dev: undefined,
    prod: undefined,
    extremes: [],
    parse: (candidate) => {
      const items = candidate.split(',');
      const distinct = new Set(items).size === items.length;
      return distinct && items.every((item) => pattern.test(item)) ? items : undefined;
    },
  };
}

function within(minimum: number, maximum: number, number: number): number | undefined {
  return number >= minimum && number <= maximum ? number : undefined;
}
