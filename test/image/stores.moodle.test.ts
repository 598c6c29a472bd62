import { cpSync, existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startMemcached } from '../../rehearsal/machines/memcached.ts';
import { startRedis, startServerlessRedis } from '../../rehearsal/machines/redis.ts';
import { openRedis } from '../../rehearsal/stand-in/stores/redis.ts';
import { Browser, MoodleBench, type MoodleSite, REDIS_PASSWORD } from './moodle-bench.ts';
import { run } from './run.ts';

/** The stores that only some options choose, each with a real Moodle. */
const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');

/** As infra/constructs/serverless-store.ts gives it. */
const accessString = 'on ~* &* +@all -@admin -@dangerous +info';

let bench: MoodleBench;
let installed: MoodleSite;

beforeAll(async () => {
  bench = await MoodleBench.open(moodle);
  installed = await bench.site();
  await installed.allowInstall('unattended');
  await (await installed.serve()).stop();
}, 600_000);
afterAll(() => bench?.close());

describe('serverless: TLS, a cluster, a user who may not touch the server', () => {
  const topology = { MOODLE_SESSION_STORE_TOPOLOGY: 'cluster', MOODLE_APPLICATION_STORE_TOPOLOGY: 'cluster' };

  test('sessions and application cache live there; sessions move in and out, and nobody is logged out', async (context) => {
    if (bench.branch < 405) return context.skip();
    const sessions = await startServerlessRedis(bench.world, 'serverless-session', REDIS_PASSWORD, accessString);
    const application = await startServerlessRedis(bench.world, 'serverless-app', REDIS_PASSWORD, accessString);
    const site = await bench.site(installed);
    const stores = {
      ...topology,
      MOODLE_SESSION_STORE_ENDPOINT: `${sessions.host}:${sessions.port}`,
      MOODLE_APPLICATION_STORE_ENDPOINT: `${application.host}:${application.port}`,
    };
    for (const use of ['session', 'application']) {
      const probed = await site.run(['probe', use], stores);
      expect(probed.exitCode, probed.log).toBe(0);
      expect(probed.value).toMatchObject({ ok: true, server: expect.stringMatching(/^redis 7/) });
    }

    await site.wantCacheStore({ endpoint: stores.MOODLE_APPLICATION_STORE_ENDPOINT });
    const before = await site.serve(stores);
    const browser = new Browser();
    await browser.logIn(before);
    expect(await browser.isLoggedIn(before)).toBe(true);
    const copied = await site.run(['copy-sessions', 'database', 'redis'], stores);
    expect(copied.exitCode, copied.log).toBe(0);
    expect(copied.value).toMatchObject({ ok: true });

    const inRedis = { ...stores, MOODLE_SESSION_STORE: 'redis' };
    const [one, two] = [await site.serve(inRedis), await site.serve(inRedis)];
    expect(await browser.isLoggedIn(one)).toBe(true);
    expect(await browser.isLoggedIn(two)).toBe(true);
    const fresh = new Browser('203.0.113.8');
    await fresh.logIn(one);
    expect(await fresh.isLoggedIn(two)).toBe(true);
    expect(await one.get('/health/ready')).toMatchObject({ status: 200 });

    const keys = async ({ host, port }: { host: string; port: number }) => {
      const client = openRedis({
        host,
        port,
        tls: true,
        password: REDIS_PASSWORD,
        certificateAuthority: readFileSync(bench.world.certificateAuthorityFile, 'utf8'),
      });
      const [, found] = await client.scan(0, 'MATCH', '*', 'COUNT', 10_000);
      client.disconnect();
      return found;
    };
    expect((await keys(sessions)).filter((key) => key.includes(':sessions:session_')).length).toBeGreaterThanOrEqual(2);
    expect(
      (await keys(application)).filter((key) => key.startsWith(`${site.name}:application:`)).length,
    ).toBeGreaterThan(5);

    const back = await site.run(['copy-sessions', 'redis', 'database'], inRedis);
    expect(back.exitCode, back.log).toBe(0);
    const after = await site.serve(stores);
    expect(await browser.isLoggedIn(after)).toBe(true);
    expect(await fresh.isLoggedIn(after)).toBe(true);
    expect(`${before.log}${one.log}${two.log}`).not.toMatch(/PHP (Warning|Fatal)|RedisCluster/);
  });
});

