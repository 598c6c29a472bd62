import type { Recording } from '../../console/api/recording.ts';

/** As long as those of Step Functions, and as recognisable. */
export const token = `AQCEAAAAKgAAAAMAAAAA${'Secret0123456789'.repeat(20)}`;

const machine = 'arn:aws:states:eu-west-1:111122223333:stateMachine:DemoPluginUpdate';
const began = Date.UTC(2026, 10, 20, 12, 0, 0);

/** A rollout that waits for a person, in the events that Step Functions documents for `lambda:invoke.waitForTaskToken`. */
export function asking(): Recording {
  const definition = {
    StartAt: 'Find updates',
    States: {
      'Find updates': {
        Type: 'Task',
        Resource: 'arn:aws:lambda:eu-west-1:111122223333:function:FindUpdates',
        Next: 'Asked for?',
      },
      'Asked for?': { Type: 'Choice', Choices: [{ Next: 'Wait for approval' }], Default: 'Upgrade' },
      'Wait for approval': {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        Parameters: {
          FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:RequestApproval',
          Payload: { site: 'demo', 'plan.$': '$.found', 'token.$': '$$.Task.Token' },
        },
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Put back' }],
        Next: 'Upgrade',
      },
      Upgrade: { Type: 'Task', Resource: 'arn:aws:lambda:eu-west-1:111122223333:function:Upgrade', End: true },
      'Put back': { Type: 'Task', Resource: 'arn:aws:lambda:eu-west-1:111122223333:function:PutBack', Next: 'Failed' },
      Failed: { Type: 'Fail' },
    },
  };
  const plan = { changes: [{ component: 'mod_attendance', from: 2026010100, to: 2026090100, risk: 'minor' }] };
  const invoke = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
  const events = [
    ['ExecutionStarted', {}],
    ['TaskStateEntered', { stateEnteredEventDetails: { name: 'Find updates' } }],
    [
      'LambdaFunctionScheduled',
      {
        lambdaFunctionScheduledEventDetails: { resource: 'arn:aws:lambda:eu-west-1:111122223333:function:FindUpdates' },
      },
    ],
    ['LambdaFunctionStarted', {}],
    [
      'LambdaFunctionSucceeded',
      { lambdaFunctionSucceededEventDetails: { output: JSON.stringify({ outcome: 'update', ...plan }) } },
    ],
    ['TaskStateExited', { stateExitedEventDetails: { name: 'Find updates' } }],
    ['ChoiceStateEntered', { stateEnteredEventDetails: { name: 'Asked for?' } }],
    ['ChoiceStateExited', { stateExitedEventDetails: { name: 'Asked for?' } }],
    ['TaskStateEntered', { stateEnteredEventDetails: { name: 'Wait for approval' } }],
    [
      'TaskScheduled',
      {
        taskScheduledEventDetails: {
          ...invoke,
          region: 'eu-west-1',
          timeoutInSeconds: 86_400,
          parameters: JSON.stringify({
            FunctionName: 'arn:aws:lambda:eu-west-1:111122223333:function:RequestApproval',
            Payload: { site: 'demo', plan, token },
          }),
        },
      },
    ],
    ['TaskStarted', { taskStartedEventDetails: invoke }],
    [
      'TaskSubmitted',
      {
        taskSubmittedEventDetails: {
          ...invoke,
          output: JSON.stringify({ ExecutedVersion: '$LATEST', Payload: { asked: token } }),
        },
      },
    ],
  ] as const;
  return {
    definition: JSON.stringify(definition),
    execution: {
      executionArn: 'arn:aws:states:eu-west-1:111122223333:execution:DemoPluginUpdate:nightly',
      stateMachineArn: machine,
      name: 'nightly',
      status: 'RUNNING',
      startDate: new Date(began),
      input: '{"approval":true}',
    },
    events: events.map(([type, details], index) => ({
      id: index + 1,
      previousEventId: index,
      type,
      timestamp: new Date(began + index * 1_000),
      ...details,
    })),
  };
}
