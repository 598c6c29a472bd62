import { executionLink } from './console-link.ts';
import { approvalNames, refusalNames, waitNames } from './errors.ts';
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

/** The state machine's state when a phase failed: outputs of the phases that were done (null: not), and the failure. */
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

/** In the place of steps, where this call had none to take. */
export interface NoSteps {
  /** Why, in a whole sentence. */
  readonly words: string;
  readonly outcome: Exclude<FailureReport['outcome'], 'refused'>;
}

export interface FailureReport {
  readonly error: string;
  /** Which phase failed, why, what was put back, what was not, what to do next, where to look. */
  readonly cause: string;
  readonly subject: string;
  /** `refused`: it was not to begin, or not to go on. Then, as after `nothing changed`, there was nothing to put back. */
  readonly outcome: 'refused' | 'nothing changed' | 'put back' | 'not all put back';
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
 * @param back what the way back did
 */
export function failureReport(
  { title, phases }: Kind,
  failed: FailedExecution,
  state: FailedRollout,
  back: readonly Step[] | NoSteps,
): FailureReport {
  const caught = state.failure ?? (state as CaughtError);
  const phase = phases.find(([output]) => state[output] == null)?.[1] ?? phases.at(-1)?.[1] ?? title;
  const error = caught.Error ?? 'UnexpectedError';
  const unapproved = approvalNames.some((name) => name === error);
  const what = unapproved ? 'Not approved' : `“${phase}” failed (${error})`;
  const how = unapproved ? 'not approved' : `failed in "${phase}"`;
  return {
    error,
    cause: [`${what}: ${why(error, caught.Cause)}`, ...waysBack(back), ...next(failed, unapproved)].join('\n'),
    subject: `Moodle site ${failed.site}: ${title} ${how}`.slice(0, 100),
    outcome: outcomeOf(error, back),
    phasesPutBack: phasesPutBack(back),
  };
}

function outcomeOf(error: string, back: readonly Step[] | NoSteps): FailureReport['outcome'] {
  const outcome =
    'outcome' in back ? back.outcome : back.some((step) => step.problem) ? 'not all put back' : 'put back';
  const isRefusal = [...refusalNames, 'ApprovalRefused'].includes(error);
  return isRefusal && outcome !== 'not all put back' ? 'refused' : outcome;
}

/** A phase of which one step could not be undone stands, in part. */
function phasesPutBack(back: readonly Step[] | NoSteps): string[] {
  if ('outcome' in back) return [];
  const open = back.filter((step) => step.problem).flatMap((step) => step.of ?? []);
  const done = back.flatMap((step) => step.of ?? []);
  return [...new Set(done)].filter((title) => !open.includes(title));
}

function waysBack(back: readonly Step[] | NoSteps): string[] {
  if ('outcome' in back) return [back.words];
  const done = back.filter((step) => !step.problem && !step.idle).map((step) => step.what);
  const open = back.filter((step) => step.problem).map((step) => `${step.what} (${step.problem})`);
  return [
    done.length > 0 ? `Put back: ${done.join('; ')}.` : 'Nothing had to be put back: all is as before.',
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
function next({ execution, input = {} }: FailedExecution, unapproved: boolean): string[] {
  const machine = execution.replace(/:execution:([^:]+):.*$/, ':stateMachine:$1');
  const region = execution.split(':')[3];
  return [
    `Next: ${unapproved ? 'to ask again' : 'once mended'}, npx lifecycle retry ${execution}`,
    `Or: aws stepfunctions start-execution --region ${region} --state-machine-arn ${machine} --input ${quoted(JSON.stringify(input))}`,
    `Execution: ${executionLink(execution)}`,
  ];
}

/** As one word of a POSIX shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
