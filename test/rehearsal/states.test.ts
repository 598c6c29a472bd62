// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates and definitions have them.
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import { messagesOf } from '../../rehearsal/services/sns/topics.ts';
import { eventually } from '../support/eventually.ts';
import { deploy } from './support/account.ts';
import { temporaryFolder, writeAssembly } from './support/assembly.ts';
import { lambdaFunction, role, stateMachine } from './support/resources.ts';

/** Fails with the error of the event's name until the attempt that the event says, as a phase that waits does. */
const waiter = `
let calls = 0;
export const handler = async (event, context) => {
  calls += 1;
  if (event.hang) await new Promise((resolve) => setTimeout(resolve, 60000));
  if (event.exit) process.exit(3);
  if (event.forget) { Promise.reject(new Error('nobody caught this')); await new Promise((resolve) => setTimeout(resolve, 1000)); }
  if (event.big) return { text: 'x'.repeat(300000) };
  if (calls < (event.succeedAt ?? 1)) {
    const error = new Error('call ' + calls + ' of ' + event.site);
    error.name = 'NodeStillStarting';
    throw error;
  }
  if (event.fail) throw Object.assign(new Error('no node came up'), { name: 'NodeFailedToStart' });
  return { calls, retries: event.retries, execution: event.execution, name: context.functionName };
};`;

const task = {
  Type: 'Task',
  Resource: '${Waiter}',
  Parameters: {
    site: '${Site}',
    'execution.$': '$$.Execution.Id',
    'succeedAt.$': '$.succeedAt',
    'fail.$': '$.fail',
    'retries.$': '$$.State.RetryCount',
  },
  Retry: [
    {
      ErrorEquals: ['NodeStillStarting'],
      IntervalSeconds: 2,
      MaxDelaySeconds: 3,
      MaxAttempts: 5,
      BackoffRate: 2,
      JitterStrategy: 'FULL',
    },
  ],
  ResultPath: '$.node',
};

