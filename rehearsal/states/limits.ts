import type { TaskAttempt } from './task.ts';
import { TaskError } from './task-error.ts';

/** Largest time limit of a task, in seconds. From the States Language's reference of Amazon. */
const LONGEST = 99_999_999;

/**
 * A time limit of a task state, from the definition or from the place in the state's input that its `…Path` names.
 *
 * @returns seconds; undefined when the state has no such limit
 * @throws TaskError States.Runtime when the input has no whole number from 1 there
 */
export function secondsOf(
  { state, stateInput }: Pick<TaskAttempt, 'state' | 'stateInput'>,
  limit: 'TimeoutSeconds' | 'HeartbeatSeconds',
): number | undefined {
  const path = state[`${limit}Path`];
  if (path === undefined) return state[limit];
  const value = valueAt(stateInput, String(path));
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LONGEST) return Number(value);
  throw new TaskError(
    'States.Runtime',
    `The ${limit}Path '${path}' does not lead to a whole number of seconds from 1: ${JSON.stringify(value)}.`,
    false,
  );
}

function valueAt(input: unknown, path: string): unknown {
  return path
    .split('.')
    .slice(1)
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], input);
}
