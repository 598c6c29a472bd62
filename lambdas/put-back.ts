import { isDeepStrictEqual } from 'node:util';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { readServing } from './shared/acknowledgements.ts';
import type { BeforeRollout } from './shared/before-rollout.ts';
import {
  readCacheConfiguration,
  readCacheConfigurationHash,
  sameCacheConfiguration,
  writeCacheConfiguration,
} from './shared/cache-configuration.ts';
import { HoldLost, NodesStillBeingReplaced, SessionsNotCopied, TaskStillRunning, Wait } from './shared/errors.ts';
import {
  type FailedExecution,
  type FailedRollout,
  type FailureReport,
  failureReport,
  type Kind,
  type Step,
} from './shared/failure-report.ts';
import { asPhaseError, makeHandler } from './shared/handler.ts';
import { type Rollout, releaseHold } from './shared/hold.ts';
import { heldPerhaps, notHeld, nothingOfSite, readHoldAfter } from './shared/hold-after-failure.ts';
import { number } from './shared/moodle-database.ts';
import { describeService, nodeId, readReplacement, replaceNodes, runningNodes, updateService } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters, writeParameters } from './shared/parameters.ts';
import { putScalingBack, readCapacity } from './shared/scaling.ts';
import {
  closeMigration,
  copyPurpose,
  readOpenMigration,
  type SwitchingClients,
  switchSessions,
} from './shared/session-switch.ts';
import { type SessionStore, settingsFrom } from './shared/settings.ts';
import { setStickiness, usualStickiness } from './shared/stickiness.ts';
import { taskAge } from './shared/tasks.ts';

export interface PutBackClients extends SwitchingClients {
  readonly scaling: ApplicationAutoScalingClient;
}

const install: Kind = {
  title: 'install',
  phases: [
    ['checked', 'Check the site'],
    ['image', 'Build image'],
    ['node', 'Start one node'],
    ['install', 'Wait for install'],
    ['lastip', 'Fix lastip'],
    ['cacheStores', 'Configure cache stores'],
    ['sessions', 'Enable session caching'],
    ['scale', 'Scale out'],
    ['verified', 'Verify the site'],
    ['released', 'Release the site'],
  ],
};

/**
 * Puts back what this rollout changed, step by step, each one tried also when another fails; releases the site; and
 * says all of it in plain words. What another execution holds is not touched.
 *
 * @throws TaskStillRunning, NodesStillBeingReplaced while sessions are on their way back
 */
export async function putBack(
  clients: PutBackClients,
  { site, execution, input, rollout: state }: FailedExecution & { readonly rollout: FailedRollout },
): Promise<FailureReport> {
  const rollout = { site, execution };
  const failed = { ...rollout, input };
  const hold = await readHoldAfter(clients.database, site, state);
  if (hold === 'not to be read') return failureReport(install, failed, state, heldPerhaps);
  if (hold?.execution !== execution) return failureReport(install, failed, state, notHeld(state, hold));
  const steps = await putBackHeld(clients, rollout, hold.before);
  await releaseHold(clients.database, rollout);
  // *Start one node* is the first that changes the site.
  const untouched = !('image' in state) && steps.every(({ idle }) => idle);
  return failureReport(install, failed, state, untouched ? nothingOfSite : steps);
}

/**
 * @throws Wait when a step is not finished yet; the next call begins anew, and every step finds what is done already
 */
async function putBackHeld(clients: PutBackClients, rollout: Rollout, before: BeforeRollout): Promise<Step[]> {
  const { database, ecs, ssm, scaling, balancer, settings } = clients;
  const steps: Step[] = [];
  const passing: Error[] = [];
  const attempt = async (what: string, of: readonly string[], work: () => Promise<boolean>) => {
    try {
      const changed = await work();
      steps.push({ what, of, ...(changed ? {} : { idle: true }) });
    } catch (thrown) {
      const error = asPhaseError(thrown, 'Put back');
      if (error instanceof HoldLost) throw error;
      // The steps after sessions and nodes rely on them, so these two waits end the call; other trouble does not.
      const unfinished = error instanceof TaskStillRunning || error instanceof NodesStillBeingReplaced;
      if (unfinished && (await mayStillWait(clients, rollout))) throw error;
      if (error instanceof Wait && !unfinished) passing.push(error);
      steps.push({ what, of, problem: error.message });
    }
  };
  const nodesStay = before.desired > 0;

  await attempt('cache stores as before', ['Configure cache stores'], async () => {
    const current = await readCacheConfiguration(database, rollout.site);
    if (sameCacheConfiguration(current, before.cacheConfiguration)) return false;
    await writeCacheConfiguration(database, rollout, before.cacheConfiguration);
    return true;
  });
  if (nodesStay) {
    const moved = ['Configure cache stores', 'Enable session caching'];
    await attempt(`nodes as before, sessions in ${before.sessionStore}`, moved, () =>
      nodesBack(clients, rollout, before),
    );
  }
  await attempt(
    `settings as before, sessions in ${before.sessionStore}`,
    ['Start one node', 'Enable session caching', 'Scale out'],
    async () => {
      // The exam day may have begun or ended since.
      const { 'scheduled-nodes': _, ...ofRollouts } = before.parameters;
      const changed = await writeParameters(ssm, settings, ofRollouts);
      await closeMigration(database, rollout);
      await setStickiness(balancer, settings, usualStickiness(settings));
      return changed.length > 0;
    },
  );
  await attempt(`${before.cronDesired} cron nodes`, ['Scale out'], async () => {
    const { desiredCount, taskDefinition } = await describeService(ecs, settings, settings.cronServiceName);
    if (desiredCount === before.cronDesired && taskDefinition === before.cronTaskDefinition) return false;
    await updateService(ecs, settings, settings.cronServiceName, {
      desiredCount: before.cronDesired,
      taskDefinition: before.cronTaskDefinition,
    });
    return true;
  });
  const { minimum, maximum, suspended } = before.capacity;
  const range = `autoscaling ${minimum} to ${maximum}${suspended ? ', suspended' : ''}`;
  await attempt(`${before.desired} web nodes, ${range}`, ['Start one node', 'Scale out'], async () => {
    const { desiredCount } = await describeService(ecs, settings, settings.webServiceName);
    const capacity = await readCapacity(scaling, settings);
    // The range first: the scaling of a range that excludes the count would bring the count back into it.
    const least = (await putScalingBack({ scaling, ssm, settings }, before.capacity))?.minimum ?? 0;
    await updateService(ecs, settings, settings.webServiceName, {
      desiredCount: Math.max(before.desired, least),
      healthCheckGracePeriodSeconds: before.healthGraceSeconds,
      ...(nodesStay ? {} : { taskDefinition: before.taskDefinition }),
    });
    return desiredCount !== before.desired || !isDeepStrictEqual(capacity, before.capacity);
  });
  if (passing[0]) throw passing[0];
  return steps;
}

