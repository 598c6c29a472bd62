import { randomUUID } from 'node:crypto';
import { AwsError } from '../endpoint/service.ts';
import { authorize } from '../iam/authorize.ts';
import { findFunction } from '../lambda/functions.ts';
import { invokeFunction } from '../lambda/invoke.ts';
import type { TaskContext } from './task.ts';
import { TaskError } from './task-error.ts';

/**
 * Runs a function as the state machine's role.
 *
 * @param input JSON text
 * @returns JSON text
 * @throws TaskError with the error name that Step Functions has for it
 */
export async function invokeForState(
  { world, principal }: Pick<TaskContext, 'world' | 'principal'>,
  functionName: string,
  input: string,
): Promise<string> {
  const lambda = findFunction(world, functionName);
  if (!lambda) throw new TaskError('Lambda.ResourceNotFoundException', `Function not found: ${functionName}`);
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
