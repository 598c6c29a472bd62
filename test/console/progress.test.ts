import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { describe, expect, test } from 'vitest';
import { retryAfter } from '../../console/model/retry-schedule.ts';
import { type Phase, type ReadOptions, readProgress } from '../../console/progress.ts';
import { definition, History, installed, installing, putBack } from './history.ts';

const read = (history: History, options: ReadOptions = {}) =>
  readProgress(definition, history.execution, history.events, options);

const find = (phases: readonly Phase[], title: string) => phases.find((phase) => phase.title === title);

test('phases in the order of the definition, with its comments; the way back apart', () => {
  const { phases, wayBack } = read(new History());
  expect(phases.map(({ title }) => title)).toEqual([
    'Check the site',
    'Build image',
    'Start one node',
    'Wait for install',
    'Fix lastip',
    'Configure cache stores',
    'Enable session caching',
    'Scale out',
    'Verify the site',
    'Release the site',
  ]);
  expect(phases.every(({ comment, status }) => comment && status === 'pending')).toBe(true);
  expect(wayBack.map(({ title }) => title)).toEqual(
    expect.arrayContaining(['Put back', 'Notify the operator', 'Notify that the site is held']),
  );
});

test('a phase between two attempts waits, and tells why', () => {
  const progress = read(installing());
  expect(progress).toMatchObject({ status: 'running', failure: undefined, next: undefined });
  expect(find(progress.phases, 'Wait for install')).toMatchObject({
    status: 'waiting',
    attempts: 1,
    problem: { error: 'InstallStillRunning', cause: '120 of 483 tables, 14 s of about 40 s' },
    endedAt: undefined,
  });
  expect(find(progress.phases, 'Start one node')).toMatchObject({
    status: 'succeeded',
    attempts: 2,
    evidence: { desired: 1, autoscaling: 'suspended' },
  });
  expect(find(progress.phases, 'Fix lastip')?.status).toBe('pending');
});

test('the next attempt runs, the last cause stays', () => {
  expect(find(read(installing().begin(10)).phases, 'Wait for install')).toMatchObject({
    status: 'running',
    attempts: 2,
    problem: { error: 'InstallStillRunning' },
  });
});

test('a success has evidence of every phase and nothing to type', () => {
  const progress = read(installed());
  expect(progress).toMatchObject({ status: 'succeeded', failure: undefined, next: undefined });
  expect(progress.phases.every(({ status }) => status === 'succeeded')).toBe(true);
  expect(progress.wayBack.every(({ status }) => status === 'skipped')).toBe(true);
  const { startedAt, endedAt } = find(progress.phases, 'Enable session caching') ?? {};
  expect((endedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)).toBe(31_000);
});

test('a failure that was put back: phase, cause, what was skipped, and the command with the same input', () => {
  const progress = read(putBack(), { rehearsal: { endpointUrl: 'http://127.0.0.1:4000' } });
  expect(progress.failure).toMatchObject({
    phase: 'Wait for install',
    error: 'InstallFailed',
    cause: expect.stringContaining("somebody's data"),
  });
  expect(find(progress.phases, 'Fix lastip')?.status).toBe('skipped');
  expect(find(progress.wayBack, 'Put back')).toMatchObject({ status: 'succeeded', evidence: { sessions: 'database' } });
  expect(find(progress.wayBack, 'Notify the operator')).toMatchObject({ status: 'succeeded', attempts: 1 });
  expect(find(progress.wayBack, 'Notify that the site is held')?.status).toBe('skipped');
  expect(progress.outcome).toBe('put back');
  expect(progress.next).toEqual({
    command:
      'npx lifecycle retry arn:aws:states:eu-west-1:111122223333:execution:DemoInstall:first-install ' +
      '--endpoint-url http://127.0.0.1:4000',
    why: expect.stringContaining('no phase is left to resume'),
  });
});

test('what the way back undid shows as such, the rest as it is', () => {
  const history = installing()
    .begin(10)
    .fail('InstallFailed', 'no')
    .exit('Wait for install')
    .phase('Put back', {
      outcome: 'put back',
      phasesPutBack: ['Start one node', 'Scale out'],
      cause: 'x\nPut back: y.',
    })
    .end('FAILED', 'InstallFailed', 'no');
  const { phases, outcome } = read(history);
  expect(outcome).toBe('put back');
  expect(phases.slice(0, 4).map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'put back', 'failed']);
  expect(find(phases, 'Scale out')?.status).toBe('skipped');
});

