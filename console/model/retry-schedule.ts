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
 * Waits for what this computer itself does in a rehearsal: nodes, tasks, builds, the database's copies, Moodle's install.
 * None of it is faster there because the waits are.
 */
const waitsForWork = new Set([
  'ImageStillBuilding',
  'NodeStillStarting',
  'InstallStillRunning',
  'NodesStillBeingReplaced',
  'TaskStillRunning',
  'NodesNotYetHealthy',
  'CronNotYetRun',
  'SnapshotStillBeingTaken',
  'DatabaseStillBeingRestored',
]);

/**
 * Attempts of a retrier in a rehearsal whose waits pass `pace` times faster: as many more where work is waited for, so
 * that it is looked at more often, and patience lasts as long as on AWS.
 */
export function attemptsAt(pace: number, { ErrorEquals, MaxAttempts = 3 }: Retrier): number {
  return ErrorEquals.every((name) => waitsForWork.has(name)) ? Math.ceil(MaxAttempts * pace) : MaxAttempts;
}

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
  const { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds, JitterStrategy } = retrier;
  const attempts = attemptsAt(pace, retrier);
  const used = retried[index] ?? 0;
  if (used >= attempts) return undefined;
  const seconds = Math.min(IntervalSeconds * BackoffRate ** used, MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return {
    retrier: index,
    delay: (seconds * 1000) / pace,
    exact: JitterStrategy !== 'FULL',
    attemptsLeft: attempts - used,
  };
}

function matches(name: string, error: string): boolean {
  if (name === error) return true;
  if (name === 'States.ALL') return !notAll.has(error);
  return name === 'States.TaskFailed' && error !== 'States.Timeout' && !notAll.has(error);
}
