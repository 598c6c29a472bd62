import { listOf, type Statement } from './policy.ts';
import { matchesArn, matchesWildcard } from './wildcard.ts';

type Test = (found: string, wanted: string) => boolean;

const positive: Readonly<Record<string, Test>> = {
  StringEquals: (found, wanted) => found === wanted,
  StringEqualsIgnoreCase: (found, wanted) => found.toLowerCase() === wanted.toLowerCase(),
  StringLike: (found, wanted) => matchesWildcard(wanted, found),
  ArnEquals: (found, wanted) => matchesArn(wanted, found),
  ArnLike: (found, wanted) => matchesArn(wanted, found),
  Bool: (found, wanted) => found.toLowerCase() === wanted.toLowerCase(),
  NumericEquals: (found, wanted) => Number(found) === Number(wanted),
  NumericLessThan: (found, wanted) => Number(found) < Number(wanted),
  NumericLessThanEquals: (found, wanted) => Number(found) <= Number(wanted),
  NumericGreaterThan: (found, wanted) => Number(found) > Number(wanted),
  NumericGreaterThanEquals: (found, wanted) => Number(found) >= Number(wanted),
};

/** Operators that hold when none of the values matches, and when the request does not have the key at all. */
const negative: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
  NumericNotEquals: 'NumericEquals',
};

const ifExists = 'IfExists';

/** Every request's values are single, so that a set operator asks what the plain one does, but for an absent key. */
const sets = /^For(AllValues|AnyValue):/;

export function isKnownOperator(operator: string): boolean {
  const name = plainName(operator);
  return name === 'Null' || Object.hasOwn(positive, name) || Object.hasOwn(negative, name);
}

function plainName(operator: string): string {
  const name = operator.replace(sets, '');
  return name.endsWith(ifExists) ? name.slice(0, -ifExists.length) : name;
}

/**
 * Whether every condition of a statement holds.
 *
 * @param request condition keys of the request; compared without regard to case, as IAM does
 * @throws Error for an operator that is not known
 */
export function conditionsHold(statement: Statement, request: Readonly<Record<string, string>>): boolean {
  const keys = new Map(Object.entries(request).map(([key, value]) => [key.toLowerCase(), value]));
  return Object.entries(statement.Condition ?? {}).every(([operator, conditions]) =>
    Object.entries(conditions).every(([key, wanted]) =>
      holds(operator, keys.get(key.toLowerCase()), listOf(wanted).map(String)),
    ),
  );
}

function holds(operator: string, found: string | undefined, wanted: readonly string[]): boolean {
  const name = plainName(operator);
  if (name === 'Null') return wanted.includes(String(found === undefined));
  if (found === undefined && (operator.endsWith(ifExists) || operator.startsWith('ForAllValues:'))) return true;
  const opposite = negative[name];
  const test = positive[opposite ?? name];
  if (!test) throw new Error(`The rehearsal's IAM does not know the condition operator “${operator}”.`);
  if (found === undefined) return opposite !== undefined && !operator.startsWith('ForAnyValue:');
  const matches = wanted.some((value) => test(found, value));
  return opposite === undefined ? matches : !matches;
}
