import { AwsError } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import { type Definition, parseDefinition } from './definition.ts';
import { startExecution } from './execution.ts';
import { eventsOf, executionsOf, type StoredExecution } from './execution-store.ts';
import { requireStateMachine } from './state-machines.ts';

/** From the guide of Step Functions, “Redrive eligibility for unsuccessful executions”. */
const REDRIVABLE_DAYS = 14;
const MOST_EVENTS = 24_999;

/** The state that an execution ended in, and what it was entered with. */
export interface ResumePoint {
  readonly stateName: string;
  /** JSON text. */
  readonly input: string;
  /** Id of the event of its entry. */
  readonly enteredId: number;
  /** Milliseconds since 1970. */
  readonly enteredAt: number;
}

/** Why an execution cannot be redriven; undefined when it can. */
export function notRedrivable(world: World, stored: StoredExecution): string | undefined {
  const { status, stopDate = Date.now() } = stored;
  if (status === 'RUNNING' || status === 'SUCCEEDED') return `Execution is ${status} and cannot be redriven`;
  if (Date.now() - stopDate > REDRIVABLE_DAYS * 86_400_000) return 'Execution has passed the redrivable period';
  if (eventsOf(world, stored.executionArn).values.length >= MOST_EVENTS) {
    return 'Execution history event limit exceeded';
  }
  return resumePoint(world, stored) ? undefined : 'Execution did not enter a state';
}

/**
 * Goes on with an execution that did not succeed, from the state that it ended in, by the definition that it was started
 * with. What earlier states found is in that state's input.
 *
 * @throws AwsError ExecutionNotRedrivable
 */
export function redriveExecution(world: World, stored: StoredExecution): StoredExecution {
  const reason = notRedrivable(world, stored);
  const point = resumePoint(world, stored);
  if (reason !== undefined || !point)
    throw new AwsError('ExecutionNotRedrivable', `${reason}: '${stored.executionArn}'`);
  const { stopDate: _, error: __, cause: ___, ...kept } = stored;
  const redriven: StoredExecution = {
    ...kept,
    status: 'RUNNING',
    redriveCount: (stored.redriveCount ?? 0) + 1,
    redriveDate: Date.now(),
  };
  executionsOf(world).set(stored.executionArn, redriven);
  const definition: Definition = parseDefinition(stored.definitionText);
  const machine = { ...requireStateMachine(world, stored.stateMachineArn), definition, roleArn: stored.roleArn };
  startExecution(world, machine, redriven, point);
  return redriven;
}

function resumePoint(world: World, { executionArn }: StoredExecution): ResumePoint | undefined {
  const entered = eventsOf(world, executionArn).values.findLast(({ type }) => type.endsWith('StateEntered'));
  if (!entered) return undefined;
  const { name, input } = entered.details.stateEnteredEventDetails as { name: string; input: string };
  return { stateName: name, input, enteredId: entered.id, enteredAt: entered.timestamp };
}
