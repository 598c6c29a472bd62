import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { type BeforeRollout, inheritedBefore } from './shared/before-rollout.ts';
import { readCacheConfiguration } from './shared/cache-configuration.ts';
import { checkCache } from './shared/caches.ts';
import { SiteStateUnknown, UnfinishedInstall } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { amendHold, type Rollout, takeHold } from './shared/hold.ts';
import { type InstallInput, readInstallInput } from './shared/install-input.ts';
import { createLifecycleSchema } from './shared/lifecycle-schema.ts';
import { type MoodleDatabase, text } from './shared/moodle-database.ts';
import { describeService } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { noImage, readParameters, sessionStoreOf } from './shared/parameters.ts';
import type { Plan } from './shared/plan.ts';
import { readCapacity, withoutScheduled } from './shared/scaling.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { readSiteState, type SiteState } from './shared/site-state.ts';

export interface CheckSiteClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly scaling: ApplicationAutoScalingClient;
  readonly caches: ElastiCacheClient;
  readonly executions: SFNClient;
  readonly settings: Settings;
}

export interface CheckedSite {
  readonly site: string;
  readonly database: string;
  readonly sessionStore: string;
  readonly applicationStore: string;
  readonly hold: string;
  readonly plan: Plan;
}

/**
 * Decides whether this rollout may touch the site, and takes it.
 *
 * @param input the execution's input, as it was given
 * @throws InputInvalid, CacheNotAvailable, SiteStateUnknown, UnfinishedInstall, SiteHeld: nothing was changed
 */
export async function checkSite(
  clients: CheckSiteClients,
  { site, execution, input }: Rollout & { readonly input: unknown },
): Promise<CheckedSite> {
  const { database, executions, settings } = clients;
  const rollout = { site, execution };
  const wanted = readInstallInput(input, settings);

  const server = await measureDatabase(database);
  const [sessionStore, applicationStore] = await Promise.all([
    checkCache(clients.caches, 'session', settings.sessionStoreKind, settings.sessionStoreId),
    checkCache(clients.caches, 'application', settings.applicationStoreKind, settings.applicationStoreId),
  ]);
  await createLifecycleSchema(database);
  const readState = async () => allowed(await readSiteState(database, site, settings.databasePrefix), wanted);

  const before = await readBefore(clients, site, (await readState()).name === 'installed');
  const { takenOverFrom, isNew } = await takeHold(database, executions, rollout, wanted.reason, before, (earlier) =>
    inheritedBefore(earlier, before),
  );
  // Once more, now that no other rollout can change it: one may have ended between the first look and the hold.
  const state = await readState();
  if (isNew) await correctBefore(clients, rollout, before, state.name === 'installed');

  return {
    site: `${state.name}: ${state.why}`,
    database: `${server.version}, ${server.milliseconds} ms per ${database.access === 'network' ? 'round trip' : 'Data API call'}`,
    sessionStore,
    applicationStore,
    hold: takenOverFrom ? `taken over from ${takenOverFrom}, which is no longer running` : 'taken',
    plan: await plan(clients, state, wanted, server),
  };
}

/** An installed site is left to run the image that it runs; a new one only comes with the install of the site. */
async function plan(
  { ssm, settings, database }: CheckSiteClients,
  state: SiteState & { readonly name: Plan['state'] },
  { nodes, finish, adminIp }: InstallInput,
  server: DatabaseServer,
): Promise<Plan> {
  const parameters = await readParameters(ssm, settings);
  const keepsImage = state.name === 'installed' || state.name === 'pending-administrator';
  const install = state.name !== 'installed';
  return {
    state: state.name,
    install,
    nodes,
    finish,
    adminIp: install ? adminIp : null,
    image: keepsImage && parameters['image-tag'] !== noImage ? parameters['image-tag'] : settings.imageTag,
    expectedSeconds: expectedInstallSeconds(database.access === 'network' ? server.milliseconds : typicalRoundTrip),
  };
}

/** Milliseconds between a node and its database in one region; a Data API call says nothing about it. */
const typicalRoundTrip = 0.5;

/** An install is about 40 s of work and 50,000 statements one after the other. */
export function expectedInstallSeconds(roundTripMilliseconds: number): number {
  return Math.round(40 + 50 * roundTripMilliseconds);
}

/** @throws SiteStateUnknown, UnfinishedInstall for what a rollout may not touch */
export function allowed(
  state: SiteState,
  { finish }: Pick<InstallInput, 'finish'>,
): SiteState & { readonly name: Plan['state'] } {
  const { name, marker } = state;
  const untouched = 'Nothing was changed.';
  if (name === 'unknown') {
    throw new SiteStateUnknown(
      `The database is neither that of a finished Moodle nor that of an install of ours: ${state.why}. ${untouched} ` +
        'If an upgrade is running, wait for it; else look into the database before you start again.',
    );
  }
  if (name === 'unfinished' && !state.ours) {
    throw new UnfinishedInstall(
      `The database holds an install that is not finished (${state.why}), and no marker says that it is ours. ` +
        `${untouched} It may hold somebody’s data: empty the database yourself, or give the site another, and start again.`,
    );
  }
  if (name === 'pending-administrator' && finish !== 'browser') {
    throw new UnfinishedInstall(
      `Moodle’s tables are made, but its wizard was not completed (${state.why}${marker ? `; marker: ${marker.finish}` : ''}). ` +
        `${untouched} Start again with {"finish": "browser", "adminIp": "…"} to complete it.`,
    );
  }
  return { ...state, name };
}

interface DatabaseServer {
  readonly version: string;
  /** Of the quickest of five round trips. */
  readonly milliseconds: number;
}

async function measureDatabase(database: MoodleDatabase): Promise<DatabaseServer> {
  const [row] = await database.query(`SELECT ${database.dialect.serverVersion} AS version`);
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await database.query('SELECT 1 AS one');
    times.push(performance.now() - began);
  }
  return { version: text(row, 'version'), milliseconds: Number(Math.min(...times).toFixed(1)) };
}

async function readBefore(clients: CheckSiteClients, site: string, installed: boolean): Promise<BeforeRollout> {
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

async function correctBefore(
  clients: CheckSiteClients,
  rollout: Rollout,
  first: BeforeRollout,
  installed: boolean,
): Promise<void> {
  const now = await readBefore(clients, rollout.site, installed);
  if (JSON.stringify(now) === JSON.stringify(first)) return;
  await amendHold(clients.database, rollout, now);
}

export const handler = makeHandler(
  'Check the site',
  (): CheckSiteClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      scaling: new ApplicationAutoScalingClient({}),
      caches: new ElastiCacheClient({}),
      executions: new SFNClient({}),
    };
  },
  checkSite,
);
