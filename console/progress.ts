import type { DescribeExecutionOutput, HistoryEvent } from '@aws-sdk/client-sfn';
import { type Definition, readPhasePlan } from './phase-plan.ts';

/**
 * - `pending`: not begun, may still begin
 * - `waiting`: an attempt ended with an error that is tried again; the next attempt comes by itself
 * - `skipped`: will not begin any more in this execution
 */
export type PhaseStatus = 'pending' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'aborted' | 'skipped';

export interface Problem {
  /** The error's name, as in `ErrorEquals`. */
  readonly error: string;
  readonly cause: string;
}

/** One state of the state machine, as the operator sees it. */
export interface Phase {
  /** The state's name. */
  readonly title: string;
  readonly comment: string | undefined;
  readonly status: PhaseStatus;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly attempts: number;
  /** How the last failed attempt ended; kept while the next one runs, gone when one succeeded. */
  readonly problem: Problem | undefined;
  /** What the phase's function returned. */
  readonly evidence: unknown;
}

export interface Progress {
  readonly stateMachine: string;
  readonly execution: string;
  readonly executionArn: string;
  readonly status: 'running' | 'succeeded' | 'failed' | 'aborted' | 'timed out';
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** In the order in which they come. */
  readonly phases: readonly Phase[];
  /** What comes after a failure, apart from the phases. */
  readonly wayBack: readonly Phase[];
  /** Why the execution ended without success: its phase, where one is to blame, and the cause. */
  readonly failure: (Problem & { readonly phase: string | undefined }) | undefined;
  /** What to type next after an execution that did not succeed. */
  readonly nextCommand: string | undefined;
}

/** What is collected about a phase while the history is read. */
interface Visit {
  startedAt: Date | undefined;
  endedAt: Date | undefined;
  status: PhaseStatus;
  attempts: number;
  problem: Problem | undefined;
  evidence: unknown;
}

/**
 * Makes the model of a rollout from what the Step Functions API tells, and from nothing else.
 *
 * @param definition Amazon States Language text, from DescribeStateMachineForExecution
 * @param events the whole history, oldest first
 * @param endpointUrl of a rehearsal, to be part of the next command
 * @throws SyntaxError when the definition is no JSON
 */
export function readProgress(
  definition: string,
  execution: DescribeExecutionOutput,
  events: readonly HistoryEvent[],
  endpointUrl?: string,
): Progress {
  const plan = readPhasePlan(JSON.parse(definition) as Definition);
  const status = statusOf(execution);
  const visits = readVisits(events, plan.isRetried);
  const goingBack = plan.wayBack.some(({ title }) => visits.has(title));
  const phaseOf = (isWayBack: boolean) => (state: { title: string; comment: string | undefined }) => {
    const visit = visits.get(state.title);
    if (visit) {
      const endedAt = visit.endedAt ?? execution.stopDate;
      return { ...state, ...visit, endedAt, status: endedStatus(visit, status) };
    }
    const skipped = status !== 'running' || (goingBack && !isWayBack);
    return { ...state, ...notVisited, status: skipped ? ('skipped' as const) : ('pending' as const) };
  };
  const phases = plan.phases.map(phaseOf(false));
  const wayBack = plan.wayBack.map(phaseOf(true));
  const failure = failureOf(execution, status, [...phases, ...wayBack]);
  // An input that was refused is not given again: the function's own words say what is allowed.
  const again = failure?.error === 'InputInvalid' ? { ...execution, input: '{}' } : execution;
  return {
    stateMachine: lastPart(execution.stateMachineArn),
    execution: execution.name ?? lastPart(execution.executionArn),
    executionArn: execution.executionArn ?? '',
    status,
    startedAt: execution.startDate,
    endedAt: execution.stopDate,
    phases,
    wayBack,
    failure,
    nextCommand: status === 'running' || status === 'succeeded' ? undefined : startAgain(again, endpointUrl),
  };
}

const notVisited = {
  startedAt: undefined,
  endedAt: undefined,
  attempts: 0,
  problem: undefined,
  evidence: undefined,
};

function readVisits(
  events: readonly HistoryEvent[],
  isRetried: (state: string, error: string) => boolean,
): Map<string, Visit> {
  const visits = new Map<string, Visit>();
  const stateOfEvent = new Map<number, string>();
  let lastEntered = '';
  for (const event of events) {
    const type = event.type ?? '';
    const entered = type.endsWith('StateEntered') ? event.stateEnteredEventDetails?.name : undefined;
    if (entered !== undefined) {
      lastEntered = entered;
      visits.set(entered, { ...notVisited, startedAt: event.timestamp, status: 'running' });
    }
    // Parallel branches interleave in the history: an event belongs to the state of the event before it in its chain.
    // An event after a redrive has no such chain.
    const title = entered ?? stateOfEvent.get(event.previousEventId ?? 0) ?? lastEntered;
    if (event.id !== undefined) stateOfEvent.set(event.id, title);
    const visit = visits.get(title);
    if (visit) readEvent(visit, event, (error) => isRetried(title, error));
  }
  return visits;
}

