import { createHash } from 'node:crypto';
import { DescribeTasksCommand, type ECSClient, RunTaskCommand, StopTaskCommand, type Task } from '@aws-sdk/client-ecs';
import { readTaskReport, type TaskReport } from './acknowledgements.ts';
import { TaskStillRunning } from './errors.ts';
import { type Rollout, write } from './hold.ts';
import { type MoodleDatabase, number, textOrNull } from './moodle-database.ts';
import { describeService, listTasks, nodeId, settlingSeconds, whyStopped } from './nodes.ts';
import type { Settings } from './settings.ts';

interface Running {
  readonly ecs: ECSClient;
  readonly database: MoodleDatabase;
  readonly settings: Settings;
}

interface TaskRun {
  readonly taskArn: string | null;
  /** Seconds since 1970, to the microsecond. */
  readonly requestedAt: number;
  /** Seconds since it was asked for. */
  readonly age: number;
}

export interface TaskOptions {
  /** Revision to run; left out: the one that the web service has. */
  readonly taskDefinition?: string;
  /** Words by which `stopTasks` finds it, also when a kill left no other trace of it. */
  readonly startedBy?: string;
}

/**
 * Runs one task of the site's image, once per purpose of an execution, and waits for what it writes.
 *
 * @param command role of the image and its words, for example `['probe', 'session']`
 * @returns the task's own report, its problem without a period at the end; `ok` false, with the problem in plain words, also when it ended without one (then `reported` is false)
 * @throws TaskStillRunning until the task has reported or stopped
 * @throws HoldLost
 */
export async function runTask(
  clients: Running,
  rollout: Rollout,
  purpose: string,
  command: readonly string[],
  options: TaskOptions = {},
): Promise<TaskReport> {
  const { ecs, database, settings } = clients;
  const run = (await readTaskRun(database, rollout, purpose)) ?? (await openTaskRun(database, rollout, purpose));
  const taskArn = run.taskArn ?? (await startTask(clients, rollout, purpose, command, run, options));
  // The task before its report: a task that stopped in between has then written what it had to write.
  const { tasks: [task] = [] } = await ecs.send(
    new DescribeTasksCommand({ cluster: settings.clusterArn, tasks: [taskArn] }),
  );
  const report = await readTaskReport(database, rollout.site, nodeId(taskArn), command[0] ?? '');
  if (report) return report.problem ? { ...report, problem: report.problem.replace(/[.\s]+$/, '') } : report;
  if (!task && run.age < settlingSeconds) {
    throw new TaskStillRunning(`The task “${command.join(' ')}” was asked for (${nodeId(taskArn)}).`);
  }
  if (task && task.lastStatus !== 'STOPPED') {
    throw new TaskStillRunning(
      `The task “${command.join(' ')}” is ${task.lastStatus?.toLowerCase()} (${nodeId(task)}).`,
    );
  }
  const problem = `the task ended without a report (${task ? why(task) : 'ECS no longer knows it'})`;
  return { ok: false, problem, reported: false };
}

/** Lets the next call of `runTask` for this purpose run another task. */
export async function forgetTask(database: MoodleDatabase, rollout: Rollout, purpose: string): Promise<void> {
  await write(
    database,
    rollout,
    `DELETE FROM moodle_lifecycle.task_run
      WHERE site = :site AND execution = :execution AND purpose = :purpose AND {held}`,
    { purpose },
    { orNone: true },
  );
}

/** Seconds since this execution asked for the task; undefined when it has not. */
export async function taskAge(
  database: MoodleDatabase,
  rollout: Rollout,
  purpose: string,
): Promise<number | undefined> {
  return (await readTaskRun(database, rollout, purpose))?.age;
}

/** The node that this execution's task of this purpose is; undefined while none was started. */
export async function taskNode(
  database: MoodleDatabase,
  rollout: Rollout,
  purpose: string,
): Promise<string | undefined> {
  const taskArn = (await readTaskRun(database, rollout, purpose))?.taskArn;
  return taskArn ? nodeId(taskArn) : undefined;
}

const why = (task: Task) => whyStopped(task).replace(/^node \S+ /, '');

