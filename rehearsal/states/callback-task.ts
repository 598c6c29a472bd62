import { findFunction } from '../lambda/functions.ts';
import type { World } from '../world.ts';
import type { State } from './definition.ts';
import { places } from './interpreter.ts';
import { invokeForState } from './invoke-for-state.ts';
import { secondsOf } from './limits.ts';
import type { Task, TaskAttempt, TaskContext } from './task.ts';
import { requireWithinLimit } from './task-error.ts';
import { issueToken } from './task-tokens.ts';

export const callbackResource = 'arn:aws:states:::lambda:invoke.waitForTaskToken';

const taskDetails = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };

interface Parameters {
  readonly FunctionName: string;
  readonly Payload?: unknown;
}

/**
 * A task that invokes a function and then waits until somebody answers by the token that it was given. Nothing works
 * while it waits, so that its limits pass at the rehearsal's pace, unlike those of other tasks.
 */
export const callbackTask: Task = {
  async run(context, attempt) {
    const { world, history, executionArn } = context;
    const { stateName } = attempt;
    const timeout = secondsOf(attempt, 'TimeoutSeconds');
    const heartbeat = secondsOf(attempt, 'HeartbeatSeconds');
    const issued = issueToken(world, executionArn, {
      ...(timeout === undefined ? {} : { timeout: world.scaled(timeout) }),
      ...(heartbeat === undefined ? {} : { heartbeat: world.scaled(heartbeat) }),
    });
    // Whoever is told of a failure first ends the wait; the other is nobody's any more.
    issued.answer.catch(() => {});
    const parameters = JSON.stringify(attempt.input).replaceAll(places.token, issued.token);
    try {
      requireWithinLimit(parameters, `The input of the state '${stateName}'`);
      history.record(
        'TaskScheduled',
        {
          taskScheduledEventDetails: {
            ...taskDetails,
            region: world.region,
            parameters,
            ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
            ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
          },
        },
        stateName,
      );
      history.record('TaskStarted', { taskStartedEventDetails: taskDetails }, stateName);
      await submit(context, attempt, JSON.parse(parameters) as Parameters);
      const output = await issued.answer;
      history.record(
        'TaskSucceeded',
        { taskSucceededEventDetails: { ...taskDetails, output, outputDetails: { truncated: false } } },
        stateName,
      );
      return JSON.parse(output);
    } catch (error) {
      recordFailure(context, stateName, error as Error);
      throw error;
    } finally {
      issued.revoke();
    }
  },
};

async function submit(context: TaskContext, { stateName }: TaskAttempt, parameters: Parameters): Promise<void> {
  const payload = await invokeForState(context, parameters.FunctionName, JSON.stringify(parameters.Payload ?? {}));
  const output = JSON.stringify({ ExecutedVersion: '$LATEST', Payload: JSON.parse(payload), StatusCode: 200 });
  requireWithinLimit(output, `The state/task '${stateName}' returned a result that`);
  context.history.record(
    'TaskSubmitted',
    { taskSubmittedEventDetails: { ...taskDetails, output, outputDetails: { truncated: false } } },
    stateName,
  );
}

function recordFailure({ history }: TaskContext, stateName: string, { name, message }: Error): void {
  const details = { ...taskDetails, error: name, ...(message === '' ? {} : { cause: message }) };
  if (name === 'States.Timeout' || name === 'States.HeartbeatTimeout') {
    history.record('TaskTimedOut', { taskTimedOutEventDetails: details }, `${stateName}: ${name}`);
  } else history.record('TaskFailed', { taskFailedEventDetails: details }, `${stateName}: ${name}`);
}

const known = ['FunctionName', 'Payload', 'FunctionName.$', 'Payload.$'];

/**
 * Refuses what the rehearsal would not do as Step Functions does, when the state machine is made.
 *
 * @throws Error that names the state
 */
export function checkCallback(world: World, stateName: string, state: State): void {
  const parameters = (state.Parameters ?? {}) as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(parameters).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`state “${stateName}”: the rehearsal does not know the parameter ${unknown.join(', ')}.`);
  }
  if (!JSON.stringify(parameters).includes('$$.Task.Token')) {
    throw new Error(
      `state “${stateName}” waits for a token that it gives to nobody: pass $$.Task.Token in its Payload.`,
    );
  }
  const name = parameters.FunctionName;
  if (typeof name === 'string' && !findFunction(world, name)) {
    throw new Error(`state “${stateName}”: there is no function ${name}.`);
  }
  const matched = [...(state.Retry ?? []), ...(state.Catch ?? [])].flatMap(({ ErrorEquals }) => ErrorEquals);
  // It does not match a time-out, which the interpreter cannot tell from other errors here.
  if (matched.includes('States.TaskFailed')) {
    throw new Error(
      `state “${stateName}”: the rehearsal does not know States.TaskFailed of a task that waits for a token.`,
    );
  }
}
