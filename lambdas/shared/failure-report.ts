import { executionLink } from './console-link.ts';
import { givenNames, refusalNames, waitNames } from './errors.ts';
import type { Rollout } from './hold.ts';

/** What a `Catch` gives. */
export interface CaughtError {
  readonly Error?: string;
  readonly Cause?: string;
}

/** A rollout that failed, with what it was started with. */
export interface FailedExecution extends Rollout {
  readonly input?: unknown;
}

/** The state machine's state when a phase failed: outputs of the phases that were done, and the failure. */
export interface FailedRollout {
  readonly failure?: CaughtError;
  readonly [output: string]: unknown;
}

/** One step of a way back. */
export interface Step {
  readonly what: string;
  /** Undefined when it worked. */
  readonly problem?: string;
  /** Titles of the phases whose work that was. */
  readonly of?: readonly string[];
  /** It was so already, for example since an earlier call. */
  readonly idle?: boolean;
}

export interface FailureReport {
  readonly error: string;
  /** Which phase failed, why, what was put back, what was not, what to do next, where to look. */
  readonly cause: string;
  readonly subject: string;
  /** `refused`: nothing was touched. */
  readonly outcome: 'refused' | 'put back' | 'not all put back';
  /** Titles of the phases whose work was undone, for the views. */
  readonly phasesPutBack: readonly string[];
}

export interface Kind {
  /** As in “install failed in …”. */
  readonly title: string;
  /** Phases in their order, by the member of the state that each one's output becomes. */
  readonly phases: readonly (readonly [output: string, title: string])[];
}

/**
 * Says what happened, for the execution's own cause and for the operator's notification.
 *
 * @param back steps of the way back; or a sentence that says why there were none
 */
export function failureReport(
  { title, phases }: Kind,
  failed: FailedExecution,
  state: FailedRollout,
  back: readonly Step[] | string,
): FailureReport {
  const caught = state.failure ?? (state as CaughtError);
  const phase = phases.find(([output]) => !(output in state))?.[1] ?? phases.at(-1)?.[1] ?? title;
  const error = caught.Error ?? 'UnexpectedError';
  const what = `“${phase}” failed (${error}): ${why(error, caught.Cause)}`;
  const refused = [...refusalNames, ...givenNames].some((name) => name === error);
  const open = typeof back !== 'string' && back.some((step) => step.problem);
  return {
    error,
    cause: [what, ...waysBack(back), ...next(failed)].join('\n'),
    subject: `Moodle site ${failed.site}: ${title} failed in "${phase}"`.slice(0, 100),
    outcome: open ? 'not all put back' : refused ? 'refused' : 'put back',
    phasesPutBack: phasesPutBack(back),
  };
}

/** A phase of which one step could not be undone stands, in part. */
function phasesPutBack(back: readonly Step[] | string): string[] {
  if (typeof back === 'string') return [];
  const open = back.filter((step) => step.problem).flatMap((step) => step.of ?? []);
  const done = back.flatMap((step) => step.of ?? []);
  return [...new Set(done)].filter((title) => !open.includes(title));
}

function waysBack(back: readonly Step[] | string): string[] {
  if (typeof back === 'string') return [back];
  const done = back.filter((step) => !step.problem && !step.idle).map((step) => step.what);
  const open = back.filter((step) => step.problem).map((step) => `${step.what} (${step.problem})`);
  return [
    done.length > 0 ? `Put back: ${done.join('; ')}.` : 'Nothing had to be put back.',
    ...(open.length > 0 ? [`NOT put back: ${open.join('; ')}.`] : []),
    'The site is released.',
  ];
}

/** A function's error is JSON with its message; Step Functions' own is plain text. */
function why(error: string, cause = ''): string {
  const message = messageOf(cause) || 'no cause was given.';
  const waited = waitNames.find((name) => name === error);
  return waited ? `it was waited for as long as is sensible. Last: ${message}` : message;
}

function messageOf(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    const message = (parsed as { errorMessage?: unknown } | null)?.errorMessage;
    return typeof message === 'string' ? message : cause;
  } catch {
    return cause;
  }
}

/** `arn:…:execution:<machine>:<name>` names its state machine. */
function next({ execution, input = {} }: FailedExecution): string[] {
  const machine = execution.replace(/:execution:([^:]+):.*$/, ':stateMachine:$1');
  const region = execution.split(':')[3];
  return [
    `Next: once mended, npx lifecycle retry ${execution}`,
    `Or: aws stepfunctions start-execution --region ${region} --state-machine-arn ${machine} --input ${quoted(JSON.stringify(input))}`,
    `Execution: ${executionLink(execution)}`,
  ];
}

/** As one word of a POSIX shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