async function readTaskRun(database: MoodleDatabase, rollout: Rollout, purpose: string): Promise<TaskRun | undefined> {
  const { now, epoch } = database.dialect;
  const [row] = await database.query(
    `SELECT task_arn, ${epoch('requested_at')} AS requested_at, ${epoch(now)} - ${epoch('requested_at')} AS age
       FROM moodle_lifecycle.task_run WHERE site = :site AND execution = :execution AND purpose = :purpose`,
    { ...rollout, purpose },
  );
  if (!row) return undefined;
  return {
    taskArn: textOrNull(row, 'task_arn'),
    requestedAt: number(row, 'requested_at'),
    age: number(row, 'age'),
  };
}

async function openTaskRun(database: MoodleDatabase, rollout: Rollout, purpose: string): Promise<TaskRun> {
  const { now, orUpdate } = database.dialect;
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.task_run (site, execution, purpose, requested_at)
     SELECT :site, :execution, :purpose, ${now} WHERE {held}
     ${orUpdate(['site', 'execution', 'purpose'], ['requested_at'])}`,
    { purpose },
  );
  const run = await readTaskRun(database, rollout, purpose);
  if (!run) throw new TypeError(`The row of the task “${purpose}” is gone.`);
  return run;
}

/** The client token makes a second RunTask, after a kill before the ARN was written, answer the first one's task. */
async function startTask(
  { ecs, database, settings }: Running,
  rollout: Rollout,
  purpose: string,
  command: readonly string[],
  run: TaskRun,
  { taskDefinition, startedBy }: TaskOptions,
): Promise<string> {
  const { tasks: [task] = [], failures = [] } = await ecs.send(
    new RunTaskCommand({
      cluster: settings.clusterArn,
      taskDefinition: taskDefinition ?? (await describeService(ecs, settings, settings.webServiceName)).taskDefinition,
      capacityProviderStrategy: [{ capacityProvider: settings.taskCapacityProvider, weight: 1 }],
      ...(startedBy ? { startedBy } : {}),
      clientToken: createHash('sha256').update(`${rollout.execution}|${purpose}|${run.requestedAt}`).digest('hex'),
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: settings.taskSubnets,
          securityGroups: settings.taskSecurityGroups,
          assignPublicIp: 'DISABLED',
        },
      },
      overrides: { containerOverrides: [{ name: settings.containerName, command: [...command] }] },
    }),
  );
  if (!task?.taskArn) {
    // RunTask answers 200 with failures when it finds no place; a new token lets the next attempt be a new request.
    await openTaskRun(database, rollout, purpose);
    const reason = failures.map((failure) => failure.reason ?? failure.detail).join(', ') || 'no reason given';
    throw new TaskStillRunning(`ECS found no place yet for the task “${command.join(' ')}” (${reason}).`);
  }
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.task_run SET task_arn = :taskArn
      WHERE site = :site AND execution = :execution AND purpose = :purpose AND {held}`,
    { purpose, taskArn: task.taskArn },
  );
  return task.taskArn;
}

/**
 * Stops the tasks that were started with these words, by whatever execution.
 *
 * @throws TaskStillRunning until none of them runs
 */
export async function stopTasks(
  { ecs, settings }: Pick<Running, 'ecs' | 'settings'>,
  startedBy: string,
  reason: string,
): Promise<void> {
  const { clusterArn: cluster, taskDefinitionFamily: family } = settings;
  // ECS lists by what a task is to be: one that is being stopped may still work, so both lists are needed. And it takes
  // no other filter beside startedBy.
  const lists = await Promise.all(
    (['RUNNING', 'STOPPED'] as const).map((desiredStatus) => listTasks(ecs, settings, { family, desiredStatus })),
  );
  const atWork = lists.flat().filter((task) => task.startedBy === startedBy && task.lastStatus !== 'STOPPED');
  for (const { taskArn } of atWork.filter((task) => task.desiredStatus === 'RUNNING')) {
    await ecs.send(new StopTaskCommand({ cluster, task: taskArn, reason }));
  }
  if (atWork.length > 0) throw new TaskStillRunning(`${atWork.length} task of the update is being stopped.`);
}
