import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, vi } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { filesOf, sharedFolder } from '../../rehearsal/machines/files.ts';
import type { TemplateResource } from '../support/assembly.ts';
import type { Browser } from './browser.ts';
import { checksumOfImage } from './image-content.ts';
import type { Site } from './site.ts';
import { contentOf } from './site-content.ts';

const clone = join(import.meta.dirname, '../..');

/**
 * What a way back has to bring again: the content of the database, that of the image, the services that run it and the
 * revisions that their nodes are of.
 */
export async function pairOf(site: Site) {
  const { desiredCount, taskDefinition } = await cronService(site);
  const state = await site.state();
  return {
    ...state,
    imageContent: await checksumOfImage(site, state.image ?? ''),
    nodes: await revisionsOfNodes(site),
    cron: { desiredCount, taskDefinition },
    content: await contentOf(site),
  };
}

async function revisionsOfNodes({ account }: Site): Promise<(string | undefined)[]> {
  const ecs = new ECSClient(account.clientConfiguration);
  const cluster = account.output('ClusterName');
  const { taskArns = [] } = await ecs.send(
    new ListTasksCommand({ cluster, serviceName: account.output('WebServiceName'), desiredStatus: 'RUNNING' }),
  );
  if (taskArns.length === 0) return [];
  const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
  return tasks.map(({ taskDefinitionArn }) => taskDefinitionArn);
}

export async function cronService(site: Site) {
  const { services: [service] = [] } = await new ECSClient(site.account.clientConfiguration).send(
    new DescribeServicesCommand({
      cluster: site.account.output('ClusterName'),
      services: [site.account.output('CronServiceName')],
    }),
  );
  if (!service) throw new Error('The cron service is not there.');
  return service;
}

/** What cron writes would be taken for the work of an update. A node of it that is told to stop ends its task first. */
export async function setCron(site: Site, desiredCount: number): Promise<void> {
  const ecs = new ECSClient(site.account.clientConfiguration);
  const which = { cluster: site.account.output('ClusterName'), service: site.account.output('CronServiceName') };
  await ecs.send(new UpdateServiceCommand({ ...which, desiredCount }));
  const settled = async () => {
    expect((await cronService(site)).runningCount).toBe(desiredCount);
    const { taskArns = [] } = await ecs.send(
      new ListTasksCommand({ cluster: which.cluster, serviceName: which.service, desiredStatus: 'STOPPED' }),
    );
    if (taskArns.length === 0) return;
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster: which.cluster, tasks: taskArns }));
    expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual(tasks.map(() => 'STOPPED'));
  };
  await vi.waitFor(settled, { timeout: 300_000, interval: 500 });
}

/** Moodle's maintenance, by both of its ways. */
export async function isInMaintenance(site: Site): Promise<boolean> {
  const [enabled] = await site.query(
    "SELECT value FROM mdl_config WHERE name = 'maintenance_enabled' AND value <> '0'",
  );
  return enabled !== undefined || existsSync(join(dataFolder(site), 'climaintenance.html'));
}

/** Moodle's data folder, as the access point shows it to the nodes. */
export function dataFolder({ account: { world } }: Site): string {
  const [point] = filesOf(world).accessPoints.values();
  if (!point) throw new Error('The site has no access point.');
  return sharedFolder(world, point.fileSystemId, point.path);
}

/** That nothing of a rollout is left on a site which works, and nobody was logged out. */
export async function expectAtRest(site: Site, users: readonly Browser[]): Promise<void> {
  expect(await isInMaintenance(site)).toBe(false);
  expect(await site.query('SELECT execution FROM moodle_lifecycle.rollout_hold')).toEqual([]);
  expect(await site.query('SELECT * FROM moodle_lifecycle.update_run WHERE finished_at IS NULL')).toEqual([]);
  expect(await site.query("SELECT name FROM mdl_config WHERE name IN ('upgraderunning', 'outagelessupgrade')")).toEqual(
    [],
  );
  expect((await site.visit('/login/index.php')).status).toBe(200);
  for (const user of users) expect(await user.isSignedIn()).toBe(true);
}

/** What the operator is told of a failure: the execution's own cause. */
export async function reportOf(site: Site, { executionArn }: Progress): Promise<string> {
  const { cause = '' } = await site.rehearsal.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
  return cause;
}

/** Runs the command that the views call the next one, as a person would type it. */
export async function followNext(site: Site, { next }: Progress): Promise<string> {
  const words = /^npx lifecycle (.+)$/.exec(next?.command ?? '')?.[1]?.split(' ');
  if (!words) throw new Error(`There is no next command: ${next?.command}`);
  const { endpoint, accessKeyId, secretAccessKey } = {
    ...site.account.clientConfiguration,
    ...site.account.clientConfiguration.credentials,
  };
  const ended = await promisify(execFile)(process.execPath, [join(clone, 'console/cli/main.ts'), ...words], {
    cwd: clone,
    env: {
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: site.account.clientConfiguration.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  }).catch((error: { stdout?: string; stderr?: string }) => {
    throw new Error(`${next?.command} did not end well:\n${error.stdout}${error.stderr}`);
  });
  return ended.stdout;
}

/** What a test of failing updates has altered in the templates. */
export function alterForFailures(_: string, resource: TemplateResource): void {
  if (resource.Type === 'AWS::ECS::TaskDefinition') endHangsSoon(resource);
}

/** An upgrade of a small plugin takes a quarter of a minute here; a test of a hang should not wait for an hour. */
function endHangsSoon({ Properties }: TemplateResource): void {
  for (const { Environment } of Properties.ContainerDefinitions) {
    Environment?.push({ Name: 'MOODLE_UPGRADE_MINUTES', Value: '1.5' });
  }
}
