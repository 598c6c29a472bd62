import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureCacheStores } from '../../lambdas/configure-cache-stores.ts';
import { enableSessionCaching } from '../../lambdas/enable-session-caching.ts';
import {
  readCacheConfiguration,
  readCacheConfigurationHash,
  sameCacheConfiguration,
  wantedCacheConfiguration,
  writeCacheConfiguration,
} from '../../lambdas/shared/cache-configuration.ts';
import { readOpenMigration } from '../../lambdas/shared/session-switch.ts';
import { startOneNode } from '../../lambdas/start-one-node.ts';
import type { Account } from './account.ts';
import { Bench, execution, held, untilDone } from './bench.ts';
import { makeMoodleTables } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

/** A site whose install is done and whose one node runs. */
async function installed(changes: Readonly<Record<string, string>> = {}) {
  const account = await bench.account(changes);
  const input = await held(account);
  await untilDone(account, () => startOneNode(account.clients, input));
  await makeMoodleTables(account.database);
  account.calls.length = 0;
  return { account, input };
}

const count = (account: Account, call: string) => account.calls.filter((one) => one === call).length;

describe('configureCacheStores', () => {
  it('proves the store, writes rows, replaces the nodes once, reads their hash back, and purges the caches', async () => {
    const { account, input } = await installed();
    const [before] = account.running();
    const { evidence, waits } = await untilDone(account, () => configureCacheStores(account.clients, input));
    const hash = await readCacheConfigurationHash(account.database, 'campus');
    expect(evidence).toEqual({
      stores: 'application: application_redis',
      hash: hash.slice(0, 12),
      server: 'redis 7.0.15, 2 ms from a node',
      nodes: '1 replaced and acknowledged',
    });
    expect(waits.map((wait) => wait.replace(/:.*/, ''))).toEqual([
      'TaskStillRunning',
      'NodesStillBeingReplaced',
      'TaskStillRunning',
    ]);
    expect(account.running()).not.toContain(before);
    expect(count(account, 'RunTask')).toBe(2);
    expect(count(account, 'UpdateService')).toBe(1);
    const configuration = await readCacheConfiguration(account.database, 'campus');
    expect(configuration).toEqual({
      stores: [
        {
          name: 'application_redis',
          plugin: 'redis',
          endpoint: 'application:6379',
          tls: true,
          prefix: 'campus_app_',
          secretArn: 'arn:secret:application',
        },
      ],
      mappings: { application: 'application_redis' },
    });
  });

  it('does nothing when every node has applied the wanted rows', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.serve(3);
    const evidence = await configureCacheStores(account.clients, await held(account));
    expect(evidence).toMatchObject({ nodes: '3 had applied them already' });
    expect(account.calls.filter((call) => !/^(Describe|List)/.test(call))).toEqual([]);
  });

  it('writes no row when a node cannot use the store', async () => {
    const { account, input } = await installed();
    account.report = () => ({ ok: false, problem: 'certificate verify failed' });
    await expect(untilDone(account, () => configureCacheStores(account.clients, input))).rejects.toMatchObject({
      name: 'CacheStoreUnreachable',
      message: expect.stringContaining('certificate verify failed'),
    });
    expect(await readCacheConfiguration(account.database, 'campus')).toEqual({ stores: [], mappings: {} });
    expect(count(account, 'UpdateService')).toBe(0);
  });

  it('takes a task that ends without a word for a failure, with how it ended', async () => {
    const { account, input } = await installed();
    account.report = () => undefined;
    await expect(untilDone(account, () => configureCacheStores(account.clients, input))).rejects.toMatchObject({
      name: 'CacheStoreUnreachable',
      message: expect.stringMatching(/ended without a report \(Essential container in task exited, exit code 1\)/),
    });
  });

  it('waits when ECS has no place for the task, and asks anew', async () => {
    const { account, input } = await installed();
    const tokens: string[] = [];
    const { ecs } = account.clients;
    let refused = false;
    const crowded = {
      send: (command: { input: { clientToken?: string } }) => {
        if (command.input.clientToken === undefined) return ecs.send(command as never);
        tokens.push(command.input.clientToken);
        if (refused) return ecs.send(command as never);
        refused = true;
        return Promise.resolve({ tasks: [], failures: [{ reason: 'RESOURCE:ENI' }] });
      },
    };
    const clients = { ...account.clients, ecs: crowded as unknown as typeof ecs };
    const { waits } = await untilDone(account, () => configureCacheStores(clients, input));
    expect(waits[0]).toMatch(/^TaskStillRunning: ECS found no place yet .*RESOURCE:ENI/);
    // Refused, asked anew, and the purge.
    expect(new Set(tokens).size).toBe(3);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{64}$/);
  });

  it('runs no second task when it was killed before it wrote the first one’s ARN', async () => {
    const { account, input } = await installed();
    await expect(configureCacheStores(account.clients, input)).rejects.toMatchObject({ name: 'TaskStillRunning' });
    await account.database.execute('UPDATE moodle_lifecycle.task_run SET task_arn = NULL');
    await untilDone(account, () => configureCacheStores(account.clients, input));
    const commands = account.tasks
      .filter((task) => task.group === 'one-off')
      .map((task) => task.overrides?.containerOverrides?.[0]?.command?.join(' '));
    expect(commands).toEqual(['probe application', 'purge-caches']);
  });

  it('waits while ECS does not yet know what was just asked for', async () => {
    const { account, input } = await installed();
    const { ecs } = account.clients;
    const forgotten = new Set<string>();
    const slow = {
      send: async (command: { constructor: { name: string } }) => {
        const { name } = command.constructor;
        const answer = (await ecs.send(command as never)) as { services?: { deployments: unknown[] }[] };
        if (forgotten.has(name) || !/^Describe(Tasks|Services)Command$/.test(name)) return answer;
        if (name === 'DescribeServicesCommand' && !account.calls.includes('UpdateService')) return answer;
        forgotten.add(name);
        if (name === 'DescribeTasksCommand') return { tasks: [], failures: [{ reason: 'MISSING' }] };
        return {
          services: answer.services?.map((service) => ({ ...service, deployments: service.deployments.slice(1) })),
        };
      },
    };
    const clients = { ...account.clients, ecs: slow as unknown as typeof ecs };
    const { evidence, waits } = await untilDone(account, () => configureCacheStores(clients, input));
    expect(evidence.nodes).toBe('1 replaced and acknowledged');
    expect(waits.filter((wait) => wait.includes('asked for'))).toEqual([
      expect.stringMatching(/^TaskStillRunning: The task “probe application” was asked for/),
      expect.stringMatching(/^NodesStillBeingReplaced: The replacement of the nodes was asked for/),
    ]);
  });

  it('tells which new nodes did not apply the rows', async () => {
    const { account, input } = await installed();
    account.serving = () => ({ cacheConfigurationHash: 'another' });
    await expect(untilDone(account, () => configureCacheStores(account.clients, input))).rejects.toMatchObject({
      name: 'NodesNotHealthy',
      message: expect.stringContaining('did not acknowledge'),
    });
  });

  it('stops when the new nodes do not start', async () => {
    const { account, input } = await installed();
    let asked = 0;
    account.report = () => {
      account.serving = undefined;
      asked += 1;
      return { ok: true };
    };
    await expect(untilDone(account, () => configureCacheStores(account.clients, input))).rejects.toMatchObject({
      name: 'NodesNotHealthy',
      message: expect.stringMatching(/do not become healthy.*exit code 1/s),
    });
    expect(asked).toBe(1);
    expect(account.running()).toHaveLength(1);
  });
});

