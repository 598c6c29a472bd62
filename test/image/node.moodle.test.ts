import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cronRunPattern } from '../../infra/constructs/watching/cron-alarm.ts';
import { openRedis } from '../../rehearsal/stand-in/stores/redis.ts';
import { filterPattern } from '../support/filter-pattern.ts';
import { HOST } from '../support/node-request.ts';
import { ADMIN, Browser, MoodleBench, type MoodleNode, type MoodleSite, REDIS_PASSWORD } from './moodle-bench.ts';
import { leftOut, run } from './run.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');
const noStrace = leftOut('the count of path calls on the shared volume', 'strace');

let bench: MoodleBench;
/** Installed once, by the first test; the others work on copies of it. */
let installed: MoodleSite;

beforeAll(async () => {
  bench = await MoodleBench.open(moodle);
});
afterAll(() => bench?.close());

const until = async (what: () => Promise<boolean>, seconds = 120) => {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await wait(200)) if (await what()) return;
  throw new Error('It did not come true in time.');
};

describe('install', () => {
  test('killed in the middle, the next node clears it and installs; a second one waits, cron too', async () => {
    installed = await bench.site();
    await installed.allowInstall('unattended');
    const killed = await installed.start(['web']);
    await until(async () => (await installed.tables()) > 50);
    await killed.kill();
    const left = await installed.tables();

    const [node, second, cron] = [
      await installed.start(['web']),
      await installed.start(['web']),
      await installed.start(['cron']),
    ];
    await Promise.all([node.serving(), second.serving()]);
    const marker = await installed.marker();
    expect(marker).toMatchObject({ attempt: 2, cleared_tables: left, refused: null });
    expect(marker.finished_at).not.toBeNull();
    expect(await installed.tables()).toBe(marker.expected_tables);
    expect(`${node.log}${second.log}`).toContain('another node installs');

    await until(async () => (await installed.acknowledgement(cron.id, 'serving'))?.role === 'cron');
    expect(cron.log).toContain('cron waits for Moodle to be installed');
    await until(async () => cron.log.includes('Cron run completed correctly'));
    expect(await cron.stop()).toBe(0);
    expect(cron.log.split('\n').filter(filterPattern(cronRunPattern))).toHaveLength(1);
    await Promise.all([node.stop(), second.stop()]).then((codes) => expect(codes).toEqual([0, 0]));
    expect(`${killed.log}${node.log}${second.log}`).not.toContain(ADMIN.password);
  });

  test('the site is as Moodle’s own installer leaves it', async () => {
    const site = await bench.site(installed);
    expect(await site.config('rolesactive')).toBe('1');
    expect(await site.config('adminsetuppending')).toBeUndefined();
    expect(await site.config('registrationpending')).toBe('1');
    const names = await site.sql('SELECT count(*)::int AS n FROM mdl_config');
    expect(names[0].n).toBeGreaterThan(550);
    const [course] = await site.sql(`SELECT fullname, shortname FROM mdl_course WHERE format = 'site'`);
    expect(course).toEqual({ fullname: 'Tested site', shortname: 'tested' });
  });

  test('an installed site is served at once, and every answer names the node', async () => {
    const site = await bench.site(installed);
    const node = await site.serve();
    expect(await node.get('/health/ready')).toMatchObject({ status: 200, headers: { 'x-moodle-node': node.id } });
    expect(await site.acknowledgement(node.id, 'serving')).toMatchObject({
      role: 'web',
      upgradePending: false,
      sessionStore: 'database',
      cacheConfigurationHash: '',
      moodle: 'real',
    });
    const browser = new Browser();
    await browser.logIn(node);
    expect(await browser.isLoggedIn(node)).toBe(true);
    expect(node.log).not.toContain('installing Moodle');
  });

  test('behind CloudFront: HTTPS, the address that CloudFront wrote and never one that was forged, versioned files to keep', async () => {
    const site = await bench.site(installed);
    const node = await site.serve({ MOODLE_WWWROOT: `https://${HOST}`, MOODLE_REVERSEPROXYIGNORE: '' });
    const browser = new Browser('198.51.100.66, 203.0.113.9', { 'Client-IP': '198.51.100.67' });
    await browser.logIn(node);
    expect(await browser.isLoggedIn(node)).toBe(true);
    const [administrator] = await site.sql('SELECT lastip FROM mdl_user WHERE username = $1', ADMIN.username);
    expect(administrator.lastip).toBe('203.0.113.9');

    const page = await new Browser().visit(node, '/login/index.php');
    expect(page.headers['set-cookie']?.join()).toMatch(/MoodleSession=.*secure/i);
    expect(page.headers['cache-control']).toMatch(/no-store|private/);
    // The paths of infra/constructs/site-distribution.ts, as they are on a page.
    const versioned = [...page.body.matchAll(/"https:\/\/[^/"]+(\/(?:theme|lib)\/[a-z_]+\.php\/[^"]+)"/g)].map(
      ([, path = '']) => path.replaceAll('&amp;', '&'),
    );
    expect(versioned.length).toBeGreaterThan(2);
    for (const path of versioned) {
      const answer = await new Browser().visit(node, path);
      expect([path, answer.status, answer.headers['cache-control']]).toEqual([
        path,
        200,
        expect.stringMatching(/^public, max-age=\d{5,}/),
      ]);
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
  });

  test.each([
    ['tables that no install of ours began', false, /was not begun by an install of this site/],
    ['an unfinished install that holds somebody’s data', true, /somebody's data may be in it/],
  ])('refuses %s, and touches nothing', async (_, begun, reason) => {
    const site = await bench.site();
    await site.allowInstall('unattended');
    await site.sql('CREATE TABLE mdl_user AS SELECT g AS id FROM generate_series(1, 3) AS g');
    if (begun)
      await site.sql(`UPDATE moodle_lifecycle.install_marker SET started_at = now(), node = 'gone', attempt = 1`);
    const node = await site.start(['web']);
    expect(await node.exited).toBe(1);
    expect((await site.marker()).refused).toMatch(reason);
    expect(node.log).toMatch(reason);
    expect((await site.sql('SELECT count(*)::int AS n FROM mdl_user'))[0].n).toBe(3);
  });

  test('refuses to install what no rollout asked for', async () => {
    const site = await bench.site();
    const node = await site.start(['web']);
    expect(await node.exited).toBe(1);
    expect(node.log).toContain('no rollout allows an install of this site');
    expect(await site.tables()).toBe(0);
  });

  test('refuses to serve with code that is older than the database; with newer code it waits for the upgrade', async () => {
    const site = await bench.site(installed);
    const [{ value: version }] = await site.sql(`SELECT value FROM mdl_config WHERE name = 'version'`);
    const setVersion = (value: string) => site.sql(`UPDATE mdl_config SET value = $1 WHERE name = 'version'`, value);
    await setVersion('2099010100');
    const older = await site.start(['web']);
    expect(await older.exited).toBe(1);
    expect(older.log).toContain('is older than the database');
    await setVersion('2022041900');
    const newer = await site.start(['web']);
    await until(async () => (await site.acknowledgement(newer.id, 'waiting-for-upgrade')) !== undefined);
    expect(newer.log).toContain('waiting before serving: the database awaits an upgrade');
    await expect(newer.get('/health/live')).rejects.toThrow('ECONNREFUSED');
    await setVersion(version);
    await newer.serving();
    expect(await site.acknowledgement(newer.id, 'serving')).toMatchObject({ upgradePending: false });
    await setVersion('2022041900');
    const ready = await newer.get('/health/ready');
    expect([ready.status, JSON.parse(ready.body).checks.version]).toEqual([503, false]);
  });
});

test('the wizard: refused for everybody, goes on for the operator’s address alone, and ends without a loop', async () => {
  const site = await bench.site();
  await site.allowInstall('browser');
  const node = await site.serve();
  const [operator, stranger] = ['198.51.100.9', '203.0.113.50'];
  const status = async (address: string) => (await new Browser(address).follow(node, '/')).status;
  expect([await status(operator), await status(stranger)]).toEqual([404, 404]);
  expect(await site.run(['check-wizard', operator])).toMatchObject({
    exitCode: 1,
    value: { ok: false, allowedStatus: 404, refusedStatus: 404 },
  });

  await site.sql(`UPDATE mdl_user SET lastip = $1 WHERE password = 'adminsetuppending'`, operator);
  expect(await site.run(['check-wizard', operator])).toMatchObject({
    exitCode: 0,
    value: { ok: true, allowedStatus: 303, refusedStatus: 404 },
  });
  expect(await site.sql('SELECT 1 FROM mdl_sessions WHERE userid = 2')).toEqual([]);
  // A client can write what it likes before what the load balancer appends.
  expect(await status(`${operator}, ${stranger}`)).toBe(404);

  const browser = new Browser(`${operator}, 10.0.4.2`);
  const profile = await browser.follow(node, '/');
  expect(profile.path).toBe('/user/editadvanced.php?id=2');
  const settings = await browser.follow(node, '/user/editadvanced.php', {
    ...Browser.fields(profile.body, 'newpassword'),
    ...{ username: ADMIN.username, newpassword: ADMIN.password, email: 'operator@example.org', submitbutton: 'Update' },
  });
  expect(settings.path).toMatch(/^\/admin\/upgradesettings\.php/);
  const home = await browser.follow(node, '/admin/upgradesettings.php', {
    ...Browser.fields(settings.body, 's__fullname'),
    ...{
      s__fullname: 'Finished',
      s__shortname: 'done',
      s__noreplyaddress: 'n@example.org',
      s__supportemail: 's@example.org',
    },
  });
  // Moodle asks to register a site whose address may be public.
  expect([home.status, home.path]).toEqual([200, expect.stringMatching(/^\/(my|admin\/registration)\//)]);
  expect(await site.config('adminsetuppending')).toBeUndefined();
  expect((await browser.follow(node, '/admin/index.php')).status).toBe(200);
  const visitor = new Browser(stranger);
  await visitor.logIn(node);
  expect(await visitor.isLoggedIn(node)).toBe(true);
  expect(await site.run(['check-wizard', operator])).toMatchObject({
    exitCode: 1,
    value: { ok: false, problem: expect.stringContaining('No wizard waits') },
  });
});

describe('cache stores', () => {
  const redis = () =>
    openRedis({
      ...bench.applicationRedis,
      tls: true,
      password: REDIS_PASSWORD,
      certificateAuthority: readFileSync(join(bench.directory, 'certificates', 'authority.pem'), 'utf8'),
    });

  test('nodes that start together apply the rows, acknowledge their hash, and fill that store', async () => {
    const site = await bench.site(installed);
    await site.wantCacheStore();
    const nodes = await Promise.all([site.start(['web']), site.start(['web']), site.start(['web'])]);
    await Promise.all(nodes.map((node) => node.serving()));
    const [{ hash }] = await site.sql('SELECT hash FROM moodle_lifecycle.cache_configuration_hash');
    for (const node of nodes) {
      expect(await site.acknowledgement(node.id, 'serving')).toMatchObject({ cacheConfigurationHash: hash });
    }
    const [first, second] = nodes;
    const browser = new Browser();
    await browser.logIn(first);
    expect(await browser.isLoggedIn(second)).toBe(true);
    const client = await redis();
    expect((await client.keys(`${site.name}:application:*`)).length).toBeGreaterThan(5);
    client.disconnect();
    expect(existsSync(join(site.dataroot, 'muc', 'config.php'))).toBe(false);
    expect(await site.run(['purge-caches'])).toMatchObject({ exitCode: 0, value: { ok: true } });
    expect(await browser.isLoggedIn(first)).toBe(true);
  });

  test('a node does not serve without a store that it was told to use', async () => {
    const site = await bench.site(installed);
    await site.wantCacheStore({ secretArn: 'arn:unknown' });
    const node = await site.start(['web']);
    expect(await node.exited).toBe(1);
    expect(node.log).toContain('names the secret arn:unknown, which this node was not given');
    expect(await site.acknowledgement(node.id, 'serving')).toBeUndefined();
  });

  test.skipIf(noStrace)('a warm page makes at most 5 path calls on the shared volume', async () => {
    const site = await bench.site(installed);
    await site.wantCacheStore();
    const changes = { MOODLE_SESSION_STORE: 'redis' };
    const nodes = [await site.serve(changes), await site.serve(changes)] as [MoodleNode, MoodleNode];
    const browser = new Browser();
    await browser.logIn(nodes[0]);
    for (let visit = 0; visit < 16; visit += 1) await browser.isLoggedIn(nodes[visit % 2] as MoodleNode);
    for (const node of nodes) {
      const calls = await pathCalls(node, async () => expect(await browser.isLoggedIn(node)).toBe(true));
      // Something was traced at all.
      expect(calls.length).toBeGreaterThan(100);
      const shared = calls.filter((call) => call.includes(site.dataroot));
      console.log(`${shared.length} path calls of a warm page on the shared volume`);
      expect(shared.length).toBeGreaterThan(0);
      expect(shared.length).toBeLessThanOrEqual(5);
    }
  });
});

/** System calls with a path that the node's PHP workers make meanwhile. */
async function pathCalls(node: MoodleNode, work: () => Promise<void>): Promise<string[]> {
  const master = run('pgrep', ['-P', String(node.pid), 'php-fpm']).stdout.trim();
  const workers = run('pgrep', ['-P', master]).stdout.trim().split('\n');
  const strace = spawn('strace', ['-f', '-e', 'trace=%file', ...workers.flatMap((pid) => ['-p', pid])]);
  let trace = '';
  strace.stderr.on('data', (chunk) => {
    trace += chunk;
  });
  await until(async () => trace.includes('attached'));
  await wait(300);
  await work();
  await wait(300);
  const closed = new Promise((resolve) => strace.once('close', resolve));
  strace.kill('SIGINT');
  await closed;
  return trace.split('\n').filter((line) => line.includes('("') || line.includes(', "'));
}

describe.each(['redis', 'memcached'] as const)('sessions in %s', (target) => {
  test('probe says what the server is, and in plain words what is wrong', async () => {
    const site = await bench.site(installed);
    const settings = bench.sessionStore(target);
    expect(await site.run(['probe', 'session'], settings)).toMatchObject({
      exitCode: 0,
      value: { ok: true, store: 'session', server: expect.stringMatching(new RegExp(`^${target} \\d`)) },
    });
    const unreachable = await site.run(['probe', 'session'], {
      ...settings,
      MOODLE_SESSION_STORE_ENDPOINT: '127.0.0.1:1',
    });
    expect(unreachable).toMatchObject({
      exitCode: 1,
      value: { ok: false, problem: expect.stringContaining('127.0.0.1:1') },
    });
    if (target === 'memcached') return;
    const refused = await site.run(['probe', 'session'], {
      ...settings,
      MOODLE_SESSION_STORE_PASSWORD: 'wrong-password',
    });
    expect(refused).toMatchObject({
      exitCode: 1,
      value: { ok: false, problem: expect.stringContaining('the password was refused (WRONGPASS)') },
    });
    const untrusted = await site.run(['probe', 'session'], {
      ...settings,
      SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
      // Past the database, whose certificate it would refuse as well.
      MOODLE_DATABASE_SSLMODE: 'require',
    });
    expect(untrusted).toMatchObject({
      exitCode: 1,
      value: { ok: false, problem: expect.stringContaining('its certificate is not trusted') },
    });
    expect(`${refused.log}${untrusted.log}`).not.toContain('wrong-password');
  });

  test('move there and back, on demand and by sweeping, and nobody is logged out', async () => {
    const site = await bench.site(installed);
    const settings = bench.sessionStore(target);
    const old = await site.serve(settings);
    const users = [new Browser(), new Browser(), new Browser()] as const;
    for (const user of users) await user.logIn(old);
    const all = (node: MoodleNode) => Promise.all(users.map((user) => user.isLoggedIn(node)));
    expect(await all(old)).toEqual([true, true, true]);

    const before = await site.sessionsInDatabase();
    expect(await site.run(['copy-sessions', 'database', target], settings)).toMatchObject({
      exitCode: 0,
      value: { ok: true, copied: before },
    });
    expect(await site.sessionsInDatabase()).toBe(before);

    await site.openMigration('database', target);
    const node = await site.serve({ ...settings, MOODLE_SESSION_STORE: target });
    expect(await users[0].isLoggedIn(node)).toBe(true);
    expect(await site.sessionsInDatabase()).toBe(before - 1);
    expect(await users[1].isLoggedIn(old)).toBe(true);
    expect(await site.run(['copy-sessions', 'database', target, '--move'], settings)).toMatchObject({
      value: { ok: true, copied: before - 1 },
    });
    expect(await site.sessionsInDatabase()).toBe(0);
    expect(await all(node)).toEqual([true, true, true]);

    await site.openMigration(target, 'database');
    const back = await site.serve(settings);
    expect(await users[0].isLoggedIn(back)).toBe(true);
    expect(await users[2].isLoggedIn(node)).toBe(true);
    expect(await site.run(['copy-sessions', target, 'database', '--move'], settings)).toMatchObject({
      exitCode: 0,
      value: { ok: true },
    });
    expect(await all(back)).toEqual([true, true, true]);

    // Without our handler the sessions are Moodle's own.
    await site.sql('UPDATE moodle_lifecycle.session_migration SET closed_at = now()');
    const stock = await site.serve(settings);
    expect(await all(stock)).toEqual([true, true, true]);
  });

  test('a copy that was never used does not overwrite what came after it', async () => {
    const site = await bench.site(installed);
    const settings = bench.sessionStore(target);
    const node = await site.serve(settings);
    const user = new Browser();
    await user.logIn(node);
    await site.run(['copy-sessions', 'database', target], settings);
    await site.sql(`UPDATE mdl_sessions SET sessdata = encode('changed since', 'base64')`);
    const back = await site.run(['copy-sessions', target, 'database', '--move'], settings);
    expect(back).toMatchObject({ exitCode: 0, value: { ok: true, copied: 0 } });
    const kept = await site.sql(
      `SELECT DISTINCT convert_from(decode(sessdata, 'base64'), 'UTF8') AS data FROM mdl_sessions`,
    );
    expect(kept).toEqual([{ data: 'changed since' }]);
  });
});

test('a store that fails while sessions move fails the request, and logs nobody out', async () => {
  const site = await bench.site(installed);
  const old = await site.serve();
  const user = new Browser();
  await user.logIn(old);
  await site.openMigration('database', 'redis');
  const node = await site.serve({ MOODLE_SESSION_STORE: 'redis', MOODLE_SESSION_STORE_PASSWORD: 'wrong-password' });
  expect((await user.visit(node, '/my/')).status).toBeGreaterThanOrEqual(500);
  expect(await user.isLoggedIn(old)).toBe(true);
});
