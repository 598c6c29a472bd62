import { createHash } from 'node:crypto';
import { AwsError } from '../endpoint/service.ts';
import type { Collection, Journal } from '../state.ts';
import type { World } from '../world.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** An execution as it is kept. Moments are milliseconds since 1970. */
export interface StoredExecution {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate?: number;
  /** JSON text, as the caller gave it. */
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  /** The definition that it runs, whatever a later deploy changes. */
  readonly definitionText: string;
  readonly roleArn: string;
  /** States entered and retries, which is what Step Functions charges for. */
  readonly transitions: number;
  /** How often it was gone on with after it had ended, and when the last time. */
  readonly redriveCount?: number;
  readonly redriveDate?: number;
}

/** An event of GetExecutionHistory; the details are under the event's own member, for example `taskScheduledEventDetails`. */
export interface StoredEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly details: Readonly<Record<string, object>>;
}

/** By ARN. */
export function executionsOf(world: Pick<World, 'state'>): Collection<StoredExecution> {
  return world.state.collection<StoredExecution>('executions');
}

/** In their order: the id of the first is 1. */
export function eventsOf(world: Pick<World, 'state'>, executionArn: string): Journal<StoredEvent> {
  const file = createHash('sha256').update(executionArn).digest('hex').slice(0, 24);
  return world.state.journal<StoredEvent>(`execution-events/${file}`);
}

/** @throws AwsError ExecutionDoesNotExist */
export function requireExecution(world: Pick<World, 'state'>, executionArn: string): StoredExecution {
  const found = executionsOf(world).get(executionArn);
  if (found) return found;
  throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
}
