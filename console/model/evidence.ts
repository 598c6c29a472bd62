import type { HistoryEvent } from '@aws-sdk/client-sfn';

export interface Problem {
  /** The error's name, as in `ErrorEquals`. */
  readonly error: string;
  readonly cause: string;
}

/** Why an attempt failed, of whatever kind the task was. */
export function problemOf(event: HistoryEvent): Problem {
  const details = detailsOf(event);
  const timedOut = event.type?.endsWith('TimedOut');
  return {
    error: details?.error ?? (timedOut ? 'States.Timeout' : 'States.TaskFailed'),
    cause: causeWords(details?.cause),
  };
}

/** `LambdaFunctionFailed` has its details in `lambdaFunctionFailedEventDetails`; and so with every type. */
function detailsOf(event: HistoryEvent): { readonly error?: string; readonly cause?: string } | undefined {
  const type = event.type ?? '';
  const member = `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
  return (event as unknown as Readonly<Record<string, object | undefined>>)[member];
}

/** The message of a function's error, which Lambda wraps in JSON; any other cause as it is. */
export function causeWords(cause: string | undefined): string {
  const parsed = parsedOr(cause ?? '', undefined) as { errorMessage?: unknown } | undefined | null;
  return typeof parsed?.errorMessage === 'string' ? parsed.errorMessage : (cause ?? '');
}

/** What went wrong, from the report of a way back that ended an execution, which tells more; any other cause as it is. */
export function failureIn(cause: string | undefined): string {
  const words = causeWords(cause);
  return /^(?:“[^”]+” failed \([^)]+\)|Not approved): (.+)/.exec(words)?.[1] ?? words;
}

/** What a task gave, as JSON; of `lambda:invoke` its payload, of AWS's services without what is about HTTP. */
export function evidenceOf(output: string | undefined): unknown {
  const parsed = parsedOr(output ?? '', output);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return parsed;
  if ('ExecutedVersion' in parsed && 'Payload' in parsed) return parsed.Payload;
  return Object.fromEntries(Object.entries(parsed).filter(([name]) => !/^Sdk(Http|Response)Metadata$/.test(name)));
}

export function parsedOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}