const sessionsBack = 'put back sessions';
const nodesOnly = 'put back nodes';

/**
 * Nodes that serve people go back to the store, the image and the cache stores of before, sessions first.
 *
 * @returns whether anything had to change
 */
async function nodesBack(clients: PutBackClients, rollout: Rollout, before: BeforeRollout): Promise<boolean> {
  const { database, ssm, settings } = clients;
  const change = { taskDefinition: before.taskDefinition };
  const { from, outdated } = await nodesNow(clients, rollout, before);
  // Once begun it is followed to its end, also when a call finds the nodes moved already.
  const begun = (await taskAge(database, rollout, copyPurpose(sessionsBack))) !== undefined;
  if (from || begun) {
    try {
      await switchSessions(clients, rollout, {
        from: from ?? settings.sessionStoreType,
        to: before.sessionStore,
        purpose: sessionsBack,
        change,
      });
      return true;
    } catch (error) {
      const replacing = await readReplacement(database, rollout, sessionsBack);
      if (!(error instanceof SessionsNotCopied) || replacing) throw error;
      // A store that cannot be read must not keep the site on it: whoever is only there logs in again.
      await writeParameters(ssm, settings, { 'session-store': before.sessionStore });
      await replaceNodes(clients, rollout, nodesOnly, change);
      throw error;
    }
  }
  if (!outdated && !(await readReplacement(database, rollout, nodesOnly))) return false;
  await writeParameters(ssm, settings, { 'session-store': before.sessionStore });
  await replaceNodes(clients, rollout, nodesOnly, change);
  return true;
}

/** The store that some node keeps sessions in other than before, and whether any node is otherwise not as before. */
async function nodesNow(
  { database, ecs, ssm, settings }: PutBackClients,
  { site }: Rollout,
  before: BeforeRollout,
): Promise<{ from: SessionStore | undefined; outdated: boolean }> {
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  const serving = [...(await readServing(database, site, nodes)).values()];
  const hash = await readCacheConfigurationHash(database, site);
  const migration = await readOpenMigration(database, site);
  const service = await describeService(ecs, settings, settings.webServiceName);
  const { 'session-store': sessionStore } = await readParameters(ssm, settings);
  const elsewhere = serving.map((node) => node.sessionStore).find((store) => store !== before.sessionStore);
  return {
    from: elsewhere,
    outdated:
      migration !== undefined ||
      sessionStore !== before.sessionStore ||
      service.taskDefinition !== before.taskDefinition ||
      serving.some((node) => node.cacheConfigurationHash !== hash),
  };
}

/** Waiting for nodes and tasks of the way back has an end, so that the rest of it is put back at all. */
const putBackMinutes = 20;

async function mayStillWait({ database }: PutBackClients, rollout: Rollout): Promise<boolean> {
  const { now, epoch } = database.dialect;
  const [row] = await database.query(
    `SELECT coalesce(max(${epoch(now)} - ${epoch('requested_at')}), 0) AS age
       FROM (SELECT requested_at FROM moodle_lifecycle.node_replacement
              WHERE site = :site AND execution = :execution AND purpose LIKE 'put back%'
             UNION ALL
             SELECT requested_at FROM moodle_lifecycle.task_run
              WHERE site = :site AND execution = :execution AND purpose LIKE 'put back%') AS asked`,
    { ...rollout },
  );
  return number(row, 'age') < putBackMinutes * 60;
}

export const handler = makeHandler(
  'Put back',
  (): PutBackClients => {
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
  putBack,
);