describe('one server for both', () => {
  test('when it is full pages fail until there is room, and nobody is logged out', async () => {
    const shared = await startRedis(bench.world, 'shared', REDIS_PASSWORD, { 'maxmemory-policy': 'noeviction' });
    const site = await bench.site(installed);
    const endpoint = `${shared.host}:${shared.port}`;
    const stores = {
      MOODLE_SESSION_STORE: 'redis',
      MOODLE_SESSION_STORE_ENDPOINT: endpoint,
      MOODLE_APPLICATION_STORE_ENDPOINT: endpoint,
    };
    await site.wantCacheStore({ endpoint });
    const node = await site.serve(stores);
    const browser = new Browser();
    await browser.logIn(node);
    expect(await browser.isLoggedIn(node)).toBe(true);

    const client = openRedis({
      host: shared.host,
      port: shared.port,
      tls: true,
      password: REDIS_PASSWORD,
      certificateAuthority: readFileSync(bench.world.certificateAuthorityFile, 'utf8'),
    });
    const purged = await site.run(['purge-caches'], stores);
    expect(purged.exitCode, purged.log).toBe(0);
    expect(await browser.isLoggedIn(node)).toBe(true);
    await client.config('SET', 'maxmemory', '1mb');
    expect(await browser.visit(node, '/my/')).toMatchObject({ status: 500 });
    await client.config('SET', 'maxmemory', '0');
    client.disconnect();
    expect(await browser.isLoggedIn(node)).toBe(true);
  });
});

test('a session above Memcached’s 1 MB is counted and left; its user signs in again, and the others stay', async () => {
  const site = await bench.site(installed);
  const settings = bench.sessionStore('memcached');
  const old = await site.serve(settings);
  const [other, large] = [new Browser(), new Browser()];
  await other.logIn(old);
  const [{ newest }] = await site.sql('SELECT max(id) AS newest FROM mdl_sessions');
  await large.logIn(old);
  await site.sql(
    `UPDATE mdl_sessions SET sessdata = encode(decode(sessdata, 'base64') || convert_to('junk|s:1200000:"' || repeat('x', 1200000) || '";', 'UTF8'), 'base64')
      WHERE id > $1 AND sessdata IS NOT NULL`,
    newest,
  );
  expect(await large.isLoggedIn(old)).toBe(true);
  const sessions = await site.sessionsInDatabase();
  expect(await site.run(['copy-sessions', 'database', 'memcached'], settings)).toMatchObject({
    exitCode: 0,
    value: { ok: true, copied: sessions - 1, skipped: 1, tooLarge: 1 },
  });

  await site.openMigration('database', 'memcached');
  const node = await site.serve({ ...settings, MOODLE_SESSION_STORE: 'memcached' });
  expect(await site.run(['copy-sessions', 'database', 'memcached', '--move'], settings)).toMatchObject({
    exitCode: 0,
    value: { ok: true, tooLarge: 1 },
  });
  expect(await site.sessionsInDatabase()).toBe(1);
  expect(await other.isLoggedIn(node)).toBe(true);
  expect(await large.isLoggedIn(node)).toBe(false);
  expect(node.log).toContain('a session is too large for memcached');
  await large.logIn(node);
  expect(await large.isLoggedIn(node)).toBe(true);
});

describe('Memcached for the application cache', () => {
  /** The code of the plugin, which is not part of Moodle: https://github.com/moodlehq/moodle-cachestore_memcached */
  const plugin = process.env.CACHESTORE_MEMCACHED_DIR ?? '';

  test('is refused by a node whose code lacks the plugin', async () => {
    const site = await bench.site(installed);
    await site.wantCacheStore({ plugin: 'memcached', endpoint: '127.0.0.1:9', secretArn: null });
    const node = await site.start(['web']);
    expect(await node.exited).toBe(1);
    expect(node.log).toContain('cachestore_memcached, which is not in this image');
  });

  test.skipIf(!existsSync(plugin))('holds it, where the plugin is part of the code', async () => {
    const { host, port } = await startMemcached(bench.world, 'application');
    const site = await bench.site(installed);
    const code = join(bench.directory, 'code-with-memcached');
    expect(run('cp', ['-al', bench.code, code]).status).toBe(0);
    const web = existsSync(join(code, 'public')) ? join(code, 'public') : code;
    cpSync(plugin, join(web, 'cache', 'stores', 'memcached'), { recursive: true });
    const environment = {
      MOODLE_DIRROOT: code,
      MOODLE_APPLICATION_STORE_TYPE: 'memcached',
      MOODLE_APPLICATION_STORE_ENDPOINT: `${host}:${port}`,
    };
    const upgraded = await site.run(['upgrade', '--maintenance'], environment);
    expect(upgraded.exitCode, upgraded.log).toBe(0);
    const ended = await site.run(['end-maintenance'], environment);
    expect(ended.exitCode, ended.log).toBe(0);
    expect((await site.run(['probe', 'application'], environment)).value).toMatchObject({ ok: true });

    await site.wantCacheStore({ plugin: 'memcached', endpoint: `${host}:${port}`, secretArn: null });
    const [one, two] = [await site.serve(environment), await site.serve(environment)];
    const browser = new Browser();
    await browser.logIn(one);
    expect(await browser.isLoggedIn(two)).toBe(true);
    const items = /STAT curr_items (\d+)/.exec(await ask(port, 'stats'))?.[1];
    expect(Number(items)).toBeGreaterThan(20);
    expect((await site.acknowledgement(one.id, 'serving')).cacheConfigurationHash).not.toBe('');
  });
});

/** What a Memcached server answers to one command of its text protocol. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      heard += chunk;
      if (heard.endsWith('END\r\n')) socket.end(() => resolve(heard));
    });
  });
}
