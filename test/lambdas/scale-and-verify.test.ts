import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scaleOut } from '../../lambdas/scale-out.ts';
import { readServing } from '../../lambdas/shared/acknowledgements.ts';
import { nodeId } from '../../lambdas/shared/nodes.ts';
import { settingsFrom } from '../../lambdas/shared/settings.ts';
import { verifySite } from '../../lambdas/verify-site.ts';
import type { Account } from './account.ts';
import { Bench, held, untilDone } from './bench.ts';
import { MoodleDoor } from './moodle-door.ts';
import { makeMoodleTables } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

async function served(nodes: number): Promise<Account> {
  const account = await bench.account();
  await makeMoodleTables(account.database);
  await account.serve(nodes);
  return account;
}

describe('scaleOut', () => {
  it('releases capacity and autoscaling to the wanted range, and starts cron with the same image', async () => {
    const account = await served(1);
    account.scalable = { MinCapacity: 0, MaxCapacity: 1, SuspendedState: { DynamicScalingOutSuspended: true } };
    Object.assign(account.web, { healthCheckGracePeriodSeconds: 1800 });
    account.cron.desiredCount = 0;
    account.images.add('content-9');
    const input = await held(account, { nodes: 3 }, { image: 'content-9' });
    const { evidence, waits } = await untilDone(account, () => scaleOut(account.clients, input));
    expect(evidence).toEqual({
      nodes: '3 of 3 healthy',
      autoscaling: '3 to 4, active',
      cron: 'running',
      healthGraceSeconds: 60,
    });
    expect(waits).toEqual(['NodesNotYetHealthy: 1 of 3 nodes healthy, 1 running; cron running.']);
    expect(account.scalable).toMatchObject({
      MinCapacity: 3,
      MaxCapacity: 4,
      SuspendedState: { DynamicScalingInSuspended: false, DynamicScalingOutSuspended: false },
    });
    expect(account.web).toMatchObject({ desiredCount: 3, healthCheckGracePeriodSeconds: 60 });
    expect(account.cron.desiredCount).toBe(1);
    const cron = account.taskDefinitions.findLast((one) => one.family === 'cron-family');
    expect(cron?.containerDefinitions?.[0]).toMatchObject({
      image: 'registry/repository:content-9',
      command: ['cron'],
    });
    expect(Object.fromEntries(account.parameters)).toMatchObject({
      'desired-nodes': '3',
      'minimum-nodes': '3',
      'maximum-nodes': '4',
      'cron-nodes': '1',
    });
  });

  it('never takes nodes away', async () => {
    const account = await served(4);
    const { evidence } = await untilDone(account, async () =>
      scaleOut(account.clients, await held(account, { nodes: 1 })),
    );
    expect(evidence).toMatchObject({ nodes: '4 of 4 healthy', autoscaling: '1 to 4, active' });
    expect(account.running()).toHaveLength(4);
  });

  it('tells why nodes keep stopping', async () => {
    const account = await served(1);
    const input = await held(account, { nodes: 3 });
    account.serving = undefined;
    await expect(untilDone(account, () => scaleOut(account.clients, input))).rejects.toMatchObject({
      name: 'NodesNotHealthy',
      message: expect.stringMatching(/Nodes of web keep stopping.*exit code 1/s),
    });
  });
});