describe('the hash of cache stores', () => {
  it('is that of the rows, in whatever order they were written', async () => {
    const hashOf = async (stores: readonly string[]) => {
      const account = await bench.account();
      await held(account);
      const wanted = wantedCacheConfiguration(account.settings);
      const [store] = wanted.stores;
      if (!store) throw new Error('no store');
      const configuration = { ...wanted, stores: stores.map((name) => ({ ...store, name })) };
      await writeCacheConfiguration(account.database, { site: 'campus', execution }, configuration);
      return readCacheConfigurationHash(account.database, 'campus');
    };
    const both = await hashOf(['one', 'two']);
    expect(both).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashOf(['two', 'one'])).toBe(both);
    expect(await hashOf(['one'])).not.toBe(both);
  });

  it('is empty without rows, and of the site alone', async () => {
    const account = await bench.account();
    await account.database.execute(
      `INSERT INTO moodle_lifecycle.cache_mode_mapping VALUES ('other', 'application', 'theirs')`,
    );
    expect(await readCacheConfigurationHash(account.database, 'campus')).toBe('');
  });

  it('follows from rows that are made exactly the wanted ones', async () => {
    const account = await bench.account();
    await held(account);
    const rollout = { site: 'campus', execution };
    const wanted = wantedCacheConfiguration(account.settings);
    await account.database.execute(
      `INSERT INTO moodle_lifecycle.cache_mode_mapping VALUES ('campus', 'session', 'gone'), ('other', 'session', 'kept')`,
    );
    await writeCacheConfiguration(account.database, rollout, wanted);
    expect(sameCacheConfiguration(await readCacheConfiguration(account.database, 'campus'), wanted)).toBe(true);
    await writeCacheConfiguration(account.database, rollout, { stores: [], mappings: {} });
    expect(await readCacheConfigurationHash(account.database, 'campus')).toBe('');
    expect((await readCacheConfiguration(account.database, 'other')).mappings).toEqual({ session: 'kept' });
  });

  it('stays whole when the site is lost in the middle', async () => {
    const account = await bench.account();
    await held(account);
    const wanted = wantedCacheConfiguration(account.settings);
    await writeCacheConfiguration(account.database, { site: 'campus', execution }, wanted);
    const late = { site: 'campus', execution: 'arn:late' };
    await expect(writeCacheConfiguration(account.database, late, { stores: [], mappings: {} })).rejects.toMatchObject({
      name: 'HoldLost',
    });
    expect(sameCacheConfiguration(await readCacheConfiguration(account.database, 'campus'), wanted)).toBe(true);
  });
});

