import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { readServing } from './shared/acknowledgements.ts';
import { SessionStoreUnreachable } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld } from './shared/hold.ts';
import { nodeId, readReplacement, runningNodes } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters, sessionStoreOf } from './shared/parameters.ts';
import type { PhaseInput } from './shared/plan.ts';
import { readOpenMigration, type SwitchingClients, switchSessions } from './shared/session-switch.ts';
import { type SessionStore, settingsFrom } from './shared/settings.ts';
import { setStickiness, usualStickiness } from './shared/stickiness.ts';
import { runTask } from './shared/tasks.ts';

export interface EnabledSessionCaching {
  readonly store: string;
  readonly sessions: string;
  /** Only where there are any. */
  readonly tooLarge?: string;
  readonly server?: string;
  readonly nodes: string;
}

/**
 * Moves sessions into the site's session store without logging anyone out. The store is proven from a node before
 * anything moves.
 *
 * @throws TaskStillRunning, NodesStillBeingReplaced until every node has acknowledged the store
 * @throws SessionStoreUnreachable before anything moved
 * @throws SessionsNotCopied, NodesNotHealthy, HoldLost
 */
export async function enableSessionCaching(
  clients: SwitchingClients,
  { site, execution }: PhaseInput,
): Promise<EnabledSessionCaching> {
  const { database, ecs, balancer, settings } = clients;
  const rollout = { site, execution };
  await assertHeld(database, rollout);
  const wanted = settings.sessionStoreType;
  const purpose = `sessions to ${wanted}`;

  const source = await sourceOfSessions(clients, site, wanted);
  const asked = await readReplacement(database, rollout, purpose);
  if (source === wanted && !asked) {
    const nodes = await runningNodes(ecs, settings);
    await setStickiness(balancer, settings, usualStickiness(settings));
    return { store: wanted, sessions: 'were there already, none moved', nodes: `${nodes.length} had acknowledged` };
  }
  const report = await runTask(clients, rollout, 'probe session store', ['probe', 'session']);
  if (!report.ok) {
    throw new SessionStoreUnreachable(
      `A node cannot use the session store ${settings.sessionStoreEndpoint}: ${report.problem}. No session was moved. ` +
        'Look at its security group, TLS and password, and start the rollout again.',
    );
  }
  const from = source === wanted ? ((await readSwitchSource(clients, site)) ?? 'database') : source;
  const switched = await switchSessions(clients, rollout, { from, to: wanted, purpose });
  return {
    store: wanted,
    sessions: `${switched.copied} copied before the switch, ${switched.moved} moved after it`,
    ...(switched.tooLarge > 0 && { tooLarge: `${switched.tooLarge} for ${wanted}: their users sign in again` }),
    server: `${report.server ?? report.store}, ${report.milliseconds} ms from a node`,
    nodes: `${switched.nodes} replaced and acknowledged`,
  };
}

/**
 * Where live sessions are: the source of a switch that is still open; else the store that a running node acknowledged
 * other than the wanted; else what the setting says.
 */
async function sourceOfSessions(
  { database, ecs, ssm, settings }: SwitchingClients,
  site: string,
  wanted: SessionStore,
): Promise<SessionStore> {
  const open = await readOpenMigration(database, site);
  if (open?.target === wanted) return open.source;
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  const stores = [...(await readServing(database, site, nodes)).values()].map((serving) => serving.sessionStore);
  return stores.find((store) => store !== wanted) ?? sessionStoreOf(await readParameters(ssm, settings));
}

/** Source of the last switch, open or closed: for the call that comes after all nodes were replaced. */
async function readSwitchSource({ database }: SwitchingClients, site: string): Promise<SessionStore | undefined> {
  const [row] = await database.query('SELECT source FROM moodle_lifecycle.session_migration WHERE site = :site', {
    site,
  });
  const source = row?.source;
  return source === 'database' || source === 'redis' || source === 'memcached' ? source : undefined;
}

export const handler = makeHandler(
  'Enable session caching',
  (): SwitchingClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      balancer: new ElasticLoadBalancingV2Client({}),
    };
  },
  enableSessionCaching,
);
