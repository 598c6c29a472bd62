import { invokeForState } from './invoke-for-state.ts';
import type { Task } from './task.ts';
import { requireWithinLimit } from './task-error.ts';

/** A task whose resource is a function's ARN. */
export const functionTask: Task = {
  async run(context, { stateName, state: { Resource: resource = '', TimeoutSeconds }, input: value }) {
    const { history } = context;
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
      const output = await invokeForState(context, resource, input);
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
