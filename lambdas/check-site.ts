import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { inheritedBefore } from './shared/before-rollout.ts';
import { refuseFilesElsewhere } from './shared/brought-files.ts';
import { checkCache } from './shared/caches.ts';
import { keptStates } from './shared/compare-looks.ts';
import { type DatabaseServer, measureDatabase, serverInWords } from './shared/database-server.ts';
import {
  ExistingSiteMissing,
  NodesNotYetHealthy,
  SiteStateUnknown,
  UnfinishedInstall,
  UpdateUnfinished,
} from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { type Rollout, takeHold } from './shared/hold.ts';
import { type InstallInput, readInstallInput } from './shared/install-input.ts';
import { createLifecycleSchema } from './shared/lifecycle-schema.ts';
import { lookBefore } from './shared/look-before.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { openDatabase } from './shared/open-database.ts';
import { refuseBeside } from './shared/other-moodles.ts';
import { noImage, readParameters } from './shared/parameters.ts';
import type { Plan } from './shared/plan.ts';
import { type BeforeClients, correctBefore, readBefore } from './shared/read-before.ts';
import { settingsFrom } from './shared/settings.ts';
import type { SiteLook } from './shared/site-look.ts';
import { readSiteState, type SiteState } from './shared/site-state.ts';
import { hasTouchedSite, readOpenRun } from './shared/update-run.ts';

export interface CheckSiteClients extends BeforeClients {
  readonly caches: ElastiCacheClient;
  readonly executions: SFNClient;
}

export interface CheckedSite {
  readonly site: string;
  readonly database: string;
  readonly sessionStore: string;
  readonly applicationStore: string;
  readonly hold: string;
  readonly plan: Plan;
  /** States of the site's own, which the rollout leaves as they are and is not held to. */
  readonly keeps: readonly string[];
}

/**
 * Decides whether this rollout may touch the site, and takes it.
 *
 * @param input the execution's input, as it was given
 * @throws TaskStillRunning while it looks at a site that is installed
 * @throws InputInvalid, CacheNotAvailable, UpdateUnfinished, SiteStateUnknown, UnfinishedInstall, ExistingSiteMissing,
 *   TablePrefixDiffers, FilesElsewhere, SiteHeld, SiteNotVerifiable: nothing was changed
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
  await refuseUnfinishedUpdate(database, site);
  const prefix = settings.databasePrefix;
  const readState = async () => allowed(await readSiteState(database, site, prefix), wanted, prefix);
  const found = await readState();
  if (wanted.existingSite) await refuseFilesElsewhere(database, prefix);

  const before = await readBefore(clients, site, found.name === 'installed');
  const { takenOverFrom, isNew } = await takeHold(database, executions, rollout, wanted.reason, before, (earlier) =>
    inheritedBefore(earlier, before),
  );
  // Once more, now that no other rollout can change it.
  const state = await readState();
  if (isNew) await correctBefore(clients, rollout, before, state.name === 'installed');
  // What a rollout that was killed has left is no state of the site's own.
  const look = state.name === 'installed' && !takenOverFrom ? await lookIfItAnswers(clients, rollout) : undefined;

  return {
    site: `${state.name}: ${state.why}`,
    database: serverInWords(database, server),
    sessionStore,
    applicationStore,
    hold: takenOverFrom ? `taken over from ${takenOverFrom}, which is no longer running` : 'taken',
    plan: await plan(clients, state, wanted, server),
    keeps: look ? keptStates(look) : [],
  };
}

/** An install may be what brings a site back that does not answer. */
async function lookIfItAnswers(clients: CheckSiteClients, rollout: Rollout): Promise<SiteLook | undefined> {
  try {
    return await lookBefore(clients, rollout);
  } catch (error) {
    if (error instanceof NodesNotYetHealthy) return undefined;
    throw error;
  }
}

/** Only the rollout that knows both its ends may bring such a site back; this one would start nodes on half of it. */
async function refuseUnfinishedUpdate(database: MoodleDatabase, site: string): Promise<void> {
  const run = await readOpenRun(database, site);
  if (!run || !hasTouchedSite(run)) return;
  const machine = run.execution.replace(/:execution:([^:]+):.*$/, ':stateMachine:$1');
  throw new UpdateUnfinished(
    `A plugin update of this site stopped in the middle (${run.stage}; ${run.execution}). Nothing was changed. Start a plugin ` +
      'update, which puts that one back or finishes it before anything else: npx lifecycle start plugin-update, or ' +
      `aws stepfunctions start-execution --state-machine-arn ${machine} --input '{}'. Then start this rollout again.`,
  );
}

/** An installed site is left to run the image that it runs; a new one only comes with the install of the site. */
async function plan(
  { ssm, settings, database }: CheckSiteClients,
  state: SiteState & { readonly name: Plan['state'] },
  { nodes, finish, adminIp, existingSite, acceptMissingFiles }: InstallInput,
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
    existingSite,
    acceptMissingFiles,
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

/**
 * @param prefix of this site's tables
 * @throws SiteStateUnknown, UnfinishedInstall, ExistingSiteMissing, TablePrefixDiffers for what a rollout may not touch
 */
export function allowed(
  state: SiteState,
  { finish, existingSite }: Pick<InstallInput, 'finish' | 'existingSite'>,
  prefix: string,
): SiteState & { readonly name: Plan['state'] } {
  const { name, marker, others } = state;
  const untouched = 'Nothing was changed.';
  if (name === 'unknown') {
    throw new SiteStateUnknown(
      `The database is neither that of a finished Moodle nor that of an install of ours: ${state.why}. ${untouched} ` +
        'If an upgrade is running, wait for it; else look into the database before you start again.',
    );
  }
  if (name !== 'installed' && others.length > 0) refuseBeside(others, prefix);
  if (existingSite && name !== 'installed') {
    throw new ExistingSiteMissing(
      `The database holds no finished Moodle (${name}: ${state.why}), so nothing was brought here yet. ${untouched} Load the ` +
        `dump and the files first, as docs/migration.md says${name === 'absent' ? '; for a new site, start without existingSite' : ''}.`,
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