describe('verifySite', () => {
  let door: MoodleDoor;
  afterEach(() => door.close());

  /** A site that serves on so many nodes and whose cron has run, with a door to it. */
  async function finished(nodes: number, plan: object = {}) {
    const account = await served(nodes);
    const input = await held(account, {}, plan);
    await account.database.execute(`INSERT INTO mdl_config_plugins VALUES ('tool_task', 'lastcronstart', :now)`, {
      now: String(Math.ceil(Date.now() / 1000)),
    });
    door = new MoodleDoor(account.running().map(nodeId));
    const siteUrl = await door.listen();
    const { settings } = account;
    const clients = {
      ...account.clients,
      settings: Object.create(settings, { siteUrl: { value: siteUrl } }) as typeof settings,
    };
    return { account, input, verify: () => verifySite(clients, input) };
  }

  it('follows one login over every node, though the load balancer is sticky', async () => {
    const { verify } = await finished(3);
    const evidence = await verify();
    expect(evidence).toMatchObject({
      login: 'operator, by the password of the secret',
      session: expect.stringMatching(/^same login on 3 nodes \(\d+ requests\)$/),
      stores: expect.stringMatching(/^sessions in redis, cache stores [0-9a-f]{12} on 3 nodes$/),
      version: '5.1 (PHP 8.4.1), no upgrade pending',
      cron: expect.stringMatching(/^ran \d{4}-/),
    });
    expect(new Set(door.requests.map(({ node }) => node)).size).toBe(3);
    expect(door.requests.filter(({ cookie }) => cookie.includes('AWSALB'))).toEqual([]);
    expect(JSON.stringify(evidence)).not.toContain('operator-secret');
  });

  it('has the files of a site that was brought here looked for', async () => {
    const { account, verify } = await finished(2, { existingSite: true });
    account.report = ([role]) => (role === 'check-files' ? { ok: true, files: 50_000, looked: 20_000 } : undefined);
    const { evidence } = await untilDone(account, verify);
    expect(evidence).toMatchObject({ files: '20000 of 50000 looked for, all there with their sizes' });
  });

  it('does not call a site done whose files are not there', async () => {
    const { account, verify } = await finished(2, { existingSite: true });
    account.report = () => ({ ok: false, problem: '3 of 9 files that the database names are not in filedir.' });
    await expect(untilDone(account, verify)).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('3 of 9 files that the database names are not in filedir. Copy'),
    });
  });

  it('finds a node on which the session does not hold', async () => {
    const { account, verify } = await finished(3);
    const [lonely] = account.running().map(nodeId);
    door.alone.add(lonely ?? '');
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('session does not hold'),
    });
  });

  it('finds a node that the load balancer never leads to', async () => {
    const { account, verify } = await finished(2);
    account.web.desiredCount = 3;
    await account.settle();
    const extra = account.running().map(nodeId).at(-1) ?? '';
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining(`never led to ${extra.slice(0, 8)}`),
    });
  });

  it('requires the login after an unattended install', async () => {
    const { verify } = await finished(2, { install: true });
    door.password = 'changed';
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('operator cannot log in'),
    });
  });

  it('follows an anonymous session where the administrator has another password by now, and says so', async () => {
    const { verify } = await finished(2);
    door.password = 'changed';
    const evidence = await verify();
    expect(evidence.login).toContain('not (or no longer) that of the secret');
    expect(evidence.session).toMatch(/^same anonymous session on 2 nodes/);
  });

  it.each([500, 404])('does not take an error %i that signed-in users meet for a refused password', async (status) => {
    const { verify } = await finished(2);
    door.broken.set('/my/', status);
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringMatching(new RegExp(`/my/ answered ${status} on node \\S+ when operator signed in`)),
    });
  });

  it('looks at another page of users where the dashboard is turned off', async () => {
    const { account, verify } = await finished(2);
    door.broken.set('/my/', 404);
    await account.database.execute(`INSERT INTO mdl_config (name, value) VALUES ('enabledashboard', '0')`);
    expect(await verify()).toMatchObject({ session: expect.stringMatching(/^same login on 2 nodes/) });
    door.broken.set('/user/preferences.php', 500);
    await expect(verify()).rejects.toMatchObject({ name: 'VerificationFailed' });
  });

  it('finds anonymous sessions that are not shared', async () => {
    const { account, verify } = await finished(2);
    door.password = 'changed';
    for (const node of account.running()) door.alone.add(nodeId(node));
    await expect(verify()).rejects.toMatchObject({ name: 'VerificationFailed' });
  });

  it('waits for a cron run that is younger than the rollout', async () => {
    const { account, verify } = await finished(2);
    await account.database.execute(`UPDATE mdl_config_plugins SET value = '1700000000'`);
    await expect(verify()).rejects.toMatchObject({
      name: 'CronNotYetRun',
      message: expect.stringContaining('last at 2023-11-14'),
    });
    await account.database.execute('DELETE FROM mdl_config_plugins');
    await expect(verify()).rejects.toMatchObject({ name: 'CronNotYetRun', message: expect.stringContaining('never') });
  });

  it.each<[string, (account: Account) => Promise<unknown> | unknown, string]>([
    [
      'rows of cache stores that are not the wanted ones',
      (account) => account.database.execute(`UPDATE moodle_lifecycle.cache_store SET endpoint = 'elsewhere:6379'`),
      'rows of the cache stores',
    ],
    [
      'the setting of the sessions',
      (account) => account.parameters.set('session-store', 'database'),
      'session-store says database',
    ],
    ['an acknowledgement', (account) => says(account, { sessionStore: 'database' }), 'keeps sessions in database'],
    [
      'an older configuration',
      (account) => says(account, { cacheConfigurationHash: 'old' }),
      'applied other cache stores',
    ],
    ['a pending upgrade', (account) => says(account, { upgradePending: true }), 'upgrade is pending'],
    ['another version', (account) => says(account, { moodleVersion: 2024 }), 'has the code of 2024'],
  ])('finds %s', async (_, change, words) => {
    const { account, verify } = await finished(2);
    await change(account);
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining(words),
    });
  });

  it('waits while the site does not answer, or the load balancer alone does', async () => {
    const { verify } = await finished(2);
    door.status = 503;
    await expect(verify()).rejects.toMatchObject({
      name: 'NodesNotYetHealthy',
      message: expect.stringContaining('answered 503'),
    });
    await door.close();
    await expect(verify()).rejects.toMatchObject({
      name: 'NodesNotYetHealthy',
      message: expect.stringMatching(/does not answer: .*ECONNREFUSED/),
    });
  });

  const says = async (account: Account, value: object) => {
    const { database } = account;
    const node = nodeId(account.running()[0] ?? '');
    const said = (await readServing(database, 'campus', [node])).get(node);
    await database.execute(
      `UPDATE moodle_lifecycle.node_acknowledgement SET value = ${database.dialect.json(':value')} WHERE node = :node`,
      { value: JSON.stringify({ ...said, ...value }), node },
    );
  };
});

describe('settingsFrom', () => {
  it('names the variable that is missing or makes no sense, only when it is read', () => {
    const settings = settingsFrom({ MAXIMUM_NODES: 'many', DATABASE_PREFIX: 'mdl_; DROP', SESSION_STORE_TYPE: 'file' });
    expect(() => settings.site).toThrow(
      expect.objectContaining({ name: 'SettingMissing', message: expect.stringContaining('SITE is not set') }),
    );
    expect(() => settings.maximumNodes).toThrow('“many”, not a whole number');
    expect(() => settings.databasePrefix).toThrow('a prefix has at most 10');
    expect(() => settings.sessionStoreType).toThrow('not redis or memcached');
  });
});
