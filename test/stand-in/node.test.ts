import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HOST, send } from '../support/node-request.ts';
import { Bench, Browser, REDIS_PASSWORD, type Site } from './bench.ts';

let bench: Bench;
let installed: Site;
beforeAll(async () => {
  bench = await Bench.open();
  installed = await bench.installedSite();
});
afterAll(() => bench.close());

const freshSite = () => bench.site(installed);

test('alive and ready; every answer names the node and says that it is the stand-in', async () => {
  const site = await freshSite();
  const node = await site.serve();
  const live = await node.get('/health/live', { Host: '10.0.1.2:8080' });
  expect(live).toMatchObject({ status: 200, body: 'ok' });
  expect(live.headers).toMatchObject({ 'x-moodle-node': node.id, 'x-stand-in': 'stand-in, not Moodle' });
  expect(await send(node.port, 'HEAD', '/login/index.php', {})).toMatchObject({ status: 200, body: '' });
  const ready = await node.get('/health/ready', { Host: '10.0.1.2:8080' });
  expect(ready.status).toBe(200);
  expect(JSON.parse(ready.body)).toEqual({
    checks: { database: true, files: true, sessionStore: true, version: true },
    moodle: 'stand-in, not Moodle',
  });
});

test('a page asked for under another host answers 303, as to a load balancer’s health check', async () => {
  const site = await freshSite();
  const node = await site.serve();
  const answer = await node.get('/login/index.php', { Host: '10.0.1.2:8080' });
  expect(answer).toMatchObject({ status: 303, headers: { location: `http://${HOST}/login/index.php` } });
  expect((await node.get('/login/index.php', { Host: HOST.toUpperCase() })).status).toBe(200);
});

test('not ready with another version in the database: pages lead to the upgrade, and nothing is upgraded', async () => {
  const site = await freshSite();
  const node = await site.serve();
  await site.sql(`UPDATE mdl_config SET value = '2023100900' WHERE name = 'version'`);
  const ready = await node.get('/health/ready');
  expect([ready.status, JSON.parse(ready.body).checks.version]).toEqual([503, false]);
  expect((await node.get('/login/index.php')).headers.location).toBe('/admin/index.php');
  expect((await site.config()).version).toBe('2023100900');
});

