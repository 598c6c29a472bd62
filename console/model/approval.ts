import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { State } from './definition.ts';
import { parsedOr } from './evidence.ts';

/** A task that waits until somebody sends its token back. */
export function waitsForToken(resource: string | undefined): boolean {
  return resource?.endsWith('.waitForTaskToken') ?? false;
}

/**
 * The token of a scheduled task, read where the state's own definition puts it. With it anybody may decide for the
 * person that is asked, so it is shown nowhere.
 */
export function tokenOf(state: State | undefined, event: HistoryEvent): string | undefined {
  const { parameters } = event.taskScheduledEventDetails ?? {};
  const path = tokenPath(state?.Parameters ?? state?.Arguments);
  if (path === undefined || parameters === undefined) return undefined;
  let value: unknown = parsedOr(parameters, undefined);
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** Names that lead to the member that is given the token; JSONPath marks them with `.$`, JSONata has an expression. */
function tokenPath(template: unknown): string[] | undefined {
  if (typeof template !== 'object' || template === null) return undefined;
  for (const [name, value] of Object.entries(template)) {
    if (name.endsWith('.$') && value === '$$.Task.Token') return [name.slice(0, -2)];
    if (typeof value === 'string' && /^\{%\s*\$states\.context\.Task\.Token\s*%\}$/.test(value)) return [name];
    const below = tokenPath(value);
    if (below) return [name, ...below];
  }
  return undefined;
}

/** What the person is shown: the plan among the task's parameters, else all of them but the token. */
export function askedOf(event: HistoryEvent, token: string | undefined): unknown {
  const parsed = parsedOr(event.taskScheduledEventDetails?.parameters ?? '', undefined) as
    | { readonly Payload?: unknown; readonly Input?: unknown }
    | undefined;
  const payload = parsed?.Payload ?? parsed?.Input ?? parsed;
  const plan = (payload as { readonly plan?: unknown } | null | undefined)?.plan;
  return without(plan ?? payload, token === undefined ? [] : [token]);
}

/** A copy of JSON in which these texts stand nowhere; members that are nothing else are left out. */
export function without(value: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0) return value;
  if (typeof value === 'string') {
    return secrets.reduce((text, secret) => text.replaceAll(secret, '(token)'), value);
  }
  if (Array.isArray(value)) return value.map((item) => without(item, secrets));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => typeof item !== 'string' || !secrets.includes(item))
      .map(([name, item]) => [name, without(item, secrets)]),
  );
}