const definition = {
  StartAt: 'Start one node',
  States: {
    'Start one node': {
      ...task,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Notify the operator' }],
      End: true,
    },
    'Notify the operator': {
      Type: 'Task',
      Resource: 'arn:aws:states:::sns:publish',
      Parameters: { TopicArn: '${Topic}', Subject: 'failed', 'Message.$': '$.failure.Cause' },
      ResultPath: null,
      Next: 'Install failed',
    },
    'Install failed': { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
  },
};

const flow = {
  StartAt: 'Replace everything',
  States: {
    'Replace everything': {
      Type: 'Task',
      Resource: '${Waiter}',
      ResultSelector: { 'checked.$': '$' },
      ResultPath: '$',
      Next: 'Which way',
    },
    'Which way': {
      Type: 'Choice',
      Choices: [{ Variable: '$.checked.calls', NumericGreaterThan: 1000, Next: 'Never' }],
      Default: 'Wait a minute',
    },
    Never: { Type: 'Fail' },
    'Wait a minute': { Type: 'Wait', Seconds: 60, Next: 'Add' },
    Add: { Type: 'Pass', Result: { more: true }, ResultPath: '$.added.here', Next: 'Done' },
    Done: { Type: 'Succeed', OutputPath: '$.added' },
  },
};

const approval = {
  StartAt: 'Plan',
  States: {
    Plan: { Type: 'Pass', Result: { minutes: 1 }, ResultPath: '$.plan', Next: 'Wait for approval' },
    'Wait for approval': {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      Parameters: {
        FunctionName: '${Waiter}',
        Payload: { site: 'demo', 'token.$': '$$.Task.Token', 'fail.$': '$.fail' },
      },
      TimeoutSecondsPath: '$.seconds',
      HeartbeatSeconds: 300,
      ResultPath: '$.approval',
      Catch: [
        { ErrorEquals: ['States.Timeout'], ResultPath: '$.failure', Next: 'Nobody answered' },
        { ErrorEquals: ['ApprovalRefused'], ResultPath: '$.failure', Next: 'Refused' },
      ],
      Next: 'Upgrade',
    },
    Upgrade: {
      Type: 'Pass',
      Parameters: {
        'asked.$': '$$.Execution.Input.seconds',
        'plan.$': '$.plan.minutes',
        'by.$': '$.approval.by',
        'begun.$': '$$.Execution.StartTime',
      },
      End: true,
    },
    'Nobody answered': { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
    Refused: { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
  },
};

function single(state: object): object {
  return { StartAt: 'Only', States: { Only: { Type: 'Task', Resource: '${Waiter}', End: true, ...state } } };
}

const substitutions = {
  Waiter: { 'Fn::GetAtt': ['Waiter', 'Arn'] },
  Topic: { Ref: 'Topic' },
  Site: 'demo',
};

const invokeAll = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' };
const publishAll = { Effect: 'Allow', Action: 'sns:Publish', Resource: { Ref: 'Topic' } };

const cdkOut = writeAssembly(
  {
    Demo: {
      template: {
        Resources: {
          Topic: { Type: 'AWS::SNS::Topic' },
          WaiterRole: role('lambda.amazonaws.com'),
          Waiter: lambdaFunction('WaiterRole', 'waiter', { Timeout: 2 }),
          MachineRole: role('states.amazonaws.com', invokeAll, publishAll),
          PoorRole: role('states.amazonaws.com'),
          Install: stateMachine('MachineRole', definition, substitutions),
          Denied: stateMachine('PoorRole', single({}), substitutions),
          Plain: stateMachine('MachineRole', single({}), substitutions),
          Limited: stateMachine('MachineRole', single({ TimeoutSeconds: 1 }), substitutions),
          Flow: stateMachine('MachineRole', flow, substitutions),
          Approval: stateMachine('MachineRole', approval, substitutions),
          Odd: stateMachine('MachineRole', single({ Parameters: { 'a.$': '$.absent' } }), substitutions),
        },
        Outputs: Object.fromEntries(
          ['Install', 'Denied', 'Plain', 'Limited', 'Flow', 'Approval', 'Odd'].map((name) => [
            name,
            { Value: { Ref: name } },
          ]),
        ),
      },
    },
  },
  { waiter: { 'index.mjs': waiter } },
);

describe('state machines', () => {
  const directory = temporaryFolder();
  let account: Account;
  let client: SFNClient;

  beforeAll(async () => {
    account = await deploy(cdkOut, { directory });
    client = new SFNClient(account.clientConfiguration);
  });
  afterAll(() => account.close());

  async function run(machine: string, input: object, name?: string) {
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn: account.output(machine), name, input: JSON.stringify(input) }),
    );
    for (;;) {
      const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
      if (execution.status !== 'RUNNING') return { ...execution, executionArn, events: await historyOf(executionArn) };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function historyOf(executionArn: string | undefined): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 3, nextToken }));
      events.push(...(page.events ?? []));
      nextToken = page.nextToken;
    } while (nextToken);
    return events;
  }

  it('retries a wait until it is over, and keeps the history that Step Functions would', async () => {
    const { status, output, events, executionArn } = await run('Install', { succeedAt: 3, fail: false });
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '').node).toMatchObject({ calls: 3, retries: 2, execution: executionArn });
    expect(events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      ...['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionFailed'],
      ...['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionFailed'],
      ...['LambdaFunctionScheduled', 'LambdaFunctionStarted', 'LambdaFunctionSucceeded'],
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect(events.map(({ previousEventId }) => previousEventId)).toEqual([
      0,
      0,
      ...events.slice(2).map((_, i) => i + 2),
    ]);
    expect(events[1]?.stateEnteredEventDetails?.name).toBe('Start one node');
    expect(events[4]?.lambdaFunctionFailedEventDetails).toMatchObject({ error: 'NodeStillStarting' });
    expect(JSON.parse(events[4]?.lambdaFunctionFailedEventDetails?.cause ?? '')).toMatchObject({
      errorType: 'NodeStillStarting',
      errorMessage: 'call 1 of demo',
      trace: expect.arrayContaining([expect.stringContaining('call 1 of demo')]),
    });
    // One state entered and two retries.
    expect(account.transitions(executionArn ?? '')).toBe(3);
  });

  it('catches a failure, notifies, and fails with its error and cause', async () => {
    const { status, error, cause, events } = await run('Install', { succeedAt: 0, fail: true });
    expect(status).toBe('FAILED');
    expect(error).toBe('NodeFailedToStart');
    expect(JSON.parse(cause ?? '').errorMessage).toBe('no node came up');
    expect(events.map(({ type }) => type).slice(5)).toEqual([
      'TaskStateExited',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'FailStateEntered',
      'ExecutionFailed',
    ]);
    const [message] = messagesOf(account.world)
      .entries()
      .map(([, kept]) => kept);
    expect(message).toMatchObject({ subject: 'failed', message: cause });
  });

  it('walks choices, waits and results, a minute in less than a second', async () => {
    const started = Date.now();
    const { status, output, events } = await run('Flow', {});
    expect(status).toBe('SUCCEEDED');
    expect(output).toBe('{"here":{"more":true}}');
    expect(events.filter(({ type }) => type?.endsWith('Entered')).map(({ type }) => type)).toEqual([
      'TaskStateEntered',
      'ChoiceStateEntered',
      'WaitStateEntered',
      'PassStateEntered',
      'SucceedStateEntered',
    ]);
    expect(JSON.parse(events[5]?.stateExitedEventDetails?.output ?? '')).toEqual({ checked: expect.anything() });
    expect(Date.now() - started).toBeGreaterThan(600);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('checks the role of the state machine before it invokes', async () => {
    const { status, error, cause } = await run('Denied', {});
    expect(status).toBe('FAILED');
    expect(error).toBe('Lambda.AWSLambdaException');
    expect(cause).toMatch(/is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:/);
  });

  it('ends a function at its time-out and a task at its TimeoutSeconds', async () => {
    const byFunction = await run('Plain', { hang: true });
    expect(byFunction.error).toBe('Sandbox.Timedout');
    expect(JSON.parse(byFunction.cause ?? '').errorMessage).toMatch(/Task timed out after 2\.00 seconds$/);
    const byTask = await run('Limited', { hang: true });
    expect(byTask.error).toBe('States.Timeout');
    expect(byTask.events.map(({ type }) => type).slice(2)).toEqual([
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionTimedOut',
      'ExecutionFailed',
    ]);
  });

  it('tells a crash of the process', async () => {
    const { error, cause } = await run('Plain', { exit: true });
    expect(error).toBe('Runtime.ExitError');
    expect(JSON.parse(cause ?? '').errorMessage).toMatch(/Runtime exited with error: exit status 3$/);
    const forgotten = await run('Plain', { forget: true });
    expect(forgotten.error).toBe('Runtime.UnhandledPromiseRejection');
    expect(JSON.parse(forgotten.cause ?? '').errorMessage).toBe('nobody caught this');
    expect((await run('Plain', {})).status).toBe('SUCCEEDED');
  });

  it('fails on data above the limit and on a path to nothing', async () => {
    expect((await run('Plain', { big: true })).error).toBe('States.DataLimitExceeded');
    const odd = await run('Odd', {});
    expect(odd.error).toBe('States.Runtime');
    expect(odd.cause).toContain("executing the state 'Only' (entered at the event id #2)");
  });

  describe('a task that waits for a token', () => {
    async function begin(input: object): Promise<string> {
      const stateMachineArn = account.output('Approval');
      const { executionArn = '' } = await client.send(
        new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
      );
      return executionArn;
    }

    /** As every view finds it: in the execution's own history, once the person has been asked. */
    async function tokenOf(executionArn: string): Promise<string> {
      return eventually(async () => {
        const events = await historyOf(executionArn);
        expect(events.at(-1)?.type).toBe('TaskSubmitted');
        const scheduled = events.findLast(({ type }) => type === 'TaskScheduled')?.taskScheduledEventDetails;
        return JSON.parse(scheduled?.parameters ?? '').Payload.token;
      });
    }

    const ended = (executionArn: string) =>
      eventually(async () => {
        const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
        expect(execution.status).not.toBe('RUNNING');
        return execution;
      });

    it('goes on with what the token’s holder answers, once', async () => {
      const executionArn = await begin({ seconds: 600, fail: false });
      const taskToken = await tokenOf(executionArn);
      await client.send(new SendTaskHeartbeatCommand({ taskToken }));
      const answer = (output: string) => client.send(new SendTaskSuccessCommand({ taskToken, output }));
      await expect(answer('{')).rejects.toMatchObject({ name: 'InvalidOutput' });
      await answer('{"by":"the operator"}');
      const { status, output, startDate } = await ended(executionArn);
      expect(status).toBe('SUCCEEDED');
      const begun = startDate?.toISOString();
      expect(JSON.parse(output ?? '')).toEqual({ asked: 600, plan: 1, by: 'the operator', begun });
      await expect(answer('{}')).rejects.toMatchObject({ name: 'TaskTimedOut' });
      await expect(
        client.send(new SendTaskSuccessCommand({ taskToken: 'made up', output: '{}' })),
      ).rejects.toMatchObject({ name: 'InvalidToken' });
      const events = await historyOf(executionArn);
      expect(events.map(({ type }) => type)).toEqual([
        ...['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'TaskStateEntered'],
        ...['TaskScheduled', 'TaskStarted', 'TaskSubmitted', 'TaskSucceeded', 'TaskStateExited'],
        ...['PassStateEntered', 'PassStateExited', 'ExecutionSucceeded'],
      ]);
      expect(events[4]?.taskScheduledEventDetails).toMatchObject({
        resourceType: 'lambda',
        resource: 'invoke.waitForTaskToken',
        timeoutInSeconds: 600,
        heartbeatInSeconds: 300,
      });
      expect(JSON.parse(events[6]?.taskSubmittedEventDetails?.output ?? '').Payload).toMatchObject({
        calls: expect.any(Number),
      });
    });

    it('fails as the token’s holder says, as the function does, and when nobody answers in time', async () => {
      const refused = await begin({ seconds: 600, fail: false });
      const taskToken = await tokenOf(refused);
      await client.send(new SendTaskFailureCommand({ taskToken, error: 'ApprovalRefused', cause: 'not today' }));
      expect(await ended(refused)).toMatchObject({ status: 'FAILED', error: 'ApprovalRefused', cause: 'not today' });
      expect((await ended(await begin({ seconds: 600, fail: true }))).error).toBe('NodeFailedToStart');
      // A minute, at the rehearsal's pace.
      const late = await begin({ seconds: 60, fail: false });
      expect(await ended(late)).toMatchObject({ status: 'FAILED', error: 'States.Timeout', cause: '' });
      expect((await historyOf(late)).map(({ type }) => type)).toContain('TaskTimedOut');
      expect((await ended(await begin({ fail: false }))).error).toBe('States.Runtime');
    });

    it('is asked again, by a new token, when its execution was stopped and is redriven', async () => {
      const executionArn = await begin({ seconds: 600, fail: false });
      const first = await tokenOf(executionArn);
      await client.send(new StopExecutionCommand({ executionArn, error: 'ByHand', cause: 'a mistake' }));
      expect(await ended(executionArn)).toMatchObject({ status: 'ABORTED', redriveStatus: 'REDRIVABLE' });
      const clientToken = 'once';
      const redrive = () => client.send(new RedriveExecutionCommand({ executionArn, clientToken }));
      const { redriveDate } = await redrive();
      expect((await redrive()).redriveDate).toEqual(redriveDate);
      await expect(client.send(new RedriveExecutionCommand({ executionArn }))).rejects.toMatchObject({
        name: 'ExecutionNotRedrivable',
      });
      const second = await tokenOf(executionArn);
      expect(second).not.toBe(first);
      await expect(client.send(new SendTaskHeartbeatCommand({ taskToken: first }))).rejects.toMatchObject({
        name: 'TaskTimedOut',
      });
      await client.send(new SendTaskSuccessCommand({ taskToken: second, output: '{"by":"another"}' }));
      expect(await ended(executionArn)).toMatchObject({ status: 'SUCCEEDED', redriveCount: 1, redriveDate });
      const events = await historyOf(executionArn);
      const redriven = events.findIndex(({ type }) => type === 'ExecutionRedriven');
      expect(events[redriven]?.executionRedrivenEventDetails).toEqual({ redriveCount: 1 });
      // The state is not entered again; its attempt follows upon its entry.
      expect(events[redriven + 1]).toMatchObject({ type: 'TaskScheduled', previousEventId: 4 });
      // What was found before, and what the execution was begun with, is still there.
      expect(JSON.parse(events.at(-1)?.executionSucceededEventDetails?.output ?? '')).toMatchObject({
        asked: 600,
        plan: 1,
      });
    });
  });

  it('redrives a failed execution from the state that failed; the reverse history shows it first', async () => {
    const failed = await run('Plain', { succeedAt: 100 });
    const { executionArn } = failed;
    expect(failed).toMatchObject({ status: 'FAILED', error: 'NodeStillStarting' });
    await client.send(new RedriveExecutionCommand({ executionArn }));
    const again = await eventually(async () => {
      const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
      expect(execution).toMatchObject({ status: 'FAILED', redriveCount: 1 });
      return execution;
    });
    expect(again.stopDate?.getTime()).toBeGreaterThan(failed.stopDate?.getTime() ?? 0);
    const stateMachineArn = account.output('Plain');
    const first = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'FAILED', maxResults: 1 }),
    );
    expect(first.executions).toMatchObject([{ executionArn, redriveCount: 1 }]);
    const reverse = { executionArn, reverseOrder: true, maxResults: 2 };
    const page = await client.send(new GetExecutionHistoryCommand(reverse));
    expect(page.events?.map(({ type }) => type)).toEqual(['ExecutionFailed', 'LambdaFunctionFailed']);
    const next = await client.send(new GetExecutionHistoryCommand({ ...reverse, nextToken: page.nextToken }));
    const last = page.events?.at(-1)?.id ?? 0;
    expect(next.events?.map(({ id }) => id)).toEqual([last - 1, last - 2]);
  });

  it('answers the same name with the same execution only while it runs with the same input', async () => {
    const stateMachineArn = account.output('Plain');
    const start = (input: string) => client.send(new StartExecutionCommand({ stateMachineArn, name: 'same', input }));
    const first = await start('{"hang":true}');
    expect((await start('{"hang":true}')).executionArn).toBe(first.executionArn);
    await expect(start('{}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await client.send(new StopExecutionCommand({ executionArn: first.executionArn, cause: 'by the test' }));
    await expect(start('{"hang":true}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    expect(await client.send(new DescribeExecutionCommand({ executionArn: first.executionArn }))).toMatchObject({
      status: 'ABORTED',
      cause: 'by the test',
    });
    await expect(client.send(new StartExecutionCommand({ stateMachineArn, name: 'a b' }))).rejects.toMatchObject({
      name: 'InvalidName',
    });
    await expect(client.send(new StartExecutionCommand({ stateMachineArn, input: '{' }))).rejects.toMatchObject({
      name: 'InvalidExecutionInput',
    });
  });

  it('keeps executions; what ran when it was closed is aborted', async () => {
    const { executionArn } = await client.send(
      new StartExecutionCommand({ stateMachineArn: account.output('Plain'), name: 'left', input: '{"hang":true}' }),
    );
    await account.close();
    account = await deploy(cdkOut, { directory });
    client = new SFNClient(account.clientConfiguration);
    const left = await client.send(new DescribeExecutionCommand({ executionArn }));
    expect(left).toMatchObject({ status: 'ABORTED', cause: 'The rehearsal ended while this execution ran.' });
    expect((await historyOf(executionArn)).at(-1)?.type).toBe('ExecutionAborted');
  });
});

