import { randomUUID } from 'node:crypto';
import { callOperation, findService } from '../endpoint/dispatch.ts';
import { AwsError, type Principal } from '../endpoint/service.ts';
import { authorize } from '../iam/authorize.ts';
import { findFunction } from '../lambda/functions.ts';
import { invokeFunction } from '../lambda/invoke.ts';
import type { World } from '../world.ts';
import type { State } from './definition.ts';
import type { History } from './history.ts';
import { requireWithinLimit, TaskError } from './task-error.ts';

/** What a task needs of the execution that it belongs to. */
export interface TaskContext {
  readonly world: World;
  readonly history: Pick<History, 'record'>;
  /** The state machine's role, which every call is checked against. */
  readonly principal: Principal & { kind: 'role' };
}

export interface Task {
  run(context: TaskContext, stateName: string, state: State, input: unknown): Promise<unknown>;
  /** Records that the state's TimeoutSeconds are over. */
  recordTimeout(history: Pick<History, 'record'>, resource: string): void;
}

const snsPublish = 'arn:aws:states:::sns:publish';

/**
 * How a task state's resource is stood in for.
 *
 * @throws Error for a resource that the rehearsal cannot run, when the state machine is made
 */
export function taskFor(world: World, stateName: string, resource: string): Task {
  if (resource === snsPublish) return publishTask;
  if (/^arn:aws:lambda:[^:]+:\d+:function:/.test(resource)) {
    if (!findFunction(world, resource)) throw new Error(`state “${stateName}”: there is no function ${resource}.`);
    return functionTask;
  }
  throw new Error(`state “${stateName}”: the rehearsal cannot run the resource ${resource}.`);
}

const functionTask: Task = {
  async run({ world, history, principal }, stateName, { Resource: resource = '', TimeoutSeconds }, value) {
    const input = JSON.stringify(value);
    requireWithinLimit(input, `The input of the state '${stateName}'`);
    history.record(
      'LambdaFunctionScheduled',
      {
        lambdaFunctionScheduledEventDetails: {
          resource,
          input,
          inputDetails: { truncated: false },
          ...(TimeoutSeconds === undefined ? {} : { timeoutInSeconds: TimeoutSeconds }),
        },
      },
      stateName,
    );
    history.record('LambdaFunctionStarted', {}, stateName);
    try {
      const output = await invoke(world, principal, resource, input);
      requireWithinLimit(output, `The state/task '${stateName}' returned a result that`);
      history.record(
        'LambdaFunctionSucceeded',
        { lambdaFunctionSucceededEventDetails: { output, outputDetails: { truncated: false } } },
        stateName,
      );
      return JSON.parse(output);
    } catch (error) {
      const { name, message } = error as Error;
      const details = { lambdaFunctionFailedEventDetails: { error: name, cause: message } };
      history.record('LambdaFunctionFailed', details, `${stateName}: ${name}`);
      throw error;
    }
  },
  recordTimeout(history) {
    history.record('LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: { error: 'States.Timeout' } });
  },
};

/** @throws TaskError with the error name that Step Functions has for it */
async function invoke(
  world: World,
  principal: TaskContext['principal'],
  resource: string,
  input: string,
): Promise<string> {
  const lambda = findFunction(world, resource);
  if (!lambda) throw new TaskError('Lambda.ResourceNotFoundException', `Function not found: ${resource}`);
  try {
    authorize(world, principal, { action: 'lambda:InvokeFunction', resource: lambda.functionArn });
    const result = await invokeFunction(world, lambda, input);
    if (!('failure' in result)) return result.payload;
    throw new TaskError(result.failure.errorType || 'Lambda.Unknown', JSON.stringify(result.failure));
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw lambdaError(error);
  }
}

/** A call to Lambda that Lambda refused. */
function lambdaError(error: unknown): TaskError {
  if (!(error instanceof AwsError)) return new TaskError('Lambda.SdkClientException', String(error));
  const name = error.code === 'AccessDeniedException' ? 'AWSLambdaException' : error.code;
  return new TaskError(
    `Lambda.${name}`,
    `${error.message} (Service: Lambda, Status Code: ${error.statusCode}, Request ID: ${randomUUID()})`,
  );
}

const taskDetails = { resourceType: 'sns', resource: 'publish' };

const publishTask: Task = {
  async run({ world, history, principal }, stateName, _state, value) {
    const parameters = JSON.stringify(value);
    requireWithinLimit(parameters, `The input of the state '${stateName}'`);
    history.record(
      'TaskScheduled',
      { taskScheduledEventDetails: { ...taskDetails, region: world.region, parameters } },
      stateName,
    );
    history.record('TaskStarted', { taskStartedEventDetails: taskDetails }, stateName);
    try {
      const output = await publish(world, principal, value as Record<string, unknown>);
      history.record(
        'TaskSucceeded',
        {
          taskSucceededEventDetails: {
            ...taskDetails,
            output: JSON.stringify(output),
            outputDetails: { truncated: false },
          },
        },
        stateName,
      );
      return output;
    } catch (error) {
      const { name, message } = error as Error;
      history.record(
        'TaskFailed',
        { taskFailedEventDetails: { ...taskDetails, error: name, cause: message } },
        `${stateName}: ${name}`,
      );
      throw error;
    }
  },
  recordTimeout(history) {
    history.record('TaskTimedOut', { taskTimedOutEventDetails: { ...taskDetails, error: 'States.Timeout' } });
  },
};

async function publish(
  world: World,
  principal: TaskContext['principal'],
  parameters: Record<string, unknown>,
): Promise<object> {
  const { Message: message, ...others } = parameters;
  // The integration takes an object as the message and sends it as JSON text.
  const input = { ...others, Message: typeof message === 'string' ? message : JSON.stringify(message) };
  const requestId = randomUUID();
  try {
    const output = await callOperation(world, findService(world, 'sns'), 'Publish', input, { principal, requestId });
    return { ...output, SdkHttpMetadata: { HttpStatusCode: 200 }, SdkResponseMetadata: { RequestId: requestId } };
  } catch (error) {
    if (!(error instanceof AwsError)) throw new TaskError('SNS.SdkClientException', String(error));
    const name = error.code.endsWith('Exception') ? error.code : `${error.code}Exception`;
    throw new TaskError(
      `SNS.${name}`,
      `${error.message} (Service: Sns, Status Code: ${error.statusCode}, Request ID: ${requestId})`,
    );
  }
}
