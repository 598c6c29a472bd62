import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMemcached } from '../../rehearsal/stand-in/stores/memcached.ts';
import { Bench, Browser, type Node, type Site } from './bench.ts';

let bench: Bench;
let installed: Site;
beforeAll(async () => {
  bench = await Bench.open();
  installed = await bench.installedSite();
});
afterAll(() => bench.close());

type Store = 'database' | 'redis' | 'memcached';

/** What a node's environment says when sessions are in this store; `server` is the site's session server. */
function environment(store: Store, server: 'redis' | 'memcached' = 'redis'): Record<string, string> {
  const { host, port } = bench[server];
  return {
    MOODLE_SESSION_STORE: store,
    MOODLE_SESSION_STORE_TYPE: server,
    MOODLE_SESSION_STORE_ENDPOINT: `${host}:${port}`,
  };
}

/** Copies the installed site; each test has its own. */
const freshSite = () => bench.site(installed);

async function rowOf(site: Site, browser: Browser) {
  return (await site.sql('SELECT * FROM mdl_sessions WHERE sid = $1', browser.cookie))[0];
}

test('refuses a wrong password and a login token of another session; /my/ wants a login', async () => {
  const site = await freshSite();
  const node = await site.serve();
  const browser = new Browser();
  expect((await browser.visit(node, '/my/')).headers.location).toBe('/login/index.php');
  const wrong = await browser.logIn(node, 'operator', 'wrong');
  expect(wrong).toMatchObject({ path: '/login/index.php', body: expect.stringContaining('Invalid login') });
  await new Browser().visit(node, '/login/index.php');
  const stolen = { username: 'operator', password: 'administrator-secret', logintoken: '0'.repeat(32) };
  expect((await browser.follow(node, '/login/index.php', stolen)).body).toContain('session has timed out');
  expect(await browser.isLoggedIn(node)).toBe(false);
});

describe.each([
  ['database', 'redis'],
  ['redis', 'redis'],
  ['memcached', 'memcached'],
] as const)('sessions in %s', (store, server) => {
  let site: Site;
  let one: Node;
  let two: Node;
  beforeAll(async () => {
    site = await freshSite();
    [one, two] = await Promise.all([site.serve(environment(store, server)), site.serve(environment(store, server))]);
  });

  test('a login continues on the other node, whose name the answer carries', async () => {
    const browser = new Browser();
    expect((await browser.logIn(one)).path).toBe('/my/');
    const page = await browser.visit(two, '/my/');
    expect(page.status).toBe(200);
    expect(page.body).toContain('stand-in, not Moodle');
    expect(page.headers['x-moodle-node']).toBe(two.id);
    expect(await rowOf(site, browser)).toMatchObject({
      userid: '2',
      state: '0',
      lastip: '203.0.113.7',
      sessdata: store === 'database' ? expect.stringMatching(/^[A-Za-z0-9+/]+=*$/) : null,
    });
  });

  test('a logout on one node is one on the other', async () => {
    const browser = new Browser();
    const { body } = await browser.logIn(one);
    const logout = /\/login\/logout\.php\?sesskey=\w+/.exec(body)?.[0] ?? '';
    const old = browser.cookie;
    await browser.visit(two, '/login/logout.php?sesskey=forged');
    expect(await browser.isLoggedIn(one)).toBe(true);
    await browser.visit(two, logout);
    browser.cookie = old;
    expect(await browser.isLoggedIn(one)).toBe(false);
  });
});

test('the layouts are those of Moodle 4.4', async () => {
  const site = await freshSite();
  const browser = new Browser();
  const redis = bench.redisClient();
  const memcached = openMemcached(bench.memcached);
  await browser.logIn(await site.serve(environment('redis')));
  const key = `${site.name}:sessions:${browser.cookie}`;
  expect(await redis.get(key)).toMatch(/^s:\d+:"\{.*\}";$/);
  expect(await redis.ttl(key)).toBeGreaterThan(28_800);
  await browser.logIn(await site.serve(environment('memcached', 'memcached')));
  expect((await memcached.get(`${site.name}:sessions:${browser.cookie}`)).value?.toString()).toMatch(/^\{.*\}$/);
  redis.disconnect();
  memcached.close();
});

