import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient, type Service, type Task } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { NodeFailedToStart, NodeStillStarting } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout, write } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import {
  describeService,
  describeTaskDefinition,
  failedTasks,
  imageOf,
  nodeId,
  primaryDeployment,
  readReplacement,
  requestReplacement,
  revisionWithImage,
  runningNodes,
  tooManyStoppedTasks,
  updateService,
  whyStopped,
} from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { writeParameters } from './shared/parameters.ts';
import type { PhaseInput, Plan } from './shared/plan.ts';
import { setCapacity } from './shared/scaling.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';

export interface StartOneNodeClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly settings: Settings;
}

export interface StartedNode {
  readonly nodes: number;
  readonly node?: string;
  readonly capacity: string;
  readonly sessions?: string;
  readonly healthGraceSeconds?: number;
}

const purpose = 'start one node';

/**
 * Brings a site without nodes to exactly one: autoscaling suspended, sessions in the database, health grace long enough
 * for an install. An installed site that has nodes is left as it is.
 *
 * @throws NodeStillStarting until a node runs
 * @throws NodeFailedToStart, HoldLost
 */
export async function startOneNode(clients: StartOneNodeClients, input: PhaseInput): Promise<StartedNode> {
  const { database, ecs, ssm, scaling, settings } = clients;
  const { site, execution, plan } = input;
  const rollout = { site, execution };
  await assertHeld(database, rollout);
  const service = await describeService(ecs, settings, settings.webServiceName);
  const asked = await readReplacement(database, rollout, purpose);
  if (!plan.install && !asked && (service.desiredCount ?? 0) > 0) return leaveAsItIs(clients, service);

  if (plan.install) await allowInstall(database, rollout, plan);
  await writeParameters(ssm, settings, {
    'image-tag': plan.image,
    // A deploy from now on leaves the node alone.
    'desired-nodes': '1',
    ...(plan.install ? { 'session-store': 'database' } : {}),
  });
  await setCapacity(scaling, settings, { minimum: 0, maximum: 1, suspended: true });
  const deploymentId = asked?.deploymentId ?? (await start(clients, rollout, plan, service));
  const node = await oneNodeOf(clients, deploymentId);
  return {
    nodes: 1,
    node: nodeId(node),
    capacity: 'exactly 1, autoscaling suspended',
    ...(plan.install ? { sessions: 'database' } : {}),
    healthGraceSeconds: settings.installHealthGraceSeconds,
  };
}

async function leaveAsItIs({ ecs, settings }: StartOneNodeClients, service: Service): Promise<StartedNode> {
  const nodes = await runningNodes(ecs, settings);
  if (nodes.length > 0) return { nodes: nodes.length, capacity: 'left as it is: the site is installed and has nodes' };
  await oneNodeOf({ ecs, settings }, primaryDeployment(service)?.id ?? '');
  return { nodes: 1, capacity: 'left as it is: the site is installed' };
}

/** The marker lets a node install: it is outside Moodle's tables and there before the first of them. */
async function allowInstall(database: MoodleDatabase, rollout: Rollout, { finish }: Plan): Promise<void> {
  const { now, orNothing } = database.dialect;
  await write(
    database,
    rollout,
    `UPDATE moodle_lifecycle.install_marker
        SET execution = :execution, finish = :finish, allowed_at = ${now}, refused = NULL
      WHERE site = :site AND execution <> :execution AND {held}`,
    { finish },
    { orNone: true },
  );
  await write(
    database,
    rollout,
    `INSERT INTO moodle_lifecycle.install_marker (site, execution, finish, allowed_at)
     SELECT :site, :execution, :finish, ${now} WHERE {held} ${orNothing(['site'])}`,
    { finish },
    { orNone: true },
  );
}

/** @returns the id of the deployment whose node is waited for */
async function start(clients: StartOneNodeClients, rollout: Rollout, plan: Plan, service: Service): Promise<string> {
  const { ecs, settings } = clients;
  const healthCheckGracePeriodSeconds = settings.installHealthGraceSeconds;
  const installing = await nodeAtWork(clients, plan, service);
  if (installing) {
    await updateService(ecs, settings, settings.webServiceName, { healthCheckGracePeriodSeconds });
    return installing;
  }
  const taskDefinition = await revisionWithImage(ecs, settings, service, settings.taskDefinitionFamily, plan.image);
  const change = { taskDefinition, desiredCount: 1, healthCheckGracePeriodSeconds };
  return (await requestReplacement(clients, rollout, purpose, change)).deploymentId;
}

/**
 * After a rollout was stopped its node goes on installing: replacing it would only throw that work away.
 *
 * @returns the deployment of the one node that runs the planned image already
 */
async function nodeAtWork(
  { ecs, settings }: StartOneNodeClients,
  plan: Plan,
  service: Service,
): Promise<string | undefined> {
  const deployment = primaryDeployment(service);
  if (service.desiredCount !== 1 || deployment?.rolloutState === 'FAILED' || !deployment?.id) return undefined;
  const definition = await describeTaskDefinition(ecs, service.taskDefinition ?? '');
  if (imageOf(definition, settings) !== `${settings.repositoryUri}:${plan.image}`) return undefined;
  const nodes = await runningNodes(ecs, settings);
  return nodes.length === 1 && nodes[0]?.startedBy === deployment.id ? deployment.id : undefined;
}

async function oneNodeOf(
  { ecs, settings }: Pick<StartOneNodeClients, 'ecs' | 'settings'>,
  deploymentId: string,
): Promise<Task> {
  const node = (await runningNodes(ecs, settings)).find((task) => task.startedBy === deploymentId);
  if (node) return node;
  const service = await describeService(ecs, settings, settings.webServiceName);
  const deployment = service.deployments?.find((one) => one.id === deploymentId);
  const failed = await failedTasks(ecs, settings, settings.webServiceName, deploymentId);
  if (deployment?.rolloutState === 'FAILED' || failed.length >= tooManyStoppedTasks) {
    const reasons =
      failed.slice(0, 3).map(whyStopped).join('; ') || deployment?.rolloutStateReason || 'no reason given';
    throw new NodeFailedToStart(
      `The first node does not start: ${reasons}. The database was left as it is. Read the node’s log, mend the cause and ` +
        'start the rollout again.',
    );
  }
  const starting = deployment?.pendingCount ? 'is starting' : 'is asked for';
  const last = failed[0] ? `; ${failed.length} stopped before it, ${whyStopped(failed[0])}` : '';
  throw new NodeStillStarting(`The first node ${starting}${last}.`);
}

export const handler = makeHandler(
  'Start one node',
  (): StartOneNodeClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
    };
  },
  startOneNode,
);
