import { requireTrust } from '../../iam/roles.ts';
import { findFunction } from '../../lambda/functions.ts';
import { requireStateMachine } from '../../states/state-machines.ts';
import { physicalName } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { runClock } from './clock.ts';
import { parseExpression } from './expression.ts';
import { universalStart, withoutEffect } from './fire.ts';
import { type Schedule, scheduleGroupsOf, schedulesOf, type Target } from './schedules.ts';

const group: ResourceProvider = {
  type: 'AWS::Scheduler::ScheduleGroup',
  properties: ['Name', 'Tags'],
  create(resource, world) {
    const name = String(resource.properties.Name ?? physicalName(world, resource, 64));
    scheduleGroupsOf(world).add(name);
    return { ref: name, attributes: { Arn: arn(world, 'scheduler', `schedule-group/${name}`) } };
  },
};

const schedule: ResourceProvider = {
  type: 'AWS::Scheduler::Schedule',
  properties: [
    'Description',
    'FlexibleTimeWindow',
    'GroupName',
    'Name',
    'ScheduleExpression',
    'ScheduleExpressionTimezone',
    'State',
    'Target',
    // Nothing is encrypted here.
    'KmsKeyArn',
  ],
  create(resource, world) {
    const { properties } = resource;
    const name = String(properties.Name ?? physicalName(world, resource, 64));
    const groupName = String(properties.GroupName ?? 'default');
    if (!scheduleGroupsOf(world).has(groupName)) throw new Error(`there is no schedule group ${groupName}.`);
    const timeZone = String(properties.ScheduleExpressionTimezone ?? 'UTC');
    const made: Schedule = {
      arn: arn(world, 'scheduler', `schedule/${groupName}/${name}`),
      name,
      groupName,
      ...(properties.Description === undefined ? {} : { description: properties.Description }),
      expressionText: properties.ScheduleExpression,
      expression: parseExpression(properties.ScheduleExpression, timeZone),
      timeZone,
      state: properties.State === 'DISABLED' ? 'DISABLED' : 'ENABLED',
      flexibleMinutes: windowOf(properties.FlexibleTimeWindow),
      target: targetOf(world, resource),
      created: new Date(),
    };
    schedulesOf(world).set(made.arn, made);
    if (made.state === 'ENABLED' && !withoutEffect.includes(made.target.arn)) void runClock(world, made);
    return { ref: name, attributes: { Arn: made.arn } };
  },
};

function requireFunction(world: World, functionArn: string): void {
  if (!findFunction(world, functionArn)) throw new Error(`Target: there is no function ${functionArn}.`);
}

function windowOf({
  Mode,
  MaximumWindowInMinutes = 0,
}: {
  Mode?: string;
  MaximumWindowInMinutes?: number;
} = {}): number {
  if (Mode === 'OFF') return 0;
  if (Mode === 'FLEXIBLE') return Number(MaximumWindowInMinutes);
  throw new Error('FlexibleTimeWindow.Mode is OFF or FLEXIBLE.');
}

const targetMembers = ['Arn', 'DeadLetterConfig', 'Input', 'RetryPolicy', 'RoleArn'];

function targetOf(world: World, { properties }: ResolvedResource): Target {
  const given = properties.Target as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((member) => !targetMembers.includes(member));
  if (unknown.length > 0) throw new Error(`Target: the rehearsal does not know ${unknown.join(', ')}.`);
  const [targetArn, roleArn] = [String(given.Arn), String(given.RoleArn)];
  if (targetArn.includes(':stateMachine:')) requireStateMachine(world, targetArn);
  else if (targetArn.includes(':function:')) requireFunction(world, targetArn);
  else if (targetArn !== universalStart && !withoutEffect.includes(targetArn)) {
    throw new Error(`Target: the rehearsal's schedules start state machines and functions, not ${targetArn}.`);
  }
  requireTrust(world, roleArn, 'scheduler.amazonaws.com');
  const queue = (given.DeadLetterConfig as { Arn?: string } | undefined)?.Arn;
  return {
    arn: targetArn,
    roleArn,
    ...(given.Input === undefined ? {} : { input: String(given.Input) }),
    ...(queue === undefined ? {} : { deadLetterArn: queue }),
    given,
  };
}

export const schedulerProviders: readonly ResourceProvider[] = [group, schedule];
