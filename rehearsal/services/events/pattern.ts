/** An event of EventBridge, or a part of one. */
export type EventValue =
  | null
  | string
  | number
  | boolean
  | readonly EventValue[]
  | { readonly [key: string]: EventValue };

/**
 * What an event has to be like: for each key what it is like in turn, or a list of values of which it has one.
 * EventBridge's other comparisons (`prefix`, `anything-but` …) are not here.
 */
export interface EventPattern {
  readonly [key: string]: EventPattern | readonly (null | string | number | boolean)[];
}

/** @throws Error that names the place of a comparison that is not rehearsed */
export function requireKnownPattern(pattern: unknown, path = ''): asserts pattern is EventPattern {
  if (typeof pattern !== 'object' || pattern === null || Array.isArray(pattern)) {
    throw new Error(`EventPattern${path}: an object with a list for each value is needed.`);
  }
  for (const [key, wanted] of Object.entries(pattern)) {
    if (key.startsWith('$')) throw new Error(`EventPattern${path}: the rehearsal does not know ${key}.`);
    if (!Array.isArray(wanted)) requireKnownPattern(wanted, `${path}.${key}`);
    else if (wanted.some((value) => typeof value === 'object' && value !== null)) {
      throw new Error(`EventPattern${path}.${key}: the rehearsal compares with plain values only.`);
    }
  }
}

export function matches(pattern: EventPattern, event: EventValue): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    const value = isObject(event) ? event[key] : undefined;
    if (!Array.isArray(wanted)) return value !== undefined && matches(wanted as EventPattern, value);
    // A list in the event matches with any of its members.
    const values = Array.isArray(value) ? value : [value];
    return values.some((each) => wanted.includes(each as string));
  });
}

function isObject(value: EventValue): value is { readonly [key: string]: EventValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
