import type { ExecutionListItem } from '@aws-sdk/client-sfn';
import { parsedOr } from './evidence.ts';

/** How long a rollout usually takes. */
export interface UsualDuration {
  /** Median of the runs that succeeded. */
  readonly milliseconds: number;
  readonly runs: number;
}

/** A run that succeeded in one go. */
export interface PastRun {
  readonly milliseconds: number;
  /** What it had to do; undefined where its output does not tell. */
  readonly work: string | undefined;
}

/**
 * @param output of the execution, JSON: the whole state at its end
 * @returns undefined for a run that did not succeed, or was redriven: that has the time in it for which nobody looked
 */
export function pastRun(
  { status, redriveCount = 0, startDate, stopDate }: ExecutionListItem,
  output: string | undefined,
): PastRun | undefined {
  if (status !== 'SUCCEEDED' || redriveCount > 0 || !startDate || !stopDate) return undefined;
  const state: unknown = parsedOr(output ?? '', undefined);
  const outputs = typeof state === 'object' && state !== null ? Object.values(state) : [];
  return { milliseconds: stopDate.getTime() - startDate.getTime(), work: workIn(outputs) };
}

/**
 * What a rollout has to do, by what its first phases found: an install that installs takes minutes more than one that
 * finds the site installed, an update more than finding that there is none, and waiting for a person takes hours.
 */
export function workIn(outputs: readonly unknown[]): string | undefined {
  for (const output of outputs) {
    const { plan, outcome, changes, approval } = (output ?? {}) as Readonly<Record<string, unknown>>;
    const { install } = (plan ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof install === 'boolean') return install ? 'install' : 'converge';
    if (typeof outcome === 'string' && changes !== undefined)
      return outcome === 'update' && approval ? 'update with approval' : outcome;
  }
  return undefined;
}

/** Of runs that had the same to do; undefined as long as that is not known, and before the first. */
export function usualDuration(runs: readonly PastRun[], work: string | undefined): UsualDuration | undefined {
  if (work === undefined) return undefined;
  const durations = runs.flatMap((run) => (run.work === work ? [run.milliseconds] : [])).sort((a, b) => a - b);
  const middle = durations.length >> 1;
  const upper = durations[middle];
  if (upper === undefined) return undefined;
  const lower = durations.length % 2 === 0 ? (durations[middle - 1] ?? upper) : upper;
  return { milliseconds: (lower + upper) / 2, runs: durations.length };
}