describe('enableSessionCaching', () => {
  it('proves, copies, flips, replaces, moves the rest, in this order', async () => {
    const { account, input } = await installed();
    const events: string[] = [];
    const stateOf = async () => {
      const open = (await readOpenMigration(account.database, 'campus')) ? 'open' : 'closed';
      return `${account.parameters.get('session-store')}, sticky ${account.stickiness.get('stickiness.enabled')}, ${open}`;
    };
    const { evidence } = await untilDone(
      account,
      () => enableSessionCaching(account.clients, input),
      async () => {
        const state = await stateOf();
        const running = account.tasks.find((task) => task.group === 'one-off' && task.lastStatus !== 'STOPPED');
        events.push(`${running?.overrides?.containerOverrides?.[0]?.command?.join(' ') ?? 'replacing'}: ${state}`);
        await account.settle();
      },
    );
    expect(events).toEqual([
      'probe session: database, sticky false, closed',
      'copy-sessions database redis: database, sticky false, closed',
      'replacing: redis, sticky true, open',
      'copy-sessions database redis --move: redis, sticky true, open',
    ]);
    expect(await stateOf()).toBe('redis, sticky false, closed');
    expect(evidence).toEqual({
      store: 'redis',
      sessions: '2 copied before the switch, 2 moved after it',
      server: 'redis 7.0.15, 2 ms from a node',
      nodes: '1 replaced and acknowledged',
    });
    expect(count(account, 'UpdateService')).toBe(1);
    expect(await enableSessionCaching(account.clients, input)).toMatchObject({ store: 'redis' });
    expect(count(account, 'UpdateService')).toBe(1);
  });

  it('counts the sessions that the store cannot hold, and goes on', async () => {
    const { account, input } = await installed();
    account.report = ([, , , move]) => ({ ok: true, copied: 20, skipped: 1, tooLarge: move === '--move' ? 0 : 1 });
    const { evidence } = await untilDone(account, () => enableSessionCaching(account.clients, input));
    expect(evidence).toMatchObject({ tooLarge: '1 for redis: their users sign in again' });
    expect(account.parameters.get('session-store')).toBe('redis');
  });

  it('moves nothing when every node keeps sessions there already', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.serve(3);
    const evidence = await enableSessionCaching(account.clients, await held(account));
    expect(evidence).toMatchObject({ sessions: 'were there already, none moved', nodes: '3 had acknowledged' });
    expect(account.calls.filter((call) => !/^(Describe|List|GetParameters)/.test(call))).toEqual([]);
  });

  it('moves nothing when a node cannot use the store', async () => {
    const { account, input } = await installed();
    account.report = () => ({ ok: false, problem: 'NOAUTH.' });
    await expect(untilDone(account, () => enableSessionCaching(account.clients, input))).rejects.toMatchObject({
      name: 'SessionStoreUnreachable',
      message: expect.stringMatching(/sessions:6379: NOAUTH\. No session was moved/),
    });
    expect(account.parameters.get('session-store')).toBe('database');
    expect(count(account, 'RunTask')).toBe(1);
  });

  it('does not flip the setting when sessions could not be copied', async () => {
    const { account, input } = await installed();
    account.report = ([role]) => (role === 'probe' ? { ok: true } : { ok: false, problem: 'row 7 has no user' });
    await expect(untilDone(account, () => enableSessionCaching(account.clients, input))).rejects.toMatchObject({
      name: 'SessionsNotCopied',
      message: expect.stringContaining('row 7 has no user'),
    });
    expect(account.parameters.get('session-store')).toBe('database');
    expect(account.stickiness.get('stickiness.enabled')).toBe('false');
  });

  it('finishes a switch that a stopped rollout left open after the flip', async () => {
    const { account, input } = await installed();
    account.faults.set('UpdateService', new Error('killed'));
    await expect(untilDone(account, () => enableSessionCaching(account.clients, input))).rejects.toThrow('killed');
    expect(account.parameters.get('session-store')).toBe('redis');
    const { evidence } = await untilDone(account, () => enableSessionCaching(account.clients, input));
    expect(evidence).toMatchObject({ nodes: '1 replaced and acknowledged' });
    expect(await readOpenMigration(account.database, 'campus')).toBeUndefined();
    expect(account.stickiness.get('stickiness.enabled')).toBe('false');
  });

  it('does not believe the setting alone: nodes have to acknowledge', async () => {
    const { account, input } = await installed();
    account.serving = () => ({ sessionStore: 'database' });
    await expect(untilDone(account, () => enableSessionCaching(account.clients, input))).rejects.toMatchObject({
      name: 'NodesNotHealthy',
      message: expect.stringContaining('acknowledged otherwise'),
    });
  });
});
