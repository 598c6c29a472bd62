import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bench, Browser, fieldOf, type Node, type Site } from './bench.ts';

let bench: Bench;
let site: Site;
let node: Node;
beforeAll(async () => {
  bench = await Bench.open();
  site = await bench.site();
  await site.allowInstall('browser');
  node = await site.serve();
});
afterAll(() => bench.close());

const operator = '203.0.113.7';

test('an install that a browser finishes waits with the placeholder and lastip 0.0.0.0', async () => {
  expect(await site.config()).toMatchObject({ adminsetuppending: '1', rolesactive: '1' });
  expect(await site.sql('SELECT username, password, lastip FROM mdl_user WHERE id = 2')).toEqual([
    { username: 'admin', password: 'adminsetuppending', lastip: '0.0.0.0' },
  ]);
  expect((await new Browser().visit(node, '/login/index.php')).headers.location).toBe('/admin/index.php');
});

test('the gate refuses everybody as long as lastip is not corrected', async () => {
  const refused = await new Browser(operator).follow(node, '/admin/index.php');
  expect(refused.status).toBe(404);
  expect(refused.body).toContain('Installation must be finished from the original IP address, sorry.');
  expect(await site.run(['check-wizard', operator])).toMatchObject({
    exitCode: 1,
    ok: false,
    allowedStatus: 404,
    refusedStatus: 404,
    problem: expect.stringContaining(`answered 404 to ${operator}`),
  });
});

test('with lastip corrected, check-wizard proves it and leaves no session behind', async () => {
  await site.sql('UPDATE mdl_user SET lastip = $1 WHERE id = 2', operator);
  const [before] = await site.sql('SELECT count(*)::int AS n FROM mdl_sessions');
  expect(await site.run(['check-wizard', operator])).toMatchObject({
    exitCode: 0,
    ok: true,
    allowedStatus: 303,
    refusedStatus: 404,
    moodle: 'stand-in',
  });
  expect(await site.sql('SELECT count(*)::int AS n FROM mdl_sessions')).toEqual([before]);
  expect((await new Browser('198.51.100.9').follow(node, '/admin/index.php')).status).toBe(404);
});

test('a forged header in front of the load balancer’s entry does not pass, our own proxies are set aside', async () => {
  expect((await new Browser(`${operator}, 198.51.100.9`).follow(node, '/admin/index.php')).status).toBe(404);
  expect((await new Browser(`198.51.100.9, ${operator}, 10.0.3.4`).follow(node, '/admin/index.php')).status).toBe(200);
});

test('the operator finishes: password and e-mail set, the flag gone on every node, the login works', async () => {
  const other = await site.serve();
  const browser = new Browser(operator);
  const form = await browser.follow(node, '/admin/index.php');
  expect(form.path).toBe('/user/editadvanced.php?id=2');
  const fields = { id: '2', sesskey: fieldOf(form.body, 'sesskey'), email: 'admin@example.org' };
  const tooShort = await browser.visit(node, '/user/editadvanced.php', { ...fields, newpassword: 'short' });
  expect(tooShort.body).toContain('at least 8 characters');
  const done = await browser.follow(node, '/user/editadvanced.php', { ...fields, newpassword: 'long enough' });
  expect(done).toMatchObject({ path: '/admin/index.php', status: 200 });
  expect(await site.config()).not.toHaveProperty('adminsetuppending');
  expect((await new Browser('198.51.100.9').logIn(other, 'admin', 'long enough')).path).toBe('/my/');
  expect(await site.run(['check-wizard', operator])).toMatchObject({
    exitCode: 1,
    problem: expect.stringContaining('no install waits'),
  });
});
