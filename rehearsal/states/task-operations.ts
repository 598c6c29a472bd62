import { AwsError, type Operation } from '../endpoint/service.ts';
import type { World } from '../world.ts';
import { requireExecution } from './execution-store.ts';
import { LARGEST_DATA, TaskError } from './task-error.ts';
import { requireToken } from './task-tokens.ts';

/** The part of Step Functions' API that answers a task that waits for its token. */
export function taskOperations(world: World): Record<string, Operation> {
  return {
    SendTaskSuccess: sendTaskSuccess(world),
    SendTaskFailure: sendTaskFailure(world),
    SendTaskHeartbeat: sendTaskHeartbeat(world),
  };
}

/** A policy names the state machine that the token's execution is of. */
function permissions(world: World, action: string, taskToken: string) {
  const { executionArn } = requireToken(world, taskToken);
  return [{ action: `states:${action}`, resource: requireExecution(world, executionArn).stateMachineArn }];
}

const sendTaskSuccess = (world: World): Operation<{ taskToken: string; output: string }> => ({
  members: ['taskToken', 'output'],
  required: ['taskToken', 'output'],
  permissions: ({ taskToken }) => permissions(world, 'SendTaskSuccess', taskToken),
  run({ taskToken, output }) {
    const task = requireToken(world, taskToken);
    requireOutput(output);
    task.succeed(output);
    return {};
  },
});

function requireOutput(output: string): void {
  if (Buffer.byteLength(output) > LARGEST_DATA) {
    throw new AwsError('InvalidOutput', `Invalid Output: it is larger than ${LARGEST_DATA} bytes.`);
  }
  try {
    JSON.parse(output);
  } catch (error) {
    throw new AwsError('InvalidOutput', `Invalid Output: '${String(error)}'`);
  }
}

const sendTaskFailure = (world: World): Operation<{ taskToken: string; error?: string; cause?: string }> => ({
  members: ['taskToken', 'error', 'cause'],
  required: ['taskToken'],
  permissions: ({ taskToken }) => permissions(world, 'SendTaskFailure', taskToken),
  run({ taskToken, error = '', cause = '' }) {
    requireToken(world, taskToken).fail(new TaskError(error, cause));
    return {};
  },
});

const sendTaskHeartbeat = (world: World): Operation<{ taskToken: string }> => ({
  members: ['taskToken'],
  required: ['taskToken'],
  permissions: ({ taskToken }) => permissions(world, 'SendTaskHeartbeat', taskToken),
  run({ taskToken }) {
    requireToken(world, taskToken).beat();
    return {};
  },
});
