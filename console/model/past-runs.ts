import type { ExecutionListItem } from '@aws-sdk/client-sfn';

/** How long a rollout usually takes. */
export interface UsualDuration {
  /** Median of the runs that succeeded. */
  readonly milliseconds: number;
  readonly runs: number;
}

/** Of executions that succeeded in one go: a redriven one has the time in it for which nobody looked. */
export function usualDuration(executions: readonly ExecutionListItem[]): UsualDuration | undefined {
  const durations = executions
    .filter(({ status, redriveCount = 0 }) => status === 'SUCCEEDED' && redriveCount === 0)
    .flatMap(({ startDate, stopDate }) => (startDate && stopDate ? [stopDate.getTime() - startDate.getTime()] : []))
    .sort((a, b) => a - b);
  const middle = durations.length >> 1;
  const upper = durations[middle];
  if (upper === undefined) return undefined;
  const lower = durations.length % 2 === 0 ? (durations[middle - 1] ?? upper) : upper;
  return { milliseconds: (lower + upper) / 2, runs: durations.length };
}
