import { randomUUID } from 'node:crypto';
import { callOperation, findService } from '../endpoint/dispatch.ts';
import { AwsError } from '../endpoint/service.ts';
import type { Task, TaskContext } from './task.ts';
import { requireWithinLimit, TaskError } from './task-error.ts';

const taskDetails = { resourceType: 'sns', resource: 'publish' };

/** `arn:aws:states:::sns:publish` */
export const publishTask: Task = {
  async run(context, { stateName, input: value }) {
    const { world, history } = context;
    const parameters = JSON.stringify(value);
    requireWithinLimit(parameters, `The input of the state '${stateName}'`);
    history.record(
      'TaskScheduled',
      { taskScheduledEventDetails: { ...taskDetails, region: world.region, parameters } },
      stateName,
    );
    history.record('TaskStarted', { taskStartedEventDetails: taskDetails }, stateName);
    try {
      const output = await publish(context, value as Record<string, unknown>);
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
  { world, principal }: Pick<TaskContext, 'world' | 'principal'>,
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