describe('a state machine that cannot be run', () => {
  const refused: [string, object, RegExp][] = [
    ['an unknown resource', single({ Resource: 'arn:aws:states:::sqs:sendMessage' }), /cannot run the resource/],
    [
      'a function that is not there',
      single({ Resource: 'arn:aws:lambda:eu-west-1:111122223333:function:x' }),
      /no function/,
    ],
    [
      'a parallel state',
      {
        StartAt: 'P',
        States: {
          P: { Type: 'Parallel', Branches: [single({ Resource: 'arn:aws:states:::sns:publish' })], End: true },
        },
      },
      /type Parallel/,
    ],
    [
      'a path of the context that is not filled',
      single({ Parameters: { 'a.$': '$$.Task.Token' } }),
      /\$\$\.Task\.Token/,
    ],
    [
      'a wait for a token that nobody is given',
      single({
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        Parameters: { FunctionName: '${Waiter}', Payload: {} },
      }),
      /gives to nobody/,
    ],
    ['a limit from the input of any other task', single({ TimeoutSecondsPath: '$.seconds' }), /TimeoutSecondsPath/],
    ['a missing next state', single({ Next: 'Nowhere', End: undefined }), /not valid/],
  ];

  it.each(refused)('is refused for %s', async (_, bad, expected) => {
    const assembly = writeAssembly(
      {
        Demo: {
          template: {
            Resources: {
              WaiterRole: role('lambda.amazonaws.com'),
              Waiter: lambdaFunction('WaiterRole', 'waiter'),
              MachineRole: role('states.amazonaws.com'),
              Machine: stateMachine('MachineRole', bad, { Waiter: substitutions.Waiter }),
            },
          },
        },
      },
      { waiter: { 'index.mjs': waiter } },
    );
    await expect(deploy(assembly)).rejects.toThrow(expected);
  });
});
