import type { EventValue } from './pattern.ts';

export interface InputTransformer {
  readonly InputPathsMap?: Readonly<Record<string, string>>;
  readonly InputTemplate: string;
}

/**
 * Text made of an event: each line of the template is a JSON string, with `<name>` for the values of the paths (EventBridge's
 * guide, "Input transformation"). Templates that are JSON objects are not rehearsed.
 *
 * @throws Error when a line is no JSON string, or names no path
 */
export function requireKnownTransformer({ InputTemplate, InputPathsMap = {} }: InputTransformer): void {
  for (const line of InputTemplate.split('\n')) {
    for (const [, name = ''] of readLine(line).matchAll(placeholder)) {
      if (!Object.hasOwn(InputPathsMap, name)) throw new Error(`InputTemplate: there is no path for <${name}>.`);
    }
  }
  for (const path of Object.values(InputPathsMap)) {
    if (!/^\$(\.[\w-]+)+$/.test(path)) throw new Error(`InputPathsMap: the rehearsal does not know the path ${path}.`);
  }
}

const placeholder = /<([\w.-]+)>/g;

export function transform({ InputTemplate, InputPathsMap = {} }: InputTransformer, event: EventValue): string {
  return InputTemplate.split('\n')
    .map((line) =>
      // As it is: EventBridge escapes nothing in it, so that a line is no JSON string any more with a quotation mark.
      readLine(line.replaceAll(placeholder, (_, name: string) => valueAt(event, InputPathsMap[name] ?? ''))),
    )
    .join('\n');
}

function valueAt(event: EventValue, path: string): string {
  const value = path
    .split('.')
    .slice(1)
    .reduce<EventValue | undefined>((at, key) => (at as Record<string, EventValue> | undefined)?.[key], event);
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function readLine(line: string): string {
  try {
    const text: unknown = JSON.parse(line);
    if (typeof text === 'string') return text;
  } catch {
    // The same words for both.
  }
  throw new Error(`InputTemplate: the rehearsal takes lines that are each a JSON string, not ${line}`);
}
