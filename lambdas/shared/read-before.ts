import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { BeforeRollout } from './before-rollout.ts';
import { readCacheConfiguration } from './cache-configuration.ts';
import { amendHold, type Rollout } from './hold.ts';
import type { MoodleDatabase } from './moodle-database.ts';
import { describeService } from './nodes.ts';
import { readParameters, sessionStoreOf } from './parameters.ts';
import { readCapacity, withoutScheduled } from './scaling.ts';
import type { Settings } from './settings.ts';

export interface BeforeClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly settings: Settings;
}

/** What a rollout finds, and its way back has to bring again. */
export async function readBefore(clients: BeforeClients, site: string, installed: boolean): Promise<BeforeRollout> {
  const { database, ecs, ssm, scaling, settings } = clients;
  const [web, cron, parameters, capacity] = await Promise.all([
    describeService(ecs, settings, settings.webServiceName),
    describeService(ecs, settings, settings.cronServiceName),
    readParameters(ssm, settings),
    readCapacity(scaling, settings),
  ]);
  return {
    installed,
    sessionStore: sessionStoreOf(parameters),
    parameters,
    desired: web.desiredCount ?? 0,
    cronDesired: cron.desiredCount ?? 0,
    capacity: withoutScheduled(capacity, parameters),
    healthGraceSeconds: web.healthCheckGracePeriodSeconds ?? settings.normalHealthGraceSeconds,
    taskDefinition: web.taskDefinition ?? '',
    cronTaskDefinition: cron.taskDefinition ?? '',
    cacheConfiguration: await readCacheConfiguration(database, site),
  };
}

/** Once more, now that no other rollout can change it: one may have ended between the first look and the hold. */
export async function correctBefore(
  clients: BeforeClients,
  rollout: Rollout,
  first: BeforeRollout,
  installed: boolean,
): Promise<void> {
  const now = await readBefore(clients, rollout.site, installed);
  if (JSON.stringify(now) === JSON.stringify(first)) return;
  await amendHold(clients.database, rollout, now);
}
