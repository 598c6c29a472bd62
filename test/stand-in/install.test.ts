import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSettings } from '../../rehearsal/stand-in/settings.ts';
import { ADMIN_PASSWORD, Bench, Browser } from './bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const tables = `SELECT count(*)::int AS n FROM information_schema.tables WHERE table_name LIKE 'mdl\\_%'`;

test('installs as Moodle does, says so, and serves', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  const node = await site.serve();
  expect((await site.sql(tables))[0].n).toBe(483);
  const config = await site.config();
  expect(config).toMatchObject({
    version: '2024042200',
    rolesactive: '1',
    siteadmins: '2',
    registrationpending: '1',
    release: expect.stringContaining('stand-in, not Moodle'),
    siteidentifier: expect.stringMatching(/^[0-9a-f]{32}moodle\.test$/),
    allversionshash: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
  expect(config).not.toHaveProperty('adminsetuppending');
  expect(config).not.toHaveProperty('upgraderunning');
  const [, admin] = await site.sql('SELECT username, password, email FROM mdl_user ORDER BY id');
  expect(admin).toMatchObject({ username: 'operator', email: 'operator@example.org' });
  expect(admin.password).toMatch(/^stand-in-scrypt\$/);
  expect(await site.marker()).toMatchObject({
    attempt: 1,
    node: node.id,
    expected_tables: 483,
    started_at: expect.any(Date),
    finished_at: expect.any(Date),
    refused: null,
  });
  expect(await site.acknowledgement(node.id, 'serving')).toEqual({
    role: 'web',
    moodleRelease: '4.4 (stand-in, not Moodle)',
    moodleVersion: '2024042200',
    databaseVersion: '2024042200',
    upgradePending: false,
    sessionStore: 'database',
    cacheConfigurationHash: '',
    php: 'none (stand-in, not Moodle)',
    moodle: 'stand-in',
  });
  expect((await new Browser().logIn(node)).path).toBe('/my/');
  expect(node.log).not.toContain(ADMIN_PASSWORD);
});

test('killed in the middle: the next node waits for the lock no longer, clears and installs again', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  const first = site.start(['web'], { STAND_IN_INSTALL_SECONDS: '4' });
  // Past the core rows, so that the clearing has users and settings to look at.
  await first.says(/350 of 483 tables/);
  first.signal('SIGSTOP');
  const second = site.start(['web']);
  await second.says(/another node installs/);
  expect((await site.config()).upgraderunning).toMatch(/^\d+$/);
  await first.kill();
  const [left] = await site.sql(tables);
  await second.serving();
  expect(left.n).toBeGreaterThan(349);
  const marker = await site.marker();
  expect(marker).toMatchObject({ attempt: 2, node: second.id });
  // The statement that the server was in when its client was killed may still come to its end.
  expect(marker.cleared_tables - left.n).toBeOneOf([0, 1]);
  expect((await site.sql(tables))[0].n).toBe(483);
});

test('killed before the administrator exists: cleared without a look at tables that are not there', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  const first = site.start(['web'], { STAND_IN_INSTALL_SECONDS: '30' });
  await first.says(/installing/);
  for (let n = 0; n < 1; ) n = (await site.sql(tables))[0].n;
  await first.kill();
  await site.serve();
  expect((await site.marker()).attempt).toBe(2);
});

test('killed when rolesactive is 1 and the login page would answer: still not taken for installed', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  const first = site.start(['web'], { STAND_IN_INSTALL_SECONDS: '3' });
  await first.says(/450 of 483 tables/);
  while ((await site.config()).rolesactive !== '1') await sleep(10);
  await first.kill();
  const second = await site.serve();
  expect(await site.marker()).toMatchObject({ attempt: 2, cleared_tables: 483 });
  expect((await new Browser().logIn(second)).path).toBe('/my/');
});

