import type { Retrier } from './definition.ts';

/** What a state does about an error, by its `Retry`. */
export interface RetryDecision {
  /** Index of the retrier that takes the error, each of which counts for itself. */
  readonly retrier: number;
  /** Milliseconds until the next attempt begins, at most. */
  readonly delay: number;
  /** Whether it begins exactly then, and not by chance at any time before. */
  readonly exact: boolean;
  /** Attempts that may follow, the next one included. */
  readonly attemptsLeft: number;
}

/** Errors that `States.ALL` does not stand for. */
const notAll = new Set(['States.DataLimitExceeded', 'States.Runtime']);

/**
 * @param retried how often each retrier, by index, was used since the state was entered or redriven
 * @param pace how many times faster than on AWS the waits of a rehearsal pass
 * @returns undefined when nothing tries again
 */
export function retryAfter(
  retriers: readonly Retrier[],
  error: string,
  retried: readonly number[],
  pace: number,
): RetryDecision | undefined {
  const index = retriers.findIndex(({ ErrorEquals }) => ErrorEquals.some((name) => matches(name, error)));
  const retrier = retriers[index];
  if (!retrier) return undefined;
  // Defaults of the Amazon States Language.
  const { IntervalSeconds = 1, BackoffRate = 2, MaxAttempts = 3, MaxDelaySeconds, JitterStrategy } = retrier;
  const used = retried[index] ?? 0;
  if (used >= MaxAttempts) return undefined;
  const seconds = Math.min(IntervalSeconds * BackoffRate ** used, MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return {
    retrier: index,
    delay: (seconds * 1000) / pace,
    exact: JitterStrategy !== 'FULL',
    attemptsLeft: MaxAttempts - used,
  };
}

function matches(name: string, error: string): boolean {
  if (name === error) return true;
  if (name === 'States.ALL') return !notAll.has(error);
  return name === 'States.TaskFailed' && error !== 'States.Timeout' && !notAll.has(error);
}
