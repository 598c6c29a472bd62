import { AwsError, type Operation, type Service } from '../endpoint/service.ts';
import { arn, type World } from '../world.ts';
import { findFunction, type LambdaFunction } from './functions.ts';
import { invokeFunction } from './invoke.ts';

/** Lambda's Invoke, for callers that wait for the answer. */
export function lambdaService(world: World): Service {
  return {
    signingName: 'lambda',
    protocol: 'rest-json',
    paths: { '/2015-03-31/functions/{FunctionName}/invocations': 'Invoke' },
    httpBindings: {
      Invoke: {
        requestPayload: 'Payload',
        requestHeaders: { 'x-amz-invocation-type': 'InvocationType', 'x-amz-log-type': 'LogType' },
        responsePayload: 'Payload',
        responseHeaders: { 'x-amz-function-error': 'FunctionError', 'x-amz-executed-version': 'ExecutedVersion' },
      },
    },
    operations: { Invoke: invoke(world) },
  };
}

interface InvokeInput {
  readonly FunctionName: string;
  readonly InvocationType?: string;
  readonly Payload?: Uint8Array;
}

const invoke = (world: World): Operation<InvokeInput> => ({
  members: ['FunctionName', 'InvocationType', 'Payload'],
  permissions: ({ FunctionName }) => [
    {
      action: 'lambda:InvokeFunction',
      resource: findFunction(world, FunctionName)?.functionArn ?? arn(world, 'lambda', `function:${FunctionName}`),
    },
  ],
  async run({ FunctionName, InvocationType = 'RequestResponse', Payload }, { requestId }) {
    if (InvocationType !== 'RequestResponse') {
      throw new AwsError('UnsupportedParameter', `The rehearsal does not know the InvocationType ${InvocationType}.`);
    }
    const lambda = requireFunction(world, FunctionName);
    const text = Buffer.from(Payload ?? []).toString('utf8') || '{}';
    const result = await invokeFunction(world, lambda, checkedJson(text), requestId);
    return 'failure' in result
      ? { ExecutedVersion: '$LATEST', FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify(result.failure)) }
      : { ExecutedVersion: '$LATEST', Payload: Buffer.from(result.payload) };
  },
});

function requireFunction(world: World, name: string): LambdaFunction {
  const lambda = findFunction(world, name);
  if (lambda) return lambda;
  throw new AwsError(
    'ResourceNotFoundException',
    `Function not found: ${arn(world, 'lambda', `function:${name}`)}`,
    404,
  );
}

function checkedJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new AwsError('InvalidRequestContentException', `Could not parse request body into json: ${String(error)}`);
  }
}