test('killed between the last row and the marker: finished, not installed again', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  await (await site.serve()).kill();
  await site.sql('UPDATE moodle_lifecycle.install_marker SET finished_at = NULL');
  const { siteidentifier } = await site.config();
  await site.serve();
  expect(await site.marker()).toMatchObject({ attempt: 1, finished_at: expect.any(Date) });
  expect((await site.config()).siteidentifier).toBe(siteidentifier);
});

test("refuses when the unfinished database holds somebody's data, and touches nothing", async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  const first = site.start(['web'], { STAND_IN_INSTALL_SECONDS: '4' });
  await first.says(/350 of 483 tables/);
  await first.kill();
  await site.sql(`INSERT INTO mdl_user (username) VALUES ('a person')`);
  const [before] = await site.sql(tables);
  const second = site.start(['web']);
  expect(await second.exited).toBe(1);
  expect((await site.marker()).refused).toMatch(/somebody's data \(3 users, 1 courses\); nothing was touched/);
  expect(second.log).toContain("somebody's data");
  expect((await site.sql(tables))[0].n).toBe(before.n);
});

test('refuses an unfinished database that no install of ours began', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  await site.sql('CREATE TABLE mdl_config (id bigserial, name text, value text)');
  const node = site.start(['web']);
  expect(await node.exited).toBe(1);
  expect((await site.marker()).refused).toMatch(/1 tables of an unfinished Moodle, but no install .* is marked/);
  expect((await site.sql(tables))[0].n).toBe(1);
});

test('without a rollout that allows it, nothing is installed', async () => {
  const site = await bench.site();
  const node = site.start(['web']);
  expect(await node.exited).toBe(1);
  expect(node.log).toMatch(/no rollout allows an install/);
  expect((await site.sql(tables))[0].n).toBe(0);
});

test('a site that was installed and whose tables are gone is not installed anew by itself', async () => {
  const site = await bench.site();
  await site.allowInstall('unattended');
  await site.sql('UPDATE moodle_lifecycle.install_marker SET started_at = now(), finished_at = now()');
  const node = site.start(['web']);
  expect(await node.exited).toBe(1);
  expect(node.log).toMatch(/no rollout allows an install/);
});

test('a wizard left half way, where no rollout asked for one, is refused', async () => {
  const site = await bench.site();
  await site.allowInstall('browser');
  await (await site.serve()).kill();
  await site.sql(`UPDATE moodle_lifecycle.install_marker SET finish = 'unattended'`);
  const node = site.start(['web']);
  expect(await node.exited).toBe(1);
  expect((await site.marker()).refused).toMatch(/unfinished Moodle/);
});

test('a database that cannot be asked: stops and says why', async () => {
  const site = await bench.site();
  const node = site.start(['web'], { MOODLE_DATABASE_PASSWORD: 'wrong' });
  expect(await node.exited).toBe(1);
  expect(node.log).toMatch(/stopped: password authentication failed/);
});

test.each([
  ['MOODLE_SITE', '', /MOODLE_SITE is not set/],
  ['MOODLE_DATABASE_TYPE', 'oracle', /MOODLE_DATABASE_TYPE is "oracle"; allowed here: pgsql, mysqli/],
  [
    'MOODLE_DATABASE_PORT',
    'five',
    /MOODLE_DATABASE_HOST:MOODLE_DATABASE_PORT is "127.0.0.1:five"; it must be host:port/,
  ],
  ['MOODLE_SESSION_STORE', 'files', /allowed here: database, redis, memcached/],
  ['MOODLE_SESSION_STORE_ENDPOINT', 'somewhere', /must be host:port/],
])('refuses the setting %s "%s"', async (name, value, words) => {
  const { environment } = await bench.site();
  const whole = { ...environment, MOODLE_LOCAL: '/local', ECS_CONTAINER_METADATA_URI_V4: 'http://127.0.0.1:9' };
  expect(readSettings(whole).site).toBe(environment.MOODLE_SITE);
  expect(() => readSettings({ ...whole, [name]: value })).toThrow(words);
});
