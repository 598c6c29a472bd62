/** The part of the Amazon States Language that tells which phases there are, in which order and with which retries. */
export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly Resource?: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly Next: string }[];
  readonly Retry?: readonly Retrier[];
  /** JSONPath. */
  readonly Parameters?: unknown;
  /** JSONata. */
  readonly Arguments?: unknown;
  readonly Branches?: readonly Definition[];
  readonly ItemProcessor?: Definition;
  /** The older name of ItemProcessor. */
  readonly Iterator?: Definition;
}

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxAttempts?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: string;
}

/** The state machines inside a Parallel or Map state. */
export function nestedIn(state: State): readonly Definition[] {
  return [...(state.Branches ?? []), ...[state.ItemProcessor ?? state.Iterator ?? []].flat()];
}