function readEvent(visit: Visit, event: HistoryEvent, isRetried: (error: string) => boolean): void {
  const type = event.type ?? '';
  if (type === 'LambdaFunctionScheduled' || type === 'TaskScheduled') {
    visit.attempts += 1;
    visit.status = 'running';
    visit.endedAt = undefined;
  } else if (type === 'LambdaFunctionSucceeded' || type === 'TaskSucceeded') {
    const output = event.lambdaFunctionSucceededEventDetails?.output ?? event.taskSucceededEventDetails?.output;
    // Not yet a success of the phase: what the state makes of the output can still fail.
    visit.evidence = evidenceOf(output);
    visit.problem = undefined;
  } else if (/^(LambdaFunction|Task)\w*(Failed|TimedOut)$/.test(type)) {
    visit.problem = problemOf(event);
    visit.status = isRetried(visit.problem.error) ? 'waiting' : 'failed';
    visit.endedAt = visit.status === 'failed' ? event.timestamp : undefined;
  } else if (type.endsWith('StateExited')) {
    visit.endedAt = event.timestamp;
    // A retried error that nothing tries any more went to the state's catcher.
    visit.status = visit.status === 'waiting' || visit.status === 'failed' ? 'failed' : 'succeeded';
  }
}

function problemOf(event: HistoryEvent): Problem {
  const details =
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.lambdaFunctionScheduleFailedEventDetails ??
    event.lambdaFunctionStartFailedEventDetails ??
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.taskStartFailedEventDetails ??
    event.taskSubmitFailedEventDetails;
  const timedOut = event.type?.endsWith('TimedOut');
  return {
    error: details?.error ?? (timedOut ? 'States.Timeout' : 'States.TaskFailed'),
    cause: causeWords(details?.cause),
  };
}

/** The message of a function's error, which Lambda wraps in JSON; any other cause as it is. */
export function causeWords(cause: string | undefined): string {
  const parsed = parsedOr(cause ?? '', undefined) as { errorMessage?: unknown } | undefined;
  return typeof parsed?.errorMessage === 'string' ? parsed.errorMessage : (cause ?? '');
}

function evidenceOf(output: string | undefined): unknown {
  const parsed = parsedOr(output ?? '', output) as { Payload?: unknown; ExecutedVersion?: unknown } | undefined;
  return parsed?.ExecutedVersion !== undefined && parsed.Payload !== undefined ? parsed.Payload : parsed;
}

function parsedOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

function statusOf({ status }: DescribeExecutionOutput): Progress['status'] {
  switch (status) {
    case 'SUCCEEDED':
      return 'succeeded';
    case 'FAILED':
      return 'failed';
    case 'ABORTED':
      return 'aborted';
    case 'TIMED_OUT':
      return 'timed out';
    default:
      // RUNNING and PENDING_REDRIVE: goes on by itself.
      return 'running';
  }
}

/** A phase that an execution's end left open did not succeed. */
function endedStatus(visit: Visit, execution: Progress['status']): PhaseStatus {
  const isOpen = visit.endedAt === undefined && visit.status !== 'failed';
  if (execution === 'running' || execution === 'succeeded' || !isOpen) return visit.status;
  return execution === 'failed' ? 'failed' : 'aborted';
}

function failureOf(
  execution: DescribeExecutionOutput,
  status: Progress['status'],
  phases: readonly Phase[],
): Progress['failure'] {
  if (status === 'running' || status === 'succeeded') return undefined;
  const phase = phases.find((candidate) => candidate.status === 'failed' || candidate.status === 'aborted');
  const problem = phase?.status === 'failed' ? phase.problem : undefined;
  return {
    phase: phase?.title,
    error: problem?.error ?? execution.error ?? defaultError[status],
    cause: problem?.cause || causeWords(execution.cause) || defaultCause[status],
  };
}

const defaultError = { failed: 'States.TaskFailed', aborted: 'Aborted', 'timed out': 'States.Timeout' };
const defaultCause = {
  failed: 'Step Functions gives no cause.',
  aborted: 'The execution was stopped by hand.',
  'timed out': 'The execution took longer than its state machine allows.',
};

function startAgain({ stateMachineArn, input }: DescribeExecutionOutput, endpointUrl: string | undefined): string {
  const words = ['aws stepfunctions start-execution'];
  if (endpointUrl !== undefined) words.push(`--endpoint-url ${endpointUrl}`);
  words.push(`--region ${stateMachineArn?.split(':')[3]}`, `--state-machine-arn ${stateMachineArn}`);
  if (input !== undefined && input !== '{}') words.push(`--input '${input.replaceAll("'", "'\\''")}'`);
  return words.join(' ');
}

function lastPart(arn: string | undefined): string {
  return arn?.split(':').at(-1) ?? '';
}
