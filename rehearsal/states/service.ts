import { randomUUID } from 'node:crypto';
import { AwsError, type Operation, type Service } from '../endpoint/service.ts';
import { arn, type World } from '../world.ts';
import { abortExecution, startExecution } from './execution.ts';
import {
  type ExecutionStatus,
  eventsOf,
  executionsOf,
  requireExecution,
  type StoredEvent,
  type StoredExecution,
} from './execution-store.ts';
import { page, pageOfEvents } from './page.ts';
import { notRedrivable, redriveExecution } from './redrive.ts';
import { stateMachineOperations } from './state-machine-operations.ts';
import { requireStateMachine } from './state-machines.ts';
import { LARGEST_DATA } from './task-error.ts';
import { taskOperations } from './task-operations.ts';

/** Step Functions' API. */
export function statesService(world: World): Service {
  return {
    signingName: 'states',
    protocol: 'json-1.0',
    targetPrefix: 'AWSStepFunctions',
    operations: {
      StartExecution: startExecutionOperation(world),
      StopExecution: stopExecution(world),
      DescribeExecution: describeExecution(world),
      ListExecutions: listExecutions(world),
      GetExecutionHistory: getExecutionHistory(world),
      RedriveExecution: redrive(world),
      ...taskOperations(world),
      ...stateMachineOperations(world),
    },
  };
}

