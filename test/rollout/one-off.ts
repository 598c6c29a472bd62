import { DescribeTasksCommand, ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { expect, vi } from 'vitest';
import type { Site } from './site.ts';

/** Runs a role of the image as an operator would by `aws ecs run-task`, with what the web service's nodes have. */
export async function runOneOff(site: Site, command: readonly string[]): Promise<void> {
  const ecs = new ECSClient(site.account.clientConfiguration);
  const cluster = site.account.output('ClusterName');
  const { taskDefinition, networkConfiguration } = await site.webService();
  const { tasks: [task] = [] } = await ecs.send(
    new RunTaskCommand({
      cluster,
      taskDefinition,
      networkConfiguration,
      overrides: { containerOverrides: [{ name: 'moodle', command: [...command] }] },
    }),
  );
  await vi.waitFor(
    async () => {
      const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [task?.taskArn ?? ''] }));
      expect(tasks[0]?.lastStatus).toBe('STOPPED');
      expect(tasks[0]?.containers?.[0]?.exitCode).toBe(0);
    },
    { timeout: 300_000, interval: 100 },
  );
}
