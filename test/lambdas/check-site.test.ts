import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSite } from '../../lambdas/check-site.ts';
import { readHold } from '../../lambdas/shared/hold.ts';
import { Bench, execution, untilDone } from './bench.ts';
import { makeMoodleTables, setMarker } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const rollout = { site: 'campus', execution };

describe('checkSite', () => {
  it('takes a site without anything, and plans an install', async () => {
    const account = await bench.account();
    const checked = await checkSite(account.clients, { ...rollout, input: { nodes: 3, reason: 'first term' } });
    expect(checked).toMatchObject({
      site: 'absent: no table begins with mdl_',
      database: expect.stringMatching(/^PostgreSQL \d+.*, [\d.]+ ms per round trip$/),
      sessionStore: 'redis: available, TLS, password',
      hold: 'taken',
      plan: { state: 'absent', install: true, nodes: 3, finish: 'unattended', adminIp: null, image: 'content-1' },
    });
    expect(await readHold(account.database, 'campus')).toMatchObject({
      execution,
      reason: 'first term',
      before: { installed: false, desired: 0, sessionStore: 'database', capacity: { minimum: 0, maximum: 1 } },
    });
    expect(JSON.stringify(checked).length).toBeLessThan(1000);
  });

  it('touches nothing when the input is not valid', async () => {
    const account = await bench.account();
    await expect(checkSite(account.clients, { ...rollout, input: { nodes: 9 } })).rejects.toMatchObject({
      name: 'InputInvalid',
    });
    expect(account.calls).toEqual([]);
    expect(await readHold(account.database, 'campus')).toBeUndefined();
  });

  it('plans no install on an installed site, and the image that it runs', async () => {
    const account = await bench.account({ IMAGE_TAG: 'content-2' });
    await makeMoodleTables(account.database);
    await account.serve(3);
    const check = () => checkSite(account.clients, { ...rollout, input: undefined });
    const { plan, site, keeps } = (await untilDone(account, check)).evidence;
    expect(site).toBe('installed: Moodle 5.1 (Build: 20251006)');
    expect(plan).toMatchObject({ state: 'installed', install: false, nodes: 2, image: 'content-1' });
    expect(keeps).toEqual(['cron does not run']);
  });

  it('goes on where an installed site does not answer, which an install may bring back', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.serve(2);
    account.door.status = 503;
    const { evidence } = await untilDone(account, () => checkSite(account.clients, { ...rollout, input: {} }));
    expect(evidence).toMatchObject({ plan: { install: false }, keeps: [] });
    expect((await readHold(account.database, 'campus'))?.before.look).toBeUndefined();
  });

  it.each([
    ['tables that are not ours', { config: { rolesactive: '0' } }, 'UnfinishedInstall'],
    ['a wizard that was not asked for', { config: { adminsetuppending: '1' } }, 'UnfinishedInstall'],
    ['signs that disagree', { config: { version: null } }, 'SiteStateUnknown'],
  ])('leaves %s alone', async (_, rows, name) => {
    const account = await bench.account();
    await makeMoodleTables(account.database, rows);
    await expect(checkSite(account.clients, { ...rollout, input: {} })).rejects.toMatchObject({ name });
    expect(await readHold(account.database, 'campus')).toBeUndefined();
  });

  it.each([true, false])('names the site that is there under another prefix, existingSite %s', async (existingSite) => {
    const account = await bench.account();
    for (const table of ['config', 'config_plugins', 'user', 'course']) {
      await account.database.execute(`CREATE TABLE mood_${table} (id int)`);
    }
    await expect(checkSite(account.clients, { ...rollout, input: { existingSite } })).rejects.toMatchObject({
      name: 'TablePrefixDiffers',
      message: expect.stringContaining('tables that begin with mood_'),
    });
    expect(await readHold(account.database, 'campus')).toBeUndefined();
  });

  it('refuses a site that was brought without the files of its object storage, before it takes it', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.database.execute('CREATE TABLE mdl_files (contenthash varchar(40))');
    await account.database.execute('CREATE TABLE mdl_tool_objectfs_objects (contenthash varchar(40), location int)');
    await account.database.execute("INSERT INTO mdl_files VALUES ('there')");
    await account.database.execute("INSERT INTO mdl_tool_objectfs_objects VALUES ('there', 2)");
    await expect(checkSite(account.clients, { ...rollout, input: { existingSite: true } })).rejects.toMatchObject({
      name: 'FilesElsewhere',
    });
    expect(await readHold(account.database, 'campus')).toBeUndefined();
    const { plan } = await checkSite(account.clients, { ...rollout, input: {} });
    expect(plan).toMatchObject({ existingSite: false });
  });

  it('goes on with our own unfinished install', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database, { config: { rolesactive: '0' } });
    await setMarker(account.database, { started: true });
    const { plan } = await checkSite(account.clients, { ...rollout, input: {} });
    expect(plan).toMatchObject({ state: 'unfinished', install: true });
  });

  it.each([
    [{ redisStatus: 'modifying' }, 'its status is modifying'],
    [{ redisTls: false }, 'it does not ask for TLS'],
  ])('refuses a cache that is not as it should be: %o', async (changes, words) => {
    const account = Object.assign(await bench.account(), changes);
    await expect(checkSite(account.clients, { ...rollout, input: {} })).rejects.toMatchObject({
      name: 'CacheNotAvailable',
      message: expect.stringContaining(words),
    });
    expect(await readHold(account.database, 'campus')).toBeUndefined();
  });

  it('refuses a cache that is not there', async () => {
    const account = await bench.account();
    account.faults.set(
      'DescribeReplicationGroups',
      Object.assign(new Error('gone'), { name: 'ReplicationGroupNotFoundFault' }),
    );
    await expect(checkSite(account.clients, { ...rollout, input: {} })).rejects.toMatchObject({
      name: 'CacheNotAvailable',
      message: expect.stringContaining('there is none of this name'),
    });
  });

  it('asks Memcached for its status where sessions are there', async () => {
    const account = await bench.account({ SESSION_STORE_KIND: 'cache-cluster' });
    const { sessionStore } = await checkSite(account.clients, { ...rollout, input: {} });
    expect(sessionStore).toBe('memcached: available, 2 node(s)');
  });

  it('asks a serverless cache for its status and for who may use it', async () => {
    const account = await bench.account({ SESSION_STORE_KIND: 'serverless' });
    const { sessionStore } = await checkSite(account.clients, { ...rollout, input: {} });
    expect(sessionStore).toBe('valkey, serverless: available, TLS, password');

    account.serverless = { Status: 'CREATING' };
    await expect(checkSite(account.clients, { ...rollout, input: {} })).rejects.toMatchObject({
      name: 'CacheNotAvailable',
      message: expect.stringContaining('its status is creating, it does not ask for a password'),
    });
  });

  it('leaves a site alone that a running execution holds', async () => {
    const account = await bench.account();
    account.executions.set('arn:other', 'RUNNING');
    await checkSite(account.clients, { site: 'campus', execution: 'arn:other', input: {} });
    await expect(checkSite(account.clients, { ...rollout, input: {} })).rejects.toMatchObject({ name: 'SiteHeld' });
  });

  it('takes over from one that was stopped, and keeps what that one found', async () => {
    const account = await bench.account();
    await checkSite(account.clients, { site: 'campus', execution: 'arn:other', input: {} });
    account.parameters.set('maximum-nodes', '9');
    account.executions.set('arn:other', 'ABORTED');
    const { hold } = await checkSite(account.clients, { ...rollout, input: {} });
    expect(hold).toContain('taken over from arn:other');
    expect((await readHold(account.database, 'campus'))?.before.parameters['maximum-nodes']).toBe('1');
  });

  it('can be called again after it was killed', async () => {
    const account = await bench.account();
    const first = await checkSite(account.clients, { ...rollout, input: {} });
    account.web.desiredCount = 1;
    const again = await checkSite(account.clients, { ...rollout, input: {} });
    expect(again.plan).toEqual({ ...first.plan, expectedSeconds: again.plan.expectedSeconds });
    expect((await readHold(account.database, 'campus'))?.before.desired).toBe(0);
  });
});