test.each([
  ['refused', 'refused'],
  ['nothing changed', 'nothing changed'],
  ['not all put back', 'failed'],
  ['put back', 'put back'],
])('of a way back that says “%s” the outcome is %s', (told, outcome) => {
  const history = new History()
    .enter('Check the site')
    .begin()
    .fail('SiteHeld', 'by another')
    .exit('Check the site')
    .phase('Put back', { outcome: told })
    .end('FAILED', 'SiteHeld', 'by another');
  const progress = read(history);
  expect(progress.outcome).toBe(outcome);
  const foundNothing = outcome === 'refused' || outcome === 'nothing changed';
  expect(find(progress.wayBack, 'Put back')?.status).toBe(foundNothing ? 'not needed' : 'succeeded');
});

test('what Step Functions ended without a cause is told as the way back says it', () => {
  const history = new History()
    .enter('Check the site')
    .begin()
    .fail('States.Timeout', '')
    .exit('Check the site')
    .phase('Put back', { outcome: 'nothing changed' })
    .end('FAILED', 'ApprovalExpired', 'Not approved: Nobody answered.\nNothing of the site was changed.');
  expect(read(history).failure).toMatchObject({ error: 'ApprovalExpired', cause: 'Nobody answered.' });
});

test('while it goes back, what was not begun is skipped already', () => {
  const history = installing().begin(10).fail('InstallFailed', 'no').exit('Wait for install').enter('Put back').begin();
  const { phases, wayBack, status } = read(history);
  expect(status).toBe('running');
  expect(find(phases, 'Wait for install')?.status).toBe('failed');
  expect(find(phases, 'Scale out')?.status).toBe('skipped');
  expect(find(wayBack, 'Put back')?.status).toBe('running');
  expect(find(wayBack, 'Notify the operator')?.status).toBe('pending');
});

test('an error that is retried until no attempt is left has failed', () => {
  const { phases } = read(installing().exit('Wait for install').enter('Put back'));
  expect(find(phases, 'Wait for install')?.status).toBe('failed');
});

test('a phase that the execution ended without an exit event has failed too', () => {
  const { phases, failure } = read(installing().end('FAILED', 'InstallStillRunning', 'as it was'));
  expect(find(phases, 'Wait for install')?.status).toBe('failed');
  expect(failure?.phase).toBe('Wait for install');
});

test('a time-out of a function has no cause of its own', () => {
  const history = new History().enter('Check the site').begin().event('LambdaFunctionTimedOut', 90);
  expect(find(read(history).phases, 'Check the site')).toMatchObject({
    status: 'waiting',
    problem: { error: 'States.Timeout', cause: '' },
  });
});

test.each([
  ['ABORTED', 'aborted', /stopped by hand/],
  ['TIMED_OUT', 'timed out', /longer than its state machine allows/],
] as const)('%s: the open phase is to blame, the cause is plain', (status, name, words) => {
  const progress = read(installing().begin().end(status));
  expect(progress.status).toBe(name);
  expect(find(progress.phases, 'Wait for install')?.status).toBe('aborted');
  expect(progress.failure).toMatchObject({ phase: 'Wait for install', cause: expect.stringMatching(words) });
  expect(progress.next?.command).toMatch(/^npx lifecycle retry arn:/);
});

test('a phase of which the output could not be used has failed with the execution’s cause', () => {
  const history = installing().begin().succeed({ tables: 483 }).end('FAILED', 'States.Runtime', 'no such path');
  const { failure, phases } = read(history);
  expect(find(phases, 'Wait for install')?.status).toBe('failed');
  expect(failure).toEqual({
    phase: 'Wait for install',
    error: 'States.Runtime',
    cause: 'no such path',
    lastEvidence: { phase: 'Wait for install', evidence: { tables: 483 } },
  });
});

test('an execution that failed outside every phase still has a cause', () => {
  const { failure } = read(new History().phase('Check the site', {}).end('FAILED', 'States.Runtime', 'no such path'));
  expect(failure).toMatchObject({ phase: undefined, error: 'States.Runtime', cause: 'no such path' });
});

test('a redriven execution goes on in the phase that failed', () => {
  const history = installing().begin().fail('InstallFailed', 'no').event('ExecutionRedriven', 60);
  const redriven = read(history.event('LambdaFunctionScheduled', 0, { previousEventId: 0 }));
  expect(find(redriven.phases, 'Wait for install')).toMatchObject({
    status: 'running',
    attempts: 3,
    endedAt: undefined,
  });
});

