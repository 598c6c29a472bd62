import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSite } from '../../lambdas/check-site.ts';
import { configureCacheStores } from '../../lambdas/configure-cache-stores.ts';
import { enableSessionCaching } from '../../lambdas/enable-session-caching.ts';
import { putBack } from '../../lambdas/put-back.ts';
import { releaseSite } from '../../lambdas/release-site.ts';
import { scaleOut } from '../../lambdas/scale-out.ts';
import { readServing } from '../../lambdas/shared/acknowledgements.ts';
import { readCacheConfiguration } from '../../lambdas/shared/cache-configuration.ts';
import { readHold } from '../../lambdas/shared/hold.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { nodeId } from '../../lambdas/shared/nodes.ts';
import { readOpenMigration } from '../../lambdas/shared/session-switch.ts';
import { readInstallMarker } from '../../lambdas/shared/site-state.ts';
import { startOneNode } from '../../lambdas/start-one-node.ts';
import { emptyLifecycle, LifecycleServer } from '../support/lifecycle-database.ts';
import { Account } from './account.ts';
import { execution, held, untilDone } from './bench.ts';
import { Executioner } from './executioner.ts';
import { makeMoodleTables } from './moodle-tables.ts';

let server: LifecycleServer;
let database: MoodleDatabase;
beforeAll(async () => {
  server = await LifecycleServer.start();
  database = await server.database();
});
afterAll(() => server.close());

type Clients = Account['clients'];
type Input = Awaited<ReturnType<typeof held>>;

interface Phase {
  readonly name: string;
  /** Brings a new account to where the phase begins. */
  prepare(account: Account): Promise<Input>;
  run(clients: Clients, input: Input): Promise<unknown>;
}

const oneNode = async (account: Account) => {
  const input = await held(account, { nodes: 3 });
  await untilDone(account, () => startOneNode(account.clients, input));
  await makeMoodleTables(database);
  return input;
};
const withStores = async (account: Account) => {
  const input = await oneNode(account);
  await untilDone(account, () => configureCacheStores(account.clients, input));
  return input;
};
const withSessions = async (account: Account) => {
  const input = await withStores(account);
  await untilDone(account, () => enableSessionCaching(account.clients, input));
  return input;
};
/** A site that served on the database's sessions before a rollout that moved them. */
const movedWhileServing = async (account: Account) => {
  await makeMoodleTables(database);
  await account.serve(2);
  account.parameters.set('session-store', 'database');
  for (const task of account.running()) account.stop(task, 'ServiceSchedulerInitiated');
  await account.settle();
  const input = await held(account);
  await untilDone(account, () => enableSessionCaching(account.clients, input));
  return input;
};

const back = (clients: Clients, { site, execution: name }: Input) =>
  putBack(clients, { site, execution: name, rollout: { checked: {}, failure: { Error: 'X', Cause: 'y' } } });

const phases: Phase[] = [
  {
    name: 'Check the site',
    prepare: async () => ({ site: 'campus', execution, plan: undefined as never }),
    run: (clients, { site }) => checkSite(clients, { site, execution, input: {} }),
  },
  { name: 'Start one node', prepare: (account) => held(account), run: startOneNode },
  { name: 'Configure cache stores', prepare: oneNode, run: configureCacheStores },
  { name: 'Enable session caching', prepare: withStores, run: enableSessionCaching },
  { name: 'Scale out', prepare: withSessions, run: scaleOut },
  {
    name: 'Release the site',
    prepare: (account) => held(account),
    run: (clients, input) => releaseSite(clients, input),
  },
  { name: 'Put back (a fresh site)', prepare: withSessions, run: back },
  { name: 'Put back (a site that serves)', prepare: movedWhileServing, run: back },
];

/** Everything that the phases are there to bring about, and nothing of how often they tried. */
async function endOf(account: Account) {
  const hold = await readHold(database, 'campus');
  const marker = await readInstallMarker(database, 'campus');
  const serving = await readServing(database, 'campus', account.running().map(nodeId));
  const stores = [...serving.values()].map(({ sessionStore, cacheConfigurationHash }) => [
    sessionStore,
    cacheConfigurationHash,
  ]);
  return {
    parameters: Object.fromEntries(account.parameters),
    web: [account.web.desiredCount, account.web.healthCheckGracePeriodSeconds, account.web.taskDefinition],
    cron: [account.cron.desiredCount, account.cron.taskDefinition],
    scalable: account.scalable,
    sticky: account.stickiness.get('stickiness.enabled'),
    nodes: [account.running().length, account.running('cron').length],
    stores: [...new Set(stores.map((one) => JSON.stringify(one)))],
    configuration: await readCacheConfiguration(database, 'campus'),
    migration: await readOpenMigration(database, 'campus'),
    hold: hold && { execution: hold.execution, before: hold.before },
    marker: marker && { execution: marker.execution, finish: marker.finish },
    definitions: account.taskDefinitions.length,
    // One-off work must not be done twice: a second copy of sessions would bring back what has changed since.
    tasks: account.tasks
      .filter((task) => task.group === 'one-off')
      .map((task) => task.overrides?.containerOverrides?.[0]?.command?.join(' ')),
  };
}

/** The phase from its beginning to its end, by calls that are made this way. */
async function runBy(
  phase: Phase,
  call: (account: Account, work: (clients: Clients) => Promise<unknown>) => Promise<unknown>,
) {
  await emptyLifecycle(database);
  await database.execute('DROP TABLE IF EXISTS mdl_config, mdl_user, mdl_config_plugins');
  const account = new Account(database);
  const input = await phase.prepare(account);
  await untilDone(account, () => call(account, (clients) => phase.run(clients, input)));
  await account.settle();
  return endOf(account);
}

describe.each(phases)('$name', (phase) => {
  it('ends in the same state when it is killed after each of its effects, and called again', async () => {
    const expected = await runBy(phase, (account, work) => work(account.clients));
    const executioner = new Executioner();
    const end = await runBy(phase, (account, work) => executioner.torment(account, work));
    expect(executioner.strikes).toBeGreaterThan(0);
    expect(end).toEqual(expected);
  });
});