test('switching the store without copying logs out and deletes the row, so that going back does not help', async () => {
  const site = await freshSite();
  const onDatabase = await site.serve();
  const browser = new Browser();
  await browser.logIn(onDatabase);
  const cookie = browser.cookie;
  expect(await browser.isLoggedIn(await site.serve(environment('redis')))).toBe(false);
  browser.cookie = cookie;
  expect(await rowOf(site, browser)).toBeUndefined();
  expect(await browser.isLoggedIn(onDatabase)).toBe(false);
});

test.each([
  ['database', 'redis', 'redis'],
  ['redis', 'database', 'redis'],
  ['database', 'memcached', 'memcached'],
  ['memcached', 'database', 'memcached'],
] as const)('copy-sessions %s %s keeps everybody logged in and the source as it was', async (from, to, server) => {
  const site = await freshSite();
  const before = await site.serve(environment(from, server));
  const browsers = [new Browser(), new Browser('198.51.100.1')];
  for (const browser of browsers) await browser.logIn(before);
  expect(await site.run(['copy-sessions', from, to], environment(from, server))).toMatchObject({
    exitCode: 0,
    ok: true,
    copied: 2,
    skipped: 0,
  });
  const after = await site.serve(environment(to, server));
  for (const browser of browsers) {
    expect(await browser.isLoggedIn(after)).toBe(true);
    expect(await browser.isLoggedIn(before)).toBe(true);
  }
});

test('copy-sessions --move empties the source and takes only what was not moved yet', async () => {
  const site = await freshSite();
  const browser = new Browser();
  await browser.logIn(await site.serve());
  const move = ['copy-sessions', 'database', 'redis', '--move'];
  expect(await site.run(move)).toMatchObject({ ok: true, copied: 1, skipped: 0 });
  expect((await rowOf(site, browser)).sessdata).toBeNull();
  expect(await site.run(move)).toMatchObject({ ok: true, copied: 0, skipped: 1 });
  expect(await browser.isLoggedIn(await site.serve(environment('redis')))).toBe(true);
});

test('a session that Memcached cannot hold is counted and left, and its user signs in again', async () => {
  const site = await freshSite();
  const inMemcached = environment('memcached', 'memcached');
  const browsers = Array.from({ length: 21 }, () => new Browser());
  const node = await site.serve();
  for (const browser of browsers) await browser.logIn(node);
  const [large = new Browser(), ...others] = browsers;
  const text = JSON.stringify({ userId: 2, sesskey: 'x'.repeat(1_200_000) });
  await site.sql(
    'UPDATE mdl_sessions SET sessdata = $2 WHERE sid = $1',
    large.cookie,
    Buffer.from(text).toString('base64'),
  );
  expect(await site.run(['copy-sessions', 'database', 'memcached'], inMemcached)).toMatchObject({
    ok: true,
    copied: 20,
    skipped: 1,
    tooLarge: 1,
  });
  const left = ['copy-sessions', 'database', 'memcached', '--move'];
  expect(await site.run(left, inMemcached)).toMatchObject({ ok: true, copied: 20, tooLarge: 1 });
  expect((await rowOf(site, large)).sessdata).not.toBeNull();

  const moved = await site.serve(inMemcached);
  for (const browser of others) expect(await browser.isLoggedIn(moved)).toBe(true);
  expect(await large.isLoggedIn(moved)).toBe(false);
  expect((await large.logIn(moved)).path).toBe('/my/');
});

test('an earlier copy in Redis never overwrites what the database holds', async () => {
  const site = await freshSite();
  const browser = new Browser();
  const node = await site.serve();
  await browser.logIn(node);
  await site.run(['copy-sessions', 'database', 'redis']);
  const changed = Buffer.from('{"userId":2,"sesskey":"changed-later"}').toString('base64');
  await site.sql('UPDATE mdl_sessions SET sessdata = $2 WHERE sid = $1', browser.cookie, changed);
  const wayBack = await site.run(['copy-sessions', 'redis', 'database', '--move']);
  expect(wayBack).toMatchObject({ ok: true, copied: 0, skipped: 1 });
  expect((await rowOf(site, browser)).sessdata).toBe(changed);
  expect((await browser.visit(node, '/my/')).body).toContain('changed-later');
});