test('branches of a Parallel state do not take each other’s events', () => {
  const parallel = JSON.stringify({
    StartAt: 'Both',
    States: { Both: { Type: 'Parallel', Next: 'After' }, After: { Type: 'Task', Catch: [], End: true } },
  });
  const entered = (id: number, previousEventId: number, name: string) => ({
    id,
    previousEventId,
    timestamp: new Date(id * 1000),
    type: 'TaskStateEntered' as const,
    stateEnteredEventDetails: { name },
  });
  const scheduled = (id: number, previousEventId: number) => ({
    id,
    previousEventId,
    timestamp: new Date(id * 1000),
    type: 'LambdaFunctionScheduled' as const,
  });
  const flat = JSON.stringify({
    StartAt: 'A',
    States: { A: { Type: 'Task', Next: 'B' }, B: { Type: 'Task', End: true } },
  });
  const { phases } = readProgress(flat, new History().execution, [
    entered(1, 0, 'A'),
    entered(2, 0, 'B'),
    scheduled(3, 1),
    scheduled(4, 2),
    scheduled(5, 1),
  ]);
  expect(phases.map(({ attempts }) => attempts)).toEqual([2, 1]);
  expect(readProgress(parallel, new History().execution, []).phases.map(({ title }) => title)).toEqual([
    'Both',
    'After',
  ]);
});

describe('states inside of a phase', () => {
  const machine = JSON.stringify({
    StartAt: 'Both',
    States: {
      Both: {
        Type: 'Parallel',
        Branches: [
          {
            StartAt: 'Left',
            States: {
              Left: { Type: 'Task', Retry: [{ ErrorEquals: ['Wait'] }], Catch: [{ Next: 'Mended' }], End: true },
              Mended: { Type: 'Pass', End: true },
            },
          },
          { StartAt: 'Right', States: { Right: { Type: 'Task', End: true } } },
        ],
        Next: 'After',
      },
      After: {
        Type: 'Map',
        ItemProcessor: { StartAt: 'Each', States: { Each: { Type: 'Task', End: true } } },
        End: true,
      },
    },
  });
  const entered = (type: string, name: string) => ({ type: `${type}StateEntered`, stateEnteredEventDetails: { name } });
  const exited = (type: string, name: string) => ({ type: `${type}StateExited`, stateExitedEventDetails: { name } });
  const failed = (error: string) => ({
    type: 'LambdaFunctionFailed',
    lambdaFunctionFailedEventDetails: { error, cause: '{"errorMessage": "why"}' },
  });
  /** Each with the event it follows, as branches interleave. */
  const story: readonly (readonly [previous: number, event: { type: string }])[] = [
    [0, { type: 'ExecutionStarted' }],
    [1, entered('Parallel', 'Both')],
    [2, { type: 'ParallelStateStarted' }],
    [3, entered('Task', 'Left')],
    [3, entered('Task', 'Right')],
    [4, { type: 'LambdaFunctionScheduled' }],
    [5, { type: 'LambdaFunctionScheduled' }],
    [6, failed('Wait')],
    [7, { type: 'LambdaFunctionSucceeded' }],
    [9, exited('Task', 'Right')],
    [8, { type: 'LambdaFunctionScheduled' }],
    [11, failed('Fatal')],
    [12, exited('Task', 'Left')],
    [13, entered('Pass', 'Mended')],
    [14, exited('Pass', 'Mended')],
    [15, { type: 'ParallelStateSucceeded' }],
    [16, exited('Parallel', 'Both')],
    [17, entered('Map', 'After')],
  ];
  const readUntil = (length: number) =>
    readProgress(
      machine,
      new History().execution,
      story.slice(0, length).map(([previousEventId, event], index) => ({
        ...event,
        id: index + 1,
        previousEventId,
        timestamp: new Date(index * 1000),
      })) as HistoryEvent[],
    ).phases;

  test('are part of it: their attempts, their waits, and what was caught inside', () => {
    expect(readUntil(1).map(({ title, status }) => [title, status])).toEqual([
      ['Both', 'pending'],
      ['After', 'pending'],
    ]);
    expect(readUntil(8)[0]).toMatchObject({ status: 'waiting', attempts: 2, problem: { error: 'Wait', cause: 'why' } });
    expect(readUntil(12)[0]).toMatchObject({ status: 'failed' });
    expect(readUntil(13)[0]).toMatchObject({ status: 'running', endedAt: undefined });
    expect(readUntil(17)[0]).toMatchObject({ status: 'succeeded', attempts: 3 });
    expect(readUntil(18)[1]).toMatchObject({ title: 'After', status: 'running' });
  });
});