test('pages of a site that is not whole: 303 to the wizard without tables, 500 while it is installed', async () => {
  const site = await freshSite();
  const node = await site.serve();
  await site.sql(
    `INSERT INTO mdl_config (name, value) VALUES ('upgraderunning', extract(epoch FROM now())::int + 300)`,
  );
  expect((await node.get('/login/index.php')).status).toBe(500);
  const names = await site.sql(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_name LIKE 'mdl\\_%'`,
  );
  await site.sql(`DROP TABLE ${names.map(({ name }) => name).join(', ')}`);
  expect((await node.get('/')).headers.location).toBe('/admin/index.php');
  expect((await node.get('/login/index.php')).headers.location).toBe('/admin/index.php');
  expect((await node.get('/admin/index.php')).status).toBe(200);
});

const SECRET = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:application-AbCdEf';

async function writeCacheStore(site: Site, secret: string | null = SECRET, plugin = 'redis'): Promise<string> {
  await site.sql(
    `INSERT INTO moodle_lifecycle.cache_store (site, name, plugin, endpoint, tls, prefix, secret_arn)
     VALUES ($1, 'application', $2, $3, true, $4, $5)`,
    site.name,
    plugin,
    `${bench.redis.host}:${bench.redis.port}`,
    `${site.name}:application:`,
    secret,
  );
  await site.sql(
    `INSERT INTO moodle_lifecycle.cache_mode_mapping (site, mode, store) VALUES ($1, 'application', 'application')`,
    site.name,
  );
  return (await site.sql('SELECT hash FROM moodle_lifecycle.cache_configuration_hash'))[0].hash;
}

test('cache stores are applied to the local disk without passwords, acknowledged, and used', async () => {
  const site = await freshSite();
  const hash = await writeCacheStore(site);
  const node = await site.serve();
  expect(await site.acknowledgement(node.id, 'serving')).toMatchObject({ cacheConfigurationHash: hash });
  const file = readFileSync(join(bench.directory, `local-${node.id}`, 'cacheconfig.stand-in.json'), 'utf8');
  expect(JSON.parse(file)).toMatchObject({ hash, modeMappings: { application: 'application' } });
  expect(file).not.toContain(REDIS_PASSWORD);
  await node.get('/login/index.php');
  const redis = bench.redisClient();
  const key = `${site.name}:application:${createHash('md5').update('1 core config').digest('hex')}`;
  expect(await redis.hkeys(key)).toEqual(['core']);
  redis.disconnect();
});

test.each(['files', 'redis'])('settings changed by SQL are not seen until purge-caches (%s)', async (store) => {
  const site = await freshSite();
  if (store === 'redis') await writeCacheStore(site);
  const node = await site.serve();
  expect((await node.get('/login/index.php')).status).toBe(200);
  await site.sql(`INSERT INTO mdl_config (name, value) VALUES ('adminsetuppending', '1')`);
  expect((await node.get('/login/index.php')).status).toBe(200);
  expect(await site.run(['purge-caches'])).toMatchObject({ exitCode: 0, ok: true });
  expect((await node.get('/login/index.php')).headers.location).toBe('/admin/index.php');
});

test('an application store that is gone costs the cache, not the pages', async () => {
  const site = await freshSite();
  await writeCacheStore(site);
  await site.sql(`UPDATE moodle_lifecycle.cache_store SET endpoint = '127.0.0.1:1'`);
  const node = await site.serve();
  expect((await node.get('/login/index.php')).status).toBe(200);
  expect(node.log).toContain('the application cache does not answer');
});

test.each([
  [
    'a secret that the node was not given',
    'arn:aws:secretsmanager:eu-central-1:111122223333:secret:other',
    'redis',
    /was not given/,
  ],
  ['a plugin that it does not have', SECRET, 'mongodb', /plugin "mongodb"; known: redis/],
])('refuses to serve with %s', async (_case, secret, plugin, words) => {
  const site = await freshSite();
  await writeCacheStore(site, secret, plugin);
  const node = site.start(['web']);
  expect(await node.exited).toBe(1);
  expect(node.log).toMatch(words);
});

test('probe reaches both stores, TLS verified and password given', async () => {
  const site = await freshSite();
  expect(await site.run(['probe', 'session'])).toMatchObject({
    exitCode: 0,
    ok: true,
    store: 'session',
    server: expect.stringMatching(/^redis \d+\.\d+/),
    milliseconds: expect.any(Number),
  });
  expect(await site.run(['probe', 'application'])).toMatchObject({ ok: true, store: 'application' });
  const { host, port } = bench.memcached;
  const memcached = { MOODLE_SESSION_STORE_TYPE: 'memcached', MOODLE_SESSION_STORE_ENDPOINT: `${host}:${port}` };
  expect(await site.run(['probe', 'session'], memcached)).toMatchObject({
    ok: true,
    server: expect.stringMatching(/^memcached \d+\.\d+/),
  });
});

test('probe tells a wrong password, without telling it', async () => {
  const site = await freshSite();
  const probed = await site.run(['probe', 'session'], { MOODLE_SESSION_STORE_PASSWORD: 'guessed-wrongly' });
  expect(probed).toMatchObject({ exitCode: 1, ok: false, problem: expect.stringContaining('refused the password') });
  expect(JSON.stringify(probed)).not.toContain('guessed-wrongly');
});

test('probe tells a certificate that nobody here trusts', async () => {
  const site = await freshSite();
  const other = join(bench.directory, 'other-authority.pem');
  writeFileSync(other, (await generate([{ name: 'commonName', value: 'somebody else' }])).cert);
  // Past the database, which is asked first.
  const changes = { SSL_CERT_FILE: other, MOODLE_DATABASE_SSLMODE: 'require' };
  expect(await site.run(['probe', 'session'], changes)).toMatchObject({
    exitCode: 1,
    problem: expect.stringMatching(/cannot be trusted/),
  });
});

test('a database whose certificate nobody here trusts is none of the site', async () => {
  const site = await freshSite();
  const other = join(bench.directory, 'other-authority.pem');
  writeFileSync(other, (await generate([{ name: 'commonName', value: 'somebody else' }])).cert);
  const refused = await site.run(['copy-sessions', 'database', 'redis'], { SSL_CERT_FILE: other });
  expect(refused.exitCode).not.toBe(0);
  expect(JSON.stringify(refused)).toMatch(/certificate/);

  const unverified = { SSL_CERT_FILE: other, MOODLE_DATABASE_SSLMODE: 'require' };
  expect(await site.run(['copy-sessions', 'database', 'redis'], unverified)).toMatchObject({ exitCode: 0 });
});

test.each(['redis', 'memcached'])(
  'probe tells a %s that is not there, and one that accepts and says nothing',
  async (type) => {
    const site = await freshSite();
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const at = (port: number) => ({
      MOODLE_SESSION_STORE_TYPE: type,
      MOODLE_SESSION_STORE_ENDPOINT: `127.0.0.1:${port}`,
    });
    for (const port of [1, (silent.address() as AddressInfo).port]) {
      expect(await site.run(['probe', 'session'], at(port))).toMatchObject({
        exitCode: 1,
        ok: false,
        problem: expect.stringContaining(`the session store (${type} at 127.0.0.1:${port}) does not answer`),
      });
    }
    silent.close();
  },
);

test('cron waits for the install, then runs until SIGTERM and stops cleanly', async () => {
  const site = await bench.site();
  const cron = site.start(['cron']);
  await cron.says(/cron waits/);
  await site.allowInstall('unattended');
  await site.serve();
  await cron.says(/one round[\s\S]*one round/);
  expect(await site.acknowledgement(cron.id, 'serving')).toMatchObject({ role: 'cron', moodle: 'stand-in' });
  const [row] = await site.sql(
    `SELECT value FROM mdl_config_plugins WHERE plugin = 'tool_task' AND name = 'lastcronstart'`,
  );
  expect(Number(row.value)).toBeGreaterThan(Date.now() / 1000 - 60);
  cron.signal('SIGTERM');
  expect(await cron.exited).toBe(0);
  expect(cron.log).toContain('cron stopped');
});

test('SIGTERM while cron waits stops it cleanly too', async () => {
  const cron = (await bench.site()).start(['cron']);
  await cron.says(/cron waits/);
  cron.signal('SIGTERM');
  expect(await cron.exited).toBe(0);
});

test('SIGTERM: the request in flight is answered, new ones are not taken, exit 0', async () => {
  const site = await freshSite();
  const node = await site.serve();
  const browser = new Browser();
  await browser.visit(node, '/login/index.php');
  const socket = connect(node.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  // A form of which the last byte is not sent yet.
  socket.write(
    `POST /login/index.php HTTP/1.1\r\nHost: ${HOST}\r\nCookie: MoodleSession=${browser.cookie}\r\n` +
      'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\nusername=',
  );
  // Answered after the node has read that one.
  await node.get('/health/live');
  node.signal('SIGTERM');
  // It says so before it closes its port.
  await eventually(() => expect(node.get('/health/live')).rejects.toThrow('ECONNREFUSED'));
  expect(node.log).toMatch(/SIGTERM/);
  socket.write('x');
  await closed;
  expect(answer).toMatch(/^HTTP\/1\.1 303 [\s\S]*Connection: close/);
  expect(await node.exited).toBe(0);
});

test('an unknown role is refused with the known ones', async () => {
  const site = await freshSite();
  const node = site.start(['sing']);
  expect(await node.exited).toBe(1);
  expect(node.log).toMatch(/unknown role "sing"; the roles are web, cron/);
});
