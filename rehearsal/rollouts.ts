import { ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { RehearsalOptions } from './options.ts';
import type { Rehearsal } from './rehearse.ts';
import { nextTime } from './services/scheduler/expression.ts';
import { fireSchedule } from './services/scheduler/fire.ts';
import { schedulesOf } from './services/scheduler/schedules.ts';

/** A rollout that this rehearsal is to do. */
export interface PlannedRollout {
  readonly title: string;
  /** @returns ARN of its execution */
  start(): Promise<string>;
}

/** The rollouts that were asked for, in their order: a site is installed before it is updated, and once is enough. */
export async function plannedRollouts(rehearsal: Rehearsal, options: RehearsalOptions): Promise<PlannedRollout[]> {
  const install: PlannedRollout = { title: 'install', start: () => startInstall(rehearsal, options) };
  if (options.rollout === 'install') return [install];
  const update: PlannedRollout = {
    title: 'plugin-update',
    start: () => (options.bySchedule ? fire(rehearsal) : startUpdate(rehearsal, options)),
  };
  return (await isInstalled(rehearsal)) ? [update] : [install, update];
}

async function isInstalled({ stepFunctions, installStateMachineArn }: Rehearsal): Promise<boolean> {
  const { executions = [] } = await stepFunctions.send(
    new ListExecutionsCommand({
      stateMachineArn: installStateMachineArn,
      statusFilter: 'SUCCEEDED',
      maxResults: 1,
    }),
  );
  return executions.length > 0;
}

async function startInstall(rehearsal: Rehearsal, { nodes, finish, adminIp }: RehearsalOptions): Promise<string> {
  return start(rehearsal, rehearsal.installStateMachineArn, {
    nodes,
    finish,
    ...(finish === 'browser' ? { adminIp } : {}),
    reason: 'rehearsal',
  });
}

function startUpdate(rehearsal: Rehearsal, { input }: RehearsalOptions): Promise<string> {
  return start(rehearsal, updateMachine(rehearsal), { reason: 'rehearsal', ...input });
}

/** As the schedule's next time would. @throws Error when none starts plugin updates; what IAM or Step Functions answers */
function fire(rehearsal: Rehearsal): Promise<string> {
  const { world } = rehearsal.account;
  const machine = updateMachine(rehearsal);
  const schedule = [...schedulesOf(world).values()].find(({ target }) => target.arn === machine);
  if (!schedule) throw new Error('No schedule of the templates starts plugin updates.');
  return fireSchedule(world, schedule, nextTime(schedule.expression, Date.now()) ?? Date.now());
}

async function start({ stepFunctions }: Rehearsal, stateMachineArn: string, input: object): Promise<string> {
  const started = await stepFunctions.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  return started.executionArn ?? '';
}

const updateMachine = ({ account }: Rehearsal) => account.output('PluginUpdateStateMachineArn');
