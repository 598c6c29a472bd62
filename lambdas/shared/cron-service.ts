import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import { serviceTasks, updateService } from './nodes.ts';
import type { Settings } from './settings.ts';

/** Cron nodes that have not stopped yet, those included that were told to. */
export async function cronTasks(ecs: ECSClient, settings: Settings): Promise<Task[]> {
  const lists = await Promise.all([
    serviceTasks(ecs, settings, settings.cronServiceName, 'RUNNING'),
    serviceTasks(ecs, settings, settings.cronServiceName, 'STOPPED'),
  ]);
  return lists.flat().filter((task) => task.lastStatus !== 'STOPPED');
}

/** Moodle’s cron may change anything; it must not while the code or the database does. */
export async function stopCron(ecs: ECSClient, settings: Settings): Promise<Task[]> {
  await updateService(ecs, settings, settings.cronServiceName, { desiredCount: 0 });
  return cronTasks(ecs, settings);
}
