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
import { page } from './page.ts';
import { stateMachineOperations } from './state-machine-operations.ts';
import { requireStateMachine } from './state-machines.ts';
import { LARGEST_DATA } from './task-error.ts';

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
    return {
      ...summary(stored),
      input: stored.input,
      inputDetails: { included: true },
      output: stored.output,
      outputDetails: stored.output === undefined ? undefined : { included: true },
      error: stored.error,
      cause: stored.cause,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason:
        stored.status === 'RUNNING'
          ? 'Execution is RUNNING and cannot be redriven'
          : 'The rehearsal does not redrive executions',
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
    redriveCount: 0,
  };
}

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
    const events = eventsOf(world, executionArn)
      .entries()
      .map(([, event]) => event)
      .sort((a, b) => (reverseOrder ? b.id - a.id : a.id - b.id));
    const { items, next } = page(events, maxResults, nextToken);
    return { events: items.map(describeEvent), nextToken: next };
  },
});

function describeEvent({ id, previousEventId, type, timestamp, details }: StoredEvent): object {
  return { timestamp: new Date(timestamp), type, id, previousEventId, ...details };
}
