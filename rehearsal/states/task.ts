import type { Principal } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import type { State } from './definition.ts';
import type { History } from './history.ts';

/** What a task needs of the execution that it belongs to. */
export interface TaskContext {
  readonly world: World;
  readonly executionArn: string;
  readonly history: Pick<History, 'record'>;
  /** The state machine's role, which every call is checked against. */
  readonly principal: Principal & { kind: 'role' };
}

/** One attempt of a task state. */
export interface TaskAttempt {
  readonly stateName: string;
  readonly state: State;
  /** What the state was entered with. */
  readonly stateInput: unknown;
  /** What its Parameters made of that. */
  readonly input: unknown;
}

/** How a kind of task state is stood in for. */
export interface Task {
  /** @returns the state's result, JSON @throws TaskError */
  run(context: TaskContext, attempt: TaskAttempt): Promise<unknown>;
  /** Records that the state's TimeoutSeconds are over. Absent: the task sees to its time limits itself. */
  recordTimeout?(history: Pick<History, 'record'>, resource: string): void;
}
