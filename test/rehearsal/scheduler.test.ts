import { GetScheduleCommand, ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import { nextTime, parseExpression } from '../../rehearsal/services/scheduler/expression.ts';
import { deadLettersOf, fireSchedule } from '../../rehearsal/services/scheduler/fire.ts';
import { schedulesOf } from '../../rehearsal/services/scheduler/schedules.ts';
import { executionsOf } from '../../rehearsal/states/execution-store.ts';
import { eventually } from '../support/eventually.ts';
import { deploy } from './support/account.ts';
import { writeAssembly } from './support/assembly.ts';
import { role, stateMachine } from './support/resources.ts';

describe('a schedule expression', () => {
  const cases: [string, string, string, string | undefined][] = [
    ['cron(0 3 ? * SUN *)', 'Europe/Berlin', '2026-11-21T16:00:00Z', '2026-11-22T02:00:00.000Z'],
    ['cron(0 3 ? * SUN *)', 'Europe/Berlin', '2026-11-22T02:00:00Z', '2026-11-29T02:00:00.000Z'],
    ['cron(0/20 8-10 * * ? *)', 'UTC', '2026-11-21T08:41:00Z', '2026-11-21T09:00:00.000Z'],
    ['cron(15 10 ? * 6L 2026-2027)', 'UTC', '2026-11-21T00:00:00Z', '2026-11-27T10:15:00.000Z'],
    ['cron(0 12 ? JAN,JUL MON#1 *)', 'America/New_York', '2026-11-21T00:00:00Z', '2027-01-04T17:00:00.000Z'],
    ['cron(59 23 L * ? *)', 'UTC', '2027-02-01T00:00:00Z', '2027-02-28T23:59:00.000Z'],
    // In that night the clocks go from two to three: that day has no such time.
    ['cron(30 2 * * ? *)', 'Europe/Berlin', '2027-03-27T12:00:00Z', '2027-03-29T00:30:00.000Z'],
    // And from three back to two: the first of both.
    ['cron(30 2 * * ? *)', 'Europe/Berlin', '2027-10-30T12:00:00Z', '2027-10-31T00:30:00.000Z'],
    ['cron(0 0 1 1 ? 2020)', 'UTC', '2026-11-21T00:00:00Z', undefined],
    ['rate(5 minutes)', 'UTC', '2026-11-21T00:00:00Z', '2026-11-21T00:05:00.000Z'],
    ['at(2026-12-24T18:00:00)', 'Asia/Tokyo', '2026-11-21T00:00:00Z', '2026-12-24T09:00:00.000Z'],
    ['at(2026-12-24T18:00:00)', 'UTC', '2026-12-24T18:00:00Z', undefined],
  ];

  it.each(cases)('%s in %s after %s is due at %s', (text, timeZone, after, due) => {
    const next = nextTime(parseExpression(text, timeZone), Date.parse(after));
    expect(next === undefined ? undefined : new Date(next).toISOString()).toBe(due);
  });

  it.each([
    'cron(0 3 * * * *)',
    'cron(0 3 ? * SUN)',
    'cron(60 3 * * ? *)',
    'cron(0 3 1W * ? *)',
    'rate(0 days)',
    'often',
  ])('%s is refused', (text) => expect(() => parseExpression(text, 'UTC')).toThrow());
});

const pass = { StartAt: 'Only', States: { Only: { Type: 'Pass', End: true } } };
const queue = { 'Fn::GetAtt': ['Queue', 'Arn'] };

function schedule(roleId: string, expression: string, more: object = {}): object {
  return {
    ScheduleExpression: expression,
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: {
      Arn: { Ref: 'Machine' },
      RoleArn: { 'Fn::GetAtt': [roleId, 'Arn'] },
      Input: '{"reason":"scheduled","at":"<aws.scheduler.scheduled-time>"}',
      DeadLetterConfig: { Arn: queue },
      RetryPolicy: { MaximumRetryAttempts: 0 },
    },
    ...more,
  };
}

const template = (properties: Readonly<Record<string, object>>) => ({
  Demo: {
    template: {
      Resources: {
        MachineRole: role('states.amazonaws.com'),
        Machine: stateMachine('MachineRole', pass),
        Queue: { Type: 'AWS::SQS::Queue' },
        Group: { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'updates' } },
        May: role(
          'scheduler.amazonaws.com',
          { Effect: 'Allow', Action: 'states:StartExecution', Resource: { Ref: 'Machine' } },
          { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queue },
        ),
        MayNot: role('scheduler.amazonaws.com', { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queue }),
        ...Object.fromEntries(
          Object.entries(properties).map(([id, Properties]) => [
            id,
            { Type: 'AWS::Scheduler::Schedule', DependsOn: 'Group', Properties },
          ]),
        ),
      },
      Outputs: { Queue: { Value: queue } },
    },
  },
});

