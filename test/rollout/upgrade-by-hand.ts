import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { vi } from 'vitest';
import { buildsOf, projectsOf, startBuild } from '../../rehearsal/machines/code-build/builds.ts';
import { containerRuntimeOf, imageFolder } from '../../rehearsal/machines/container.ts';
import { containerEnvironment } from '../../rehearsal/machines/ecs/environment.ts';
import { prepare } from '../../rehearsal/machines/ecs/start-up.ts';
import { findTaskDefinition } from '../../rehearsal/machines/ecs/task-definitions.ts';
import { objectFile } from '../../rehearsal/machines/objects.ts';
import { seenAt } from '../../rehearsal/machines/same-path.ts';
import type { PluginRelease } from '../../rehearsal/plugin-directory/release.ts';
import type { Site } from './site.ts';
import type { UpdateSite } from './update-site.ts';

/**
 * How a site of containers is usually upgraded: the new image is built, all nodes are stopped, Moodle's own upgrade runs
 * on the new code, and nodes are started with it. What can be done before the nodes stop is done before.
 *
 * @returns seconds of `upgrade.php`
 */
export async function upgradeByHand(updated: UpdateSite, release: PluginRelease): Promise<number> {
  const { site } = updated;
  const ecs = new ECSClient(site.account.clientConfiguration);
  const tag = await build(updated, release);
  const services = await Promise.all(
    [site.account.output('WebServiceName'), cronService(site)].map(async (name) => {
      const { taskDefinition = '', desiredCount = 0 } = await site.service(name);
      return { name, taskDefinition: await withImage(ecs, taskDefinition, tag), desiredCount };
    }),
  );
  const scale = async (count: (desired: number) => number) => {
    for (const { name, taskDefinition, desiredCount } of services) {
      await ecs.send(
        new UpdateServiceCommand({
          cluster: site.account.output('ClusterName'),
          service: name,
          taskDefinition,
          desiredCount: count(desiredCount),
        }),
      );
    }
  };
  const shell = await shellOf(site, services[0]?.taskDefinition ?? '', tag);
  await shell(`
    mkdir -p "$MOODLE_LOCAL"/{cache-configuration,component-cache,localcache,request,tmp,run,nginx}
    echo "$(realpath "$MOODLE_DATAROOT")/*" >"$MOODLE_LOCAL/opcache-blacklist"
    "$MOODLE_NODE_SCRIPTS/entrypoint" prepare`);

  const running = await tasksOf(ecs, site);
  await scale(() => 0);
  await untilStopped(ecs, site, running);
  const began = Date.now();
  await shell(`
    php -c "$MOODLE_NODE_SCRIPTS/php.ini" -d memory_limit=-1 \\
      "$MOODLE_DIRROOT/admin/cli/upgrade.php" --non-interactive --allow-unstable`);
  const seconds = (Date.now() - began) / 1000;
  await new SSMClient(site.account.clientConfiguration).send(
    new PutParameterCommand({ Name: '/moodle/demo/image-tag', Value: tag, Overwrite: true }),
  );
  await scale((desired) => desired);
  await vi.waitFor(
    async () => {
      for (const { name, desiredCount } of services) {
        const { runningCount, deployments = [] } = await site.service(name);
        if (runningCount !== desiredCount || deployments[0]?.rolloutState !== 'COMPLETED') throw new Error(name);
      }
      if ((await site.visit('/login/index.php')).status !== 200) throw new Error('The site does not answer.');
    },
    { timeout: 300_000, interval: 200 },
  );
  return Math.round(seconds * 10) / 10;
}

/** Builds the image that runs, with this release in the place of what it has of the plugin. */
async function build({ site, directory }: UpdateSite, release: PluginRelease): Promise<string> {
  const { world } = site.account;
  const [project] = projectsOf(world).values();
  if (!project) throw new Error('The account has no build project.');
  const bucket = project.environmentVariables.find(({ name }) => name === 'MANIFEST_BUCKET')?.value ?? '';
  const { '/moodle/demo/image-tag': from = '' } = (await site.state()).parameters;
  const fileOf = (tag: string) => objectFile(world, bucket, `manifests/${tag}.json`);
  const manifest = JSON.parse(readFileSync(fileOf(from), 'utf8'));
  const tag = `${from}-by-hand`;
  directory.offer(release);
  const { component, version, archive } = release;
  const pinned = {
    component,
    version,
    release: release.release,
    url: directory.downloadUrl(release),
    sha256: createHash('sha256').update(archive).digest('hex'),
  };
  const others = manifest.plugins.filter((plugin: { component: string }) => plugin.component !== component);
  writeFileSync(fileOf(tag), JSON.stringify({ ...manifest, plugins: [...others, pinned] }));
  const { id } = startBuild(world, {
    projectName: project.name,
    environmentVariablesOverride: [{ name: 'IMAGE_TAG', value: tag }],
  });
  for (;;) {
    const built = buildsOf(world).get(id);
    if (built?.buildStatus === 'SUCCEEDED') return tag;
    if (built?.buildStatus !== 'IN_PROGRESS') throw new Error(`The build ended: ${JSON.stringify(built?.phases)}`);
    await sleep(100);
  }
}

async function withImage(ecs: ECSClient, from: string, tag: string): Promise<string> {
  const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: from }));
  if (!taskDefinition) throw new Error(`There is no ${from}.`);
  const {
    taskDefinitionArn,
    revision,
    status,
    registeredAt,
    registeredBy,
    requiresAttributes,
    compatibilities,
    ...own
  } = taskDefinition;
  const { taskDefinition: registered } = await ecs.send(
    new RegisterTaskDefinitionCommand({
      ...own,
      family: own.family ?? '',
      containerDefinitions: (own.containerDefinitions ?? []).map((container) => ({
        ...container,
        image: container.image?.replace(/:[^:/]+$/, `:${tag}`),
      })),
    }),
  );
  return registered?.taskDefinitionArn ?? '';
}

/** A shell as an operator has it in a container of that image. */
async function shellOf(site: Site, taskDefinition: string, tag: string): Promise<(script: string) => Promise<void>> {
  const { world } = site.account;
  const definition = findTaskDefinition(world, taskDefinition);
  const nodeId = randomBytes(16).toString('hex');
  const { env } = containerRuntimeOf(world).processFor({
    tag,
    command: [],
    nodeId,
    port: 0,
    environment: containerEnvironment(definition, {}, await prepare(world, definition)),
  });
  return async (script) => {
    const bash = { command: 'bash', args: ['-euc', `${asEntrypoint}${script}`] };
    const { command, args } = seenAt(bash, imageFolder(world, tag).code, env.MOODLE_DIRROOT ?? '');
    await promisify(execFile)(command, args, { env: { ...env, MOODLE_NODE_ID: nodeId }, maxBuffer: 1 << 26 });
  };
}

/** What the image's entrypoint sets for all that it starts. */
const asEntrypoint = 'export MOODLE_UPLOAD_MAX=512M';

const cronService = (site: Site) => site.account.output('CronServiceName');

async function tasksOf(ecs: ECSClient, site: Site): Promise<string[]> {
  const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster: site.account.output('ClusterName') }));
  return taskArns;
}

async function untilStopped(ecs: ECSClient, site: Site, tasks: string[]): Promise<void> {
  for (;;) {
    const { tasks: found = [] } = await ecs.send(
      new DescribeTasksCommand({ cluster: site.account.output('ClusterName'), tasks }),
    );
    if (found.every(({ lastStatus }) => lastStatus === 'STOPPED')) return;
    await sleep(100);
  }
}
