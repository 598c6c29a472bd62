/** Longest `Error` and `Cause` that Step Functions keeps, in characters. */
const LONGEST_ERROR = 256;
const LONGEST_CAUSE = 32_768;

/** A task's failure. The interpreter matches `name` in ErrorEquals and takes `message` as the Cause. */
export class TaskError extends Error {
  /** Whether Retry and Catch may match it; the interpreter asks. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;

  constructor(error: string, cause: string, catchable = true) {
    super(cause.slice(0, LONGEST_CAUSE));
    this.name = error.slice(0, LONGEST_ERROR);
    this.isRetryable = catchable;
    this.isCatchable = catchable;
  }
}

/** Largest input or output of a state, in bytes. */
export const LARGEST_DATA = 262_144;

/** @throws TaskError States.DataLimitExceeded, which States.ALL does not catch */
export function requireWithinLimit(text: string, what: string): void {
  if (Buffer.byteLength(text) <= LARGEST_DATA) return;
  throw new TaskError(
    'States.DataLimitExceeded',
    `${what} has a size exceeding the maximum number of bytes service limit.`,
    false,
  );
}