describe('EventBridge Scheduler', () => {
  let account: Account;
  beforeAll(async () => {
    const assembly = writeAssembly(
      template({
        Hourly: schedule('May', 'rate(1 hour)', { Name: 'hourly' }),
        Nightly: schedule('May', 'cron(0 3 * * ? *)', {
          Name: 'nightly',
          GroupName: 'updates',
          ScheduleExpressionTimezone: 'Europe/Berlin',
          FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 30 },
          State: 'DISABLED',
        }),
        Denied: schedule('MayNot', 'cron(0 3 * * ? *)', { Name: 'denied', State: 'DISABLED' }),
      }),
    );
    account = await deploy(assembly, { pace: 10_000 });
  });
  afterAll(() => account?.close());

  it('starts executions by the clock, at the rehearsal’s pace', async () => {
    await eventually(() => expect(executionsOf(account.world).entries().length).toBeGreaterThan(1));
    const [first, second] = executionsOf(account.world)
      .entries()
      .map(([, { input }]) => JSON.parse(input) as { reason: string; at: string });
    expect(first?.reason).toBe('scheduled');
    expect(Date.parse(second?.at ?? '') - Date.parse(first?.at ?? '')).toBe(3_600_000);
  });

  it('shows what it has', async () => {
    const client = new SchedulerClient(account.clientConfiguration);
    const nightly = await client.send(new GetScheduleCommand({ Name: 'nightly', GroupName: 'updates' }));
    expect(nightly).toMatchObject({
      ScheduleExpression: 'cron(0 3 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 30 },
      State: 'DISABLED',
      Target: { Arn: expect.stringContaining(':stateMachine:') },
    });
    const { Schedules } = await client.send(new ListSchedulesCommand({ GroupName: 'default', State: 'DISABLED' }));
    expect(Schedules?.map(({ Name }) => Name)).toEqual(['denied']);
    await expect(client.send(new GetScheduleCommand({ Name: 'nightly' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('fires on demand, as its role; what it may not start lies in the dead-letter queue', async () => {
    const find = (name: string) => {
      const found = [...schedulesOf(account.world).values()].find((one) => one.name === name);
      if (!found) throw new Error(`no ${name}`);
      return found;
    };
    const executionArn = await fireSchedule(account.world, find('nightly'), Date.parse('2026-11-22T02:00:00Z'));
    const started = executionsOf(account.world).get(executionArn);
    expect(JSON.parse(started?.input ?? '')).toEqual({ reason: 'scheduled', at: '2026-11-22T02:00:00Z' });
    await expect(fireSchedule(account.world, find('denied'), Date.now())).rejects.toThrow(/states:StartExecution/);
    const letters = deadLettersOf(account.world).entries();
    expect(letters).toMatchObject([[expect.any(String), { queueArn: account.output('Queue') }]]);
  });

  const refused: [string, object, RegExp][] = [
    [
      'a target that is neither a state machine nor a function',
      { Target: { Arn: 'arn:aws:sqs:eu-west-1:1:q', RoleArn: 'x' } },
      /state machines and functions/,
    ],
    ['a group that is not there', { GroupName: 'none' }, /no schedule group/],
    ['a role that the scheduler may not take on', schedule('MachineRole', 'rate(1 day)'), /does not trust/],
    ['a begin', { StartDate: '2027-01-01T00:00:00Z' }, /StartDate/],
  ];

  it.each(refused)('is refused with %s', async (_, change, expected) => {
    const assembly = writeAssembly(template({ Bad: { ...schedule('May', 'rate(1 day)'), ...change } }));
    await expect(deploy(assembly)).rejects.toThrow(expected);
  });
});
