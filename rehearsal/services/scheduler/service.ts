import { AwsError, type Operation, type Service } from '../../endpoint/service.ts';
import { arn, type World } from '../../world.ts';
import { type Schedule, scheduleGroupsOf, schedulesOf } from './schedules.ts';

/** EventBridge Scheduler, as far as looking at schedules goes. */
export function schedulerService(world: World): Service {
  return {
    signingName: 'scheduler',
    protocol: 'rest-json',
    paths: {
      'GET /schedules/{Name}': 'GetSchedule',
      'GET /schedules': 'ListSchedules',
      'GET /schedule-groups': 'ListScheduleGroups',
    },
    operations: {
      GetSchedule: getSchedule(world),
      ListSchedules: listSchedules(world),
      ListScheduleGroups: listScheduleGroups(world),
    },
  };
}

const scheduleArn = (world: World, groupName: string, name: string) =>
  arn(world, 'scheduler', `schedule/${groupName}/${name}`);

const getSchedule = (world: World): Operation<{ Name: string; groupName?: string }> => ({
  members: ['Name', 'groupName'],
  required: ['Name'],
  permissions: ({ Name, groupName = 'default' }) => [
    { action: 'scheduler:GetSchedule', resource: scheduleArn(world, groupName, Name) },
  ],
  run({ Name, groupName = 'default' }) {
    const found = schedulesOf(world).get(scheduleArn(world, groupName, Name));
    if (!found) throw new AwsError('ResourceNotFoundException', `Schedule ${Name} does not exist.`, 404);
    return {
      ...summary(found),
      Description: found.description,
      FlexibleTimeWindow:
        found.flexibleMinutes === 0
          ? { Mode: 'OFF' }
          : { Mode: 'FLEXIBLE', MaximumWindowInMinutes: found.flexibleMinutes },
      ScheduleExpression: found.expressionText,
      ScheduleExpressionTimezone: found.timeZone,
      Target: found.target.given,
    };
  },
});

interface ListInput {
  readonly ScheduleGroup?: string;
  readonly NamePrefix?: string;
  readonly State?: string;
}

const listSchedules = (world: World): Operation<ListInput> => ({
  members: ['ScheduleGroup', 'NamePrefix', 'State', 'MaxResults', 'NextToken'],
  permissions: () => [{ action: 'scheduler:ListSchedules', resource: '*' }],
  run: ({ ScheduleGroup, NamePrefix = '', State }) => ({
    Schedules: [...schedulesOf(world).values()]
      .filter(({ groupName }) => ScheduleGroup === undefined || groupName === ScheduleGroup)
      .filter(({ name, state }) => name.startsWith(NamePrefix) && (State === undefined || state === State))
      .map((schedule) => ({ ...summary(schedule), Target: { Arn: schedule.target.arn } })),
  }),
});

function summary({ arn: Arn, name, groupName, state, created }: Schedule): object {
  return { Arn, Name: name, GroupName: groupName, State: state, CreationDate: created, LastModificationDate: created };
}

const listScheduleGroups = (world: World): Operation => ({
  members: ['NamePrefix', 'MaxResults', 'NextToken'],
  permissions: () => [{ action: 'scheduler:ListScheduleGroups', resource: '*' }],
  run: () => ({
    ScheduleGroups: [...scheduleGroupsOf(world)].map((Name) => ({
      Name,
      Arn: arn(world, 'scheduler', `schedule-group/${Name}`),
      State: 'ACTIVE',
    })),
  }),
});
