import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaleOut } from '../../lambdas/scale-out.ts';
import { readServing } from '../../lambdas/shared/acknowledgements.ts';
import { nodeId } from '../../lambdas/shared/nodes.ts';
import { settingsFrom } from '../../lambdas/shared/settings.ts';
import { verifySite } from '../../lambdas/verify-site.ts';
import type { Account } from './account.ts';
import { Bench, held, untilDone } from './bench.ts';
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
  /** A site that serves on so many nodes and whose cron has run. */
  async function finished(nodes: number, plan: object = {}, prepare?: (account: Account) => unknown) {
    const account = await served(nodes);
    const { door } = account;
    await account.database.execute(`INSERT INTO mdl_config_plugins VALUES ('tool_task', 'lastcronstart', :now)`, {
      now: String(Math.ceil(Date.now() / 1000)),
    });
    await prepare?.(account);
    const input = await held(account, {}, plan);
    door.requests.length = 0;
    const call = (more: object = {}) => verifySite(account.clients, { ...input, ...more });
    const verify = async (more: object = {}) => (await untilDone(account, () => call(more))).evidence;
    return { account, door, call, verify };
  }

  it('follows one session over every node, though the load balancer is sticky, and ends it', async () => {
    const { door, verify } = await finished(3);
    const evidence = await verify();
    expect(evidence).toMatchObject({
      session: expect.stringMatching(/^one session on 3 nodes \(\d+ requests\)$/),
      stores: expect.stringMatching(/^sessions in redis, cache stores [0-9a-f]{12} on 3 nodes$/),
      version: '5.1 (PHP 8.4.1), no upgrade pending',
      cron: expect.stringMatching(/^ran \d{4}-/),
    });
    expect(evidence).not.toHaveProperty('kept');
    expect(new Set(door.requests.map(({ node }) => node)).size).toBe(3);
    expect(door.requests.filter(({ cookie }) => cookie.includes('AWSALB'))).toEqual([]);
    expect(door.hasRolloutSession).toBe(false);
  });

  it('tries no password on a site that people use: each is a failed login, or mails an administrator', async () => {
    const { account, verify } = await finished(2);
    expect(await verify()).not.toHaveProperty('login');
    expect(account.calls).not.toContain('GetSecretValue');
  });

  it('leaves no trace of how to come with the session', async () => {
    const { account, verify } = await finished(2);
    const opened: string[] = [];
    const { openSession } = account.door;
    account.door.openSession = () => {
      const session = openSession.call(account.door);
      opened.push(session.sid);
      return session;
    };
    const evidence = JSON.stringify(await verify());
    const rows = JSON.stringify(
      await account.database.query('SELECT value FROM moodle_lifecycle.node_acknowledgement'),
    );
    expect(opened).toHaveLength(1);
    for (const sid of opened) expect(evidence + rows).not.toContain(sid);
  });

  it('has the files of a site that was brought here looked for', async () => {
    const { account, verify } = await finished(2, { existingSite: true });
    account.report = ([role]) =>
      role === 'check-files' ? { ok: true, files: 50_000, looked: 20_000, missing: 0, wrongSize: 0 } : undefined;
    expect(await verify()).toMatchObject({ files: '20000 of 50000 looked for, all there with their sizes' });
  });

  it('does not call a site done whose files are not there', async () => {
    const { account, verify } = await finished(2, { existingSite: true });
    account.report = () => ({ ok: true, files: 9, looked: 9, missing: 3, wrongSize: 0 });
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('of 9 that were looked for, 3 are not in filedir'),
    });
  });

  it('finds a node on which the session does not hold', async () => {
    const { account, door, verify } = await finished(3);
    const [lonely] = account.running().map(nodeId);
    door.alone.add(lonely ?? '');
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('session does not hold'),
    });
  });

  it('follows another session where somebody ended all of them meanwhile', async () => {
    const { account, verify } = await finished(2);
    const opened: string[] = [];
    const { openSession } = account.door;
    account.door.openSession = () => {
      const session = openSession.call(account.door);
      opened.push(session.sid);
      if (opened.length === 1) account.door.endSessions();
      return session;
    };
    expect(await verify()).toMatchObject({ session: expect.stringContaining('one session on 2 nodes') });
    expect(opened).toHaveLength(2);
    expect(account.door.hasRolloutSession).toBe(false);
  });

  it('finds a node that the load balancer never leads to', async () => {
    const { account, door, verify } = await finished(2);
    const extra = account.running().map(nodeId).at(-1) ?? '';
    door.apart.add(extra);
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining(`never led to ${extra.slice(0, 8)}`),
    });
  });

  it('signs in by the password of the secret after an unattended install', async () => {
    const { door, verify } = await finished(2, { install: true });
    const evidence = await verify();
    expect(evidence).toMatchObject({ login: 'operator, by the password of the secret' });
    expect(JSON.stringify(evidence)).not.toContain('operator-secret');
    door.password = 'changed';
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('operator cannot log in'),
    });
  });

  it.each<[string, (account: Account) => unknown, string | RegExp]>([
    [
      'single sign-on',
      ({ door }) => Object.assign(door, { loginElsewhere: 'https://sso.example.edu/start?t=1' }),
      'not tried: the login page leads to https://sso.example.edu/start',
    ],
    [
      'a form of its own',
      ({ door }) => Object.assign(door, { loginForm: '<form>' }),
      'not tried: the login page has another form than Moodle’s own',
    ],
    [
      'no token in its form',
      ({ door }) => Object.assign(door, { loginForm: '<input type="hidden" name="logintoken" value="">' }),
      'operator, by the password of the secret',
    ],
  ])('an unattended install of code that brings another way in: %s', async (_, change, login) => {
    const { account, verify } = await finished(2, { install: true });
    change(account);
    expect(await verify()).toMatchObject({ login, session: expect.stringContaining('one session on 2 nodes') });
  });

  it('does not accept a site on which no session can be opened any more', async () => {
    const { account, verify } = await finished(2);
    account.noSession = 'Redis is full.';
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('no session could be opened: Redis is full'),
    });
  });

  it.each([500, 404])('finds an error %i that signed-in users meet', async (status) => {
    const { door, verify } = await finished(2);
    door.broken.set('/my/', status);
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringMatching(new RegExp(`home page of signed-in users answered ${status} \\(before: 200\\)`)),
    });
  });

  it('looks at another page of users where the dashboard is turned off', async () => {
    const { account, door, verify } = await finished(2);
    door.broken.set('/my/', 404);
    await account.database.execute(`INSERT INTO mdl_config (name, value) VALUES ('enabledashboard', '0')`);
    expect(await verify()).not.toHaveProperty('kept');
    door.broken.set('/user/preferences.php', 500);
    await expect(verify()).rejects.toMatchObject({ name: 'VerificationFailed' });
  });

  const setConfig = (name: string, value: string) => async (account: Account) => {
    await account.database.execute('INSERT INTO mdl_config (name, value) VALUES (:name, :value)', { name, value });
  };
  const cronLastRan = (seconds: number) => async (account: Account) => {
    await account.database.execute(`UPDATE mdl_config_plugins SET value = '${seconds}'`);
  };
  const brokenPage = { kind: 'broken', status: 500, problem: 'no theme' };

  /** What a site of ten years has, as it is met through the load balancer, in a task or in the database. */
  const faults: [string, (account: Account) => unknown, RegExp][] = [
    [
      'a home page with an error',
      ({ door }) => door.broken.set('/my/', 500),
      /home page of signed-in users answer\w+ 500/,
    ],
    [
      'a node that does not share sessions',
      (account) => account.door.alone.add(nodeId(account.running()[0] ?? '')),
      /the session does not hold on node/,
    ],
    [
      'a page that is broken',
      (account) => Object.assign(account, { pages: () => ({ administrator: brokenPage }) }),
      /a page for the administrator is broken: no theme/,
    ],
  ];
  const switches: [string, (account: Account) => unknown, RegExp | undefined][] = [
    [
      'single sign-on',
      ({ door }) => Object.assign(door, { loginElsewhere: 'https://sso.example.edu/start?ticket=1' }),
      /the login page leads to https:\/\/sso\.example\.edu\/start$/,
    ],
    [
      'maintenance by an administrator',
      ({ door }) => Object.assign(door, { maintenance: { by: 'administrator' } }),
      /in maintenance, by an administrator/,
    ],
    ['cron switched off', setConfig('cron_enabled', '0'), undefined],
  ];

  it.each([...faults, ...switches])('keeps what the site had before: %s', async (_, change, words) => {
    const { verify } = await finished(2, {}, change);
    const evidence = await verify();
    if (words) expect(evidence.kept).toEqual([expect.stringMatching(words)]);
  });

  it('takes a site that was brought here, signs people in elsewhere and is in maintenance, though nothing served before', async () => {
    const { account, door, verify } = await finished(2, { existingSite: true }, ({ door }) => {
      door.status = 503;
    });
    Object.assign(door, {
      status: undefined,
      loginElsewhere: 'https://sso.example.edu/start',
      maintenance: { by: 'administrator' },
    });
    account.report = () => ({ ok: true, files: 9, looked: 9, missing: 0, wrongSize: 0 });
    expect(await verify()).toMatchObject({ kept: expect.arrayContaining(['in maintenance, by an administrator']) });
  });

  it.each(faults)('does not accept what came with the rollout: %s', async (_, change, words) => {
    const { account, verify } = await finished(2);
    change(account);
    await expect(verify()).rejects.toMatchObject({ name: 'VerificationFailed', message: expect.stringMatching(words) });
  });

  it.each(switches)('takes what somebody switched during the rollout for what it is: %s', async (_, change) => {
    const { account, verify } = await finished(2);
    await change(account);
    await expect(verify()).resolves.toBeDefined();
  });

  it('does not wait for cron where it did not run for days before, and says so', async () => {
    const { verify } = await finished(2, {}, cronLastRan(1_700_000_000));
    expect(await verify()).toMatchObject({
      cron: expect.stringContaining('not running, as before (last at 2023-11-14'),
    });
  });

  it('accepts command-line maintenance that somebody began meanwhile, and none that a rollout left', async () => {
    const { account, door, verify } = await finished(2);
    await cronLastRan(1_700_000_000)(account);
    door.maintenance = { by: 'command line' };
    expect(await verify()).toMatchObject({
      session: expect.stringContaining('in maintenance'),
      cron: expect.stringContaining('not waited for'),
      kept: ['in maintenance, by Moodle’s command line'],
    });
    door.maintenance = { by: 'a rollout' };
    await expect(verify()).rejects.toMatchObject({
      name: 'VerificationFailed',
      message: expect.stringContaining('maintenance, which the rollout began, is still on'),
    });
  });

  it('waits for a cron run that is younger than the rollout', async () => {
    const { account, call } = await finished(2);
    await cronLastRan(1_700_000_000)(account);
    await expect(call()).rejects.toMatchObject({
      name: 'CronNotYetRun',
      message: expect.stringContaining('last at 2023-11-14'),
    });
    await account.database.execute('DELETE FROM mdl_config_plugins');
    await expect(call()).rejects.toMatchObject({ name: 'CronNotYetRun', message: expect.stringContaining('never') });
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

  it('expects of an update the stores that it found, and not those of a deploy since the install', async () => {
    const moved = (account: Account) =>
      account.database.execute(`UPDATE moodle_lifecycle.cache_store SET endpoint = 'elsewhere:6379'`);
    const { account, verify } = await finished(2, {}, moved);
    const [row] = await account.database.query('SELECT hash FROM moodle_lifecycle.cache_configuration_hash');
    for (const node of account.running()) await says(account, { cacheConfigurationHash: row?.hash }, nodeId(node));
    await expect(verify({ asBefore: true })).resolves.toBeDefined();
    await expect(verify()).rejects.toMatchObject({ name: 'VerificationFailed' });
  });

  it('waits while the site does not answer, or the load balancer alone does', async () => {
    const { door, call } = await finished(2);
    door.status = 503;
    await expect(call()).rejects.toMatchObject({
      name: 'NodesNotYetHealthy',
      message: expect.stringContaining('answered 503: no node took the request'),
    });
    await door.close();
    await expect(call()).rejects.toMatchObject({
      name: 'NodesNotYetHealthy',
      message: expect.stringMatching(/does not answer: .*ECONNREFUSED/),
    });
  });

  const says = async (account: Account, value: object, node = nodeId(account.running()[0] ?? '')) => {
    const { database } = account;
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
