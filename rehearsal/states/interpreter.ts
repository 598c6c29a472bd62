import { randomUUID } from 'node:crypto';
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { attemptsAt } from '../../console/model/retry-schedule.ts';
import { type Definition, type Retrier, type State, waitsForToken } from './definition.ts';

/** Largest delay of a timer, 2^31 - 1 ms, in seconds: what AWS's “no time-out” (99,999,999 s) becomes. */
const LONGEST_TIMER = 2_147_483;

const mark = randomUUID();

/** Stand in the interpreter's context for what is another thing at each state or attempt; the task puts it there. */
export const places = {
  token: `token-${mark}`,
  enteredTime: `entered-${mark}`,
  stateName: `state-${mark}`,
  retryCount: `retries-${mark}`,
} as const;

/**
 * The definition as the interpreter has to be given it to do what Step Functions does:
 * - AWS's waits and the pauses between retries pass `pace` times faster (backoff, limit and jitter stay as they are); where
 *   this computer's work is waited for, there are as many more attempts: patience does not shrink;
 * - a task has no time limit unless it states one (the interpreter's default is a minute);
 * - a ResultPath of `$` is left out, which means the same (the interpreter would write a member named `$`);
 * - what the context object has of the execution's begin is read from another place, as the interpreter takes each run
 *   for a begin, also one that goes on with an execution;
 * - a task that waits for a token sees to its time limits itself.
 *
 * Time limits of tasks and of the whole execution stay: the work itself is no faster here.
 */
export function forInterpreter(
  definition: Definition,
  pace: number,
  startAt: string = definition.StartAt,
): StateMachineDefinition {
  const prepared = {
    ...definition,
    StartAt: startAt,
    ...(definition.TimeoutSeconds === undefined ? {} : { TimeoutSeconds: limit(definition.TimeoutSeconds) }),
    States: Object.fromEntries(
      Object.entries(definition.States).map(([name, state]) => [name, prepareState(state, pace)]),
    ),
  };
  return prepared as unknown as StateMachineDefinition;
}

/** The context object that a definition made by `forInterpreter` reads. */
export function contextFor(
  machine: { readonly stateMachineArn: string; readonly name: string; readonly roleArn: string },
  execution: { readonly executionArn: string; readonly name: string; readonly input: unknown; readonly start: Date },
): object {
  return {
    Execution: { Id: execution.executionArn, Name: execution.name, RoleArn: machine.roleArn },
    Begin: { Input: execution.input, StartTime: execution.start.toISOString() },
    StateMachine: { Id: machine.stateMachineArn, Name: machine.name },
    State: { EnteredTime: places.enteredTime, Name: places.stateName, RetryCount: places.retryCount },
    Task: { Token: places.token },
  };
}

function prepareState(given: State, pace: number): State {
  const {
    TimeoutSecondsPath: _,
    HeartbeatSeconds: __,
    HeartbeatSecondsPath: ___,
    ...state
  } = fromBegin(given) as State;
  const seconds = waitsForToken(state) ? LONGEST_TIMER : (state.TimeoutSeconds ?? LONGEST_TIMER);
  return {
    ...withoutRoot(state),
    ...(state.Type === 'Task' ? { TimeoutSeconds: limit(seconds) } : {}),
    ...(state.Seconds === undefined ? {} : { Seconds: state.Seconds / pace }),
    ...(state.Retry ? { Retry: state.Retry.map((retrier) => prepareRetrier(retrier, pace)) } : {}),
    ...(state.Catch ? { Catch: state.Catch.map(withoutRoot) } : {}),
  };
}

function fromBegin(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\$\$\.Execution\.(?=(Input|StartTime)\b)/g, '$$$$.Begin.');
  if (Array.isArray(value)) return value.map(fromBegin);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fromBegin(member)]));
}

function prepareRetrier(retrier: Retrier, pace: number): Retrier {
  return {
    ...retrier,
    MaxAttempts: attemptsAt(pace, retrier),
    IntervalSeconds: (retrier.IntervalSeconds ?? 1) / pace,
    ...(retrier.MaxDelaySeconds === undefined ? {} : { MaxDelaySeconds: retrier.MaxDelaySeconds / pace }),
  };
}

function withoutRoot<Value extends { readonly ResultPath?: string | null }>(value: Value): Value {
  if (value.ResultPath !== '$') return value;
  const { ResultPath: _, ...rest } = value;
  return rest as Value;
}

function limit(seconds: number): number {
  return Math.min(seconds, LONGEST_TIMER);
}