const forbiddenInNames = /[\s<>{}[\]?*"#%\\^|~`$&,;:/]|\p{Cc}/u;

interface StartExecutionInput {
  readonly stateMachineArn: string;
  readonly name?: string;
  readonly input?: string;
}

const startExecutionOperation = (world: World): Operation<StartExecutionInput> => ({
  members: ['stateMachineArn', 'name', 'input', 'traceHeader'],
  required: ['stateMachineArn'],
  permissions: ({ stateMachineArn }) => [{ action: 'states:StartExecution', resource: stateMachineArn }],
  run({ stateMachineArn, name = randomUUID(), input = '{}' }) {
    const machine = requireStateMachine(world, stateMachineArn);
    if (name.length < 1 || name.length > 80 || forbiddenInNames.test(name)) {
      throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
    }
    requireJson(input);
    const executionArn = arn(world, 'states', `execution:${machine.name}:${name}`);
    const known = executionsOf(world).get(executionArn);
    if (known) return sameExecution(known, input);
    const stored: StoredExecution = {
      executionArn,
      stateMachineArn,
      name,
      status: 'RUNNING',
      startDate: Date.now(),
      input,
      definitionText: machine.definitionText,
      roleArn: machine.roleArn,
      transitions: 0,
    };
    executionsOf(world).set(executionArn, stored);
    startExecution(world, machine, stored);
    return { executionArn, startDate: new Date(stored.startDate) };
  },
});

/** Starting again what runs with the same input answers the same execution; anything else under the name is refused. */
function sameExecution(known: StoredExecution, input: string): object {
  if (known.status === 'RUNNING' && known.input === input) {
    return { executionArn: known.executionArn, startDate: new Date(known.startDate) };
  }
  throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${known.executionArn}'`);
}

function requireJson(input: string): void {
  if (Buffer.byteLength(input) > LARGEST_DATA) {
    throw new AwsError('InvalidExecutionInput', `The input is larger than ${LARGEST_DATA} bytes.`);
  }
  try {
    JSON.parse(input);
  } catch (error) {
    throw new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${String(error)}'`);
  }
}

const stopExecution = (world: World): Operation<{ executionArn: string; error?: string; cause?: string }> => ({
  members: ['executionArn', 'error', 'cause'],
  required: ['executionArn'],
  permissions: ({ executionArn }) => [{ action: 'states:StopExecution', resource: executionArn }],
  run({ executionArn, error, cause }) {
    requireExecution(world, executionArn);
    abortExecution(world, executionArn, {
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    });
    return { stopDate: new Date(requireExecution(world, executionArn).stopDate ?? Date.now()) };
  },
});

const describeExecution = (world: World): Operation<{ executionArn: string }> => ({
  members: ['executionArn', 'includedData'],
  required: ['executionArn'],
  permissions: ({ executionArn }) => [{ action: 'states:DescribeExecution', resource: executionArn }],
  run({ executionArn }) {
    const stored = requireExecution(world, executionArn);
    const reason = notRedrivable(world, stored);
    return {
      ...summary(stored),
      input: stored.input,
      inputDetails: { included: true },
      output: stored.output,
      outputDetails: stored.output === undefined ? undefined : { included: true },
      error: stored.error,
      cause: stored.cause,
      redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
      redriveStatusReason: reason,
    };
  },
});

function summary(stored: StoredExecution): object {
  return {
    executionArn: stored.executionArn,
    stateMachineArn: stored.stateMachineArn,
    name: stored.name,
    status: stored.status,
    startDate: new Date(stored.startDate),
    stopDate: stored.stopDate === undefined ? undefined : new Date(stored.stopDate),
    redriveCount: stored.redriveCount ?? 0,
    redriveDate: stored.redriveDate === undefined ? undefined : new Date(stored.redriveDate),
  };
}

/** Seen again, a token of the caller's means the same request: the execution is not redriven once more. */
const redrive = (world: World): Operation<{ executionArn: string; clientToken?: string }> => ({
  members: ['executionArn', 'clientToken'],
  required: ['executionArn'],
  permissions: ({ executionArn }) => [{ action: 'states:RedriveExecution', resource: executionArn }],
  run({ executionArn, clientToken }) {
    const tokens = world.state.collection<number>('redrive-tokens');
    const key = `${executionArn} ${clientToken}`;
    const before = clientToken === undefined ? undefined : tokens.get(key);
    if (before !== undefined) return { redriveDate: new Date(before) };
    const { redriveDate = Date.now() } = redriveExecution(world, requireExecution(world, executionArn));
    if (clientToken !== undefined) tokens.set(key, redriveDate);
    return { redriveDate: new Date(redriveDate) };
  },
});

interface ListExecutionsInput {
  readonly stateMachineArn: string;
  readonly statusFilter?: ExecutionStatus;
  readonly maxResults?: number;
  readonly nextToken?: string;
}

const listExecutions = (world: World): Operation<ListExecutionsInput> => ({
  members: ['stateMachineArn', 'statusFilter', 'maxResults', 'nextToken'],
  required: ['stateMachineArn'],
  permissions: ({ stateMachineArn }) => [{ action: 'states:ListExecutions', resource: stateMachineArn }],
  run({ stateMachineArn, statusFilter, maxResults, nextToken }) {
    requireStateMachine(world, stateMachineArn);
    const found = executionsOf(world)
      .entries()
      .map(([, stored]) => stored)
      .filter((stored) => stored.stateMachineArn === stateMachineArn)
      .filter((stored) => statusFilter === undefined || stored.status === statusFilter)
      .sort((a, b) => b.startDate - a.startDate);
    const { items, next } = page(found, maxResults, nextToken);
    return { executions: items.map(summary), nextToken: next };
  },
});

interface GetExecutionHistoryInput {
  readonly executionArn: string;
  readonly maxResults?: number;
  readonly reverseOrder?: boolean;
  readonly nextToken?: string;
  readonly includeExecutionData?: boolean;
}

const getExecutionHistory = (world: World): Operation<GetExecutionHistoryInput> => ({
  members: ['executionArn', 'maxResults', 'reverseOrder', 'nextToken', 'includeExecutionData'],
  required: ['executionArn'],
  permissions: ({ executionArn }) => [{ action: 'states:GetExecutionHistory', resource: executionArn }],
  run({ executionArn, maxResults, reverseOrder = false, nextToken, includeExecutionData = true }) {
    requireExecution(world, executionArn);
    if (!includeExecutionData) throw new AwsError('UnsupportedParameter', 'includeExecutionData is always true here.');
    const { items, next } = pageOfEvents(eventsOf(world, executionArn).values, reverseOrder, maxResults, nextToken);
    return { events: items.map(describeEvent), nextToken: next };
  },
});

function describeEvent({ id, previousEventId, type, timestamp, details }: StoredEvent): object {
  return { timestamp: new Date(timestamp), type, id, previousEventId, ...details };
}