test('a session that is over is not copied', async () => {
  const site = await freshSite();
  const browser = new Browser();
  const node = await site.serve();
  await browser.logIn(node);
  await site.sql('UPDATE mdl_sessions SET timemodified = timemodified - 28801 WHERE sid = $1', browser.cookie);
  expect(await site.run(['copy-sessions', 'database', 'redis'])).toMatchObject({ ok: true, copied: 0, skipped: 0 });
  expect(await browser.isLoggedIn(node)).toBe(false);
});

test.each([
  [['copy-sessions', 'database', 'database'], /two different ones/],
  [['copy-sessions', 'files', 'redis'], /two different ones/],
  [['copy-sessions', 'database', 'redis', '--force'], /--move/],
  [['copy-sessions', 'database', 'memcached'], /this site's session server is redis/],
])('%j is refused with the reason', async (args, words) => {
  const site = await freshSite();
  expect(await site.run(args)).toMatchObject({ exitCode: 1, ok: false, problem: expect.stringMatching(words) });
});

async function openMigration(site: Site, source: Store, target: Store, minutesAgo = 0): Promise<void> {
  await site.sql(
    `INSERT INTO moodle_lifecycle.session_migration (site, source, target, opened_at)
     VALUES ($1, $2, $3, now() - $4 * interval '1 minute')`,
    site.name,
    source,
    target,
    minutesAgo,
  );
}

test.each([
  ['database', 'redis', 'redis'],
  ['redis', 'database', 'redis'],
  ['database', 'memcached', 'memcached'],
  ['memcached', 'database', 'memcached'],
] as const)('while a migration is open, a session moves on demand from %s to %s, once', async (from, to, server) => {
  const site = await freshSite();
  const before = await site.serve(environment(from, server));
  const browser = new Browser();
  await browser.logIn(before);
  // Copied first, as the rollout does; what happens on the old node after that must not be lost.
  await site.run(['copy-sessions', from, to], environment(from, server));
  await openMigration(site, from, to);
  const [one, two] = await Promise.all([site.serve(environment(to, server)), site.serve(environment(to, server))]);
  const late = new Browser();
  await late.logIn(before);
  const [first, second] = await Promise.all([late.isLoggedIn(one), late.isLoggedIn(two)]);
  expect([first, second]).toEqual([true, true]);
  expect(await browser.isLoggedIn(two)).toBe(true);
  const source = await site.run(['copy-sessions', from, to, '--move'], environment(to, server));
  expect(source).toMatchObject({ ok: true, copied: 0 });
  expect(await late.isLoggedIn(one)).toBe(true);
});

test('what the old node wrote after the copy is what moves', async () => {
  const site = await freshSite();
  const before = await site.serve();
  const browser = new Browser();
  await browser.visit(before, '/login/index.php');
  await site.run(['copy-sessions', 'database', 'redis']);
  const form = { username: 'operator', password: 'wrong', logintoken: 'wrong' };
  // A failed login leaves its message in the session, to be shown once by whichever node comes next.
  await browser.visit(before, '/login/index.php', form);
  await openMigration(site, 'database', 'redis');
  const after = await site.serve(environment('redis'));
  expect((await browser.visit(after, '/login/index.php')).body).toContain('session has timed out');
  expect((await rowOf(site, browser)).sessdata).toBeNull();
});

test.each([
  ['it was closed', (site: Site) => site.sql('UPDATE moodle_lifecycle.session_migration SET closed_at = now()')],
  ['it is older than an hour', (site: Site) => openMigration(site, 'database', 'redis', 61)],
  ['it goes the other way', (site: Site) => openMigration(site, 'redis', 'database')],
])('no session moves on demand when %s', async (words, arrange) => {
  const site = await freshSite();
  if (words === 'it was closed') await openMigration(site, 'database', 'redis');
  await arrange(site);
  const browser = new Browser();
  await browser.logIn(await site.serve());
  expect(await browser.isLoggedIn(await site.serve(environment('redis')))).toBe(false);
});
