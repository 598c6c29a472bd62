import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import type { Definition, Retrier, State } from './definition.ts';

/** Largest delay of a timer, 2^31 - 1 ms, in seconds: what AWS's “no time-out” (99,999,999 s) becomes. */
const LONGEST_TIMER = 2_147_483;

/**
 * The definition as the interpreter has to be given it to do what Step Functions does:
 * - AWS's waits and the pauses between retries pass `pace` times faster (backoff, limit and jitter stay as they are);
 * - a task has no time limit unless it states one (the interpreter's default is a minute);
 * - a ResultPath of `$` is left out, which means the same (the interpreter would write a member named `$`).
 *
 * Time limits of tasks and of the whole execution stay: the work itself is no faster here.
 */
export function forInterpreter(definition: Definition, pace: number): StateMachineDefinition {
  const prepared = {
    ...definition,
    ...(definition.TimeoutSeconds === undefined ? {} : { TimeoutSeconds: limit(definition.TimeoutSeconds) }),
    States: Object.fromEntries(
      Object.entries(definition.States).map(([name, state]) => [name, prepareState(state, pace)]),
    ),
  };
  return prepared as unknown as StateMachineDefinition;
}

function prepareState(state: State, pace: number): State {
  return {
    ...withoutRoot(state),
    ...(state.Type === 'Task' ? { TimeoutSeconds: limit(state.TimeoutSeconds ?? LONGEST_TIMER) } : {}),
    ...(state.Seconds === undefined ? {} : { Seconds: state.Seconds / pace }),
    ...(state.Retry ? { Retry: state.Retry.map((retrier) => prepareRetrier(retrier, pace)) } : {}),
    ...(state.Catch ? { Catch: state.Catch.map(withoutRoot) } : {}),
  };
}

function prepareRetrier(retrier: Retrier, pace: number): Retrier {
  return {
    ...retrier,
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
