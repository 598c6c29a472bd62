import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { DescribeTargetHealthCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { NodesNotHealthy, NodesNotYetHealthy } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import {
  describeService,
  failedTasks,
  primaryDeployment,
  revisionWithImage,
  runningNodes,
  serviceTasks,
  tooManyStoppedTasks,
  updateService,
  whyStopped,
} from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters, writeParameters } from './shared/parameters.ts';
import type { PhaseInput } from './shared/plan.ts';
import { releaseScaling, withScheduled } from './shared/scaling.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';

export interface ScaleOutClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly balancer: ElasticLoadBalancingV2Client;
  readonly settings: Settings;
}

export interface ScaledOut {
  readonly nodes: string;
  readonly autoscaling: string;
  readonly cron: string;
  readonly healthGraceSeconds: number;
}

/**
 * Releases capacity and autoscaling to the wanted range, starts cron, and waits for every node.
 *
 * @throws NodesNotYetHealthy until all nodes and cron run and the load balancer calls the nodes healthy
 * @throws NodesNotHealthy, HoldLost
 */
export async function scaleOut(clients: ScaleOutClients, { site, execution, plan }: PhaseInput): Promise<ScaledOut> {
  const { database, ecs, ssm, scaling, settings } = clients;
  const { since } = await assertHeld(database, { site, execution });
  const { webServiceName, cronServiceName, normalHealthGraceSeconds, maximumNodes } = settings;

  const before = await describeService(ecs, settings, webServiceName);
  const usual = { minimum: plan.nodes, maximum: maximumNodes };
  const wanted = withScheduled(usual, await readParameters(ssm, settings));
  const desired = Math.max(before.desiredCount ?? 0, wanted.minimum);
  // Parameters first: a deploy in this moment then brings the same capacity, and not the old one.
  await writeParameters(ssm, settings, {
    'desired-nodes': String(desired),
    'minimum-nodes': String(plan.nodes),
    'maximum-nodes': String(maximumNodes),
    'cron-nodes': '1',
  });
  const range = await releaseScaling({ scaling, ssm, settings }, usual);
  const web = await updateService(ecs, settings, webServiceName, {
    desiredCount: desired,
    healthCheckGracePeriodSeconds: normalHealthGraceSeconds,
  });
  const cron = await describeService(ecs, settings, cronServiceName);
  const taskDefinition = await revisionWithImage(ecs, settings, cron, settings.cronTaskDefinitionFamily, plan.image);
  await updateService(ecs, settings, cronServiceName, { taskDefinition, desiredCount: 1 });

  const running = await runningNodes(ecs, settings);
  const healthy = await healthyTargets(clients);
  const crons = (await serviceTasks(ecs, settings, cronServiceName, 'RUNNING')).filter(
    (task) => task.lastStatus === 'RUNNING',
  );
  if (running.length >= desired && healthy >= desired && crons.length > 0) {
    return {
      nodes: `${healthy} of ${desired} healthy`,
      autoscaling: `${range.minimum} to ${range.maximum}, active`,
      cron: 'running',
      healthGraceSeconds: normalHealthGraceSeconds,
    };
  }
  for (const service of [web, await describeService(ecs, settings, cronServiceName)]) {
    const name = service.serviceName ?? '';
    const failed = await failedTasks(ecs, settings, name, primaryDeployment(service)?.id ?? '');
    const ours = failed.filter((task) => (task.createdAt?.getTime() ?? 0) / 1000 >= since);
    if (ours.length >= tooManyStoppedTasks) {
      throw new NodesNotHealthy(
        `Nodes of ${name} keep stopping while the site scales out to ${desired}: ` +
          `${ours.slice(0, 3).map(whyStopped).join('; ')}. Read their logs, mend the cause and start the rollout again.`,
      );
    }
  }
  throw new NodesNotYetHealthy(
    `${healthy} of ${desired} nodes healthy, ${running.length} running; cron ${crons.length > 0 ? 'running' : 'starting'}.`,
  );
}

async function healthyTargets({ balancer, settings }: ScaleOutClients): Promise<number> {
  const { TargetHealthDescriptions = [] } = await balancer.send(
    new DescribeTargetHealthCommand({ TargetGroupArn: settings.targetGroupArn }),
  );
  return TargetHealthDescriptions.filter((target) => target.TargetHealth?.State === 'healthy').length;
}

export const handler = makeHandler(
  'Scale out',
  (): ScaleOutClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
      balancer: new ElasticLoadBalancingV2Client({}),
    };
  },
  scaleOut,
);