test('a state that the definition does not have is shown all the same', () => {
  const machine = JSON.stringify({ StartAt: 'Do', States: { Do: { Type: 'Task', End: true } } });
  const history = new History().phase('Do', {}).enter('Something else').begin();
  const { phases } = readProgress(machine, history.execution, history.events);
  expect(phases.map(({ title, status }) => [title, status])).toEqual([
    ['Do', 'succeeded'],
    ['Something else', 'running'],
  ]);
});

describe('the next attempt', () => {
  const retriers = [
    {
      ErrorEquals: ['A'],
      IntervalSeconds: 10,
      BackoffRate: 2,
      MaxAttempts: 4,
      MaxDelaySeconds: 30,
      JitterStrategy: 'FULL',
    },
    { ErrorEquals: ['B', 'States.Timeout'] },
    { ErrorEquals: ['States.TaskFailed'], MaxAttempts: 0 },
    { ErrorEquals: ['States.ALL'], IntervalSeconds: 1, MaxAttempts: 1, BackoffRate: 1 },
  ];

  test.each([
    ['A', [], { delay: 10_000, exact: false, attemptsLeft: 4 }],
    ['A', [1], { delay: 20_000, exact: false, attemptsLeft: 3 }],
    ['A', [2], { delay: 30_000, exact: false, attemptsLeft: 2 }],
    ['A', [4], undefined],
    // The defaults of the language: 1 s, doubled, three times.
    ['B', [9, 2], { delay: 4_000, exact: true, attemptsLeft: 1 }],
    ['States.Timeout', [], { delay: 1_000, exact: true, attemptsLeft: 3 }],
    // The first retrier that names an error decides, also that there is none.
    ['Other', [], undefined],
    ['States.DataLimitExceeded', [], undefined],
  ])('after %s, with %j used, is %j', (error, used, decision) => {
    const decided = retryAfter(retriers, error, used, 1);
    if (decision === undefined) expect(decided).toBeUndefined();
    else expect(decided).toMatchObject(decision);
  });
});

test('in a rehearsal work is looked at more often, and patience with it lasts as long as on AWS', () => {
  const retrier = { IntervalSeconds: 10, BackoffRate: 1, MaxAttempts: 40 };
  const after = (error: string, pace: number) => retryAfter([{ ErrorEquals: [error], ...retrier }], error, [], pace);
  for (const [error, attempts] of [
    ['InstallStillRunning', 400],
    ['TaskStillRunning', 400],
    // Of a person's time, of a clock and of services there is as much less as of every other wait.
    ['AdministratorStillPending', 40],
    ['MaintenanceWindowClosed', 40],
    ['DatabaseUnreachable', 40],
  ] as const) {
    expect(after(error, 10), error).toMatchObject({ delay: 1_000, attemptsLeft: attempts });
    expect(after(error, 1), error).toMatchObject({ delay: 10_000, attemptsLeft: 40 });
  }
});

test('choices are followed in their order, and states that only steer are no phases', () => {
  const machine = JSON.stringify({
    StartAt: 'Which',
    States: {
      Which: { Type: 'Choice', Choices: [{ Next: 'One' }], Default: 'Other' },
      One: { Type: 'Task', Next: 'Last' },
      Other: { Type: 'Pass', Next: 'Last' },
      Last: { Type: 'Wait', Next: 'Done' },
      Done: { Type: 'Succeed' },
    },
  });
  expect(readProgress(machine, new History().execution, []).phases.map(({ title }) => title)).toEqual(['One', 'Last']);
});

test('the output of lambda:invoke is its payload', () => {
  const machine = JSON.stringify({ StartAt: 'Do', States: { Do: { Type: 'Task', End: true } } });
  const history = new History().service('Do', { ExecutedVersion: '$LATEST', Payload: { done: true }, StatusCode: 200 });
  expect(readProgress(machine, history.execution, history.events).phases[0]?.evidence).toEqual({ done: true });
});

test('an input that was refused is not part of the next command', () => {
  const refused = (input: object, error: string) =>
    read(
      new History(input)
        .enter('Check the site')
        .begin()
        .fail(error, 'nodes is 10000, but the site was deployed for at most 10.')
        .exit('Check the site')
        .phase('Put back', { error, cause: `“Check the site” failed (${error})` })
        .service('Notify the operator', { MessageId: 'm-1' })
        .end('FAILED', error, 'nodes is 10000'),
    ).next?.command;
  expect(refused({ nodes: 10_000 }, 'InputInvalid')).toBe('npx lifecycle start install');
  expect(refused({ nodes: 3 }, 'SiteHeld')).toMatch(/^npx lifecycle retry arn:/);
});
