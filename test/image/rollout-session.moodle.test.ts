import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOST, send } from '../support/node-request.ts';
import { MoodleBench, type MoodleNode, type MoodleSite } from './moodle-bench.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');

let bench: MoodleBench;
let installed: MoodleSite;

beforeAll(async () => {
  bench = await MoodleBench.open(moodle);
  installed = await bench.site();
  await installed.allowInstall('unattended');
  await installed.serve();
});
afterAll(() => bench?.close());

/** What Moodle keeps of a user, which is to be gone with the rollout's own. */
const traces = (site: MoodleSite) =>
  Promise.all(
    ['user', 'context', 'user_preferences', 'sessions', 'my_pages', 'user_lastaccess'].map(async (table) => [
      table,
      (await site.sql(`SELECT count(*)::int AS n FROM mdl_${table}`))[0].n,
    ]),
  );

async function open(site: MoodleSite, changes: Record<string, string>): Promise<string> {
  const { exitCode, log, value } = await site.run(['inspect', 'session'], changes);
  expect(log).toContain('"ok":true');
  expect([exitCode, value]).toEqual([0, { ok: true, session: 'open' }]);
  const [row] = await site.sql(
    `SELECT value FROM moodle_lifecycle.node_acknowledgement WHERE subject = 'rollout-session'`,
  );
  const { cookie, sid } = row.value;
  expect(log).not.toContain(sid);
  await site.sql(`DELETE FROM moodle_lifecycle.node_acknowledgement WHERE subject = 'rollout-session'`);
  return `${cookie}=${sid}`;
}

const ask = (node: MoodleNode, Cookie: string, method = 'GET') =>
  send(node.port, method, '/health/session', { Host: HOST, ...(Cookie ? { Cookie } : {}) });

describe.each(['database', 'redis', 'memcached'] as const)('sessions in %s', (store) => {
  test('a session of the rollout’s own user is known to every node, sees pages, and ends with all traces', async () => {
    const site = await bench.site(installed);
    const changes = { ...(store === 'database' ? {} : bench.sessionStore(store)), MOODLE_SESSION_STORE: store };
    const [first, second] = [await site.serve(changes), await site.serve(changes)];
    const before = await traces(site);

    const cookie = await open(site, changes);
    // As Moodle's cron does every minute (session_cleanup_task); up to 4.4 it ends all sessions of `nologin` users.
    const cleanUp = 'require(getenv("MOODLE_DIRROOT") . "/config.php"); \\core\\session\\manager::gc();';
    await site.php(first, ['-r', `define('CLI_SCRIPT', true); ${cleanUp}`], undefined, changes);

    for (const node of [first, second])
      expect(await ask(node, cookie)).toMatchObject({ status: 200, headers: { 'x-moodle-node': node.id } });
    const home = await second.get('/my/', { Cookie: cookie });
    expect([home.status, home.body]).toEqual([200, expect.stringContaining('login/logout.php?sesskey=')]);
    expect((await ask(first, '')).status).toBe(404);
    expect((await ask(first, cookie.replace(/.$/, 'z'))).status).toBe(404);

    const again = await open(site, changes);
    expect((await ask(first, cookie)).status).toBe(404);
    expect((await ask(second, again)).status).toBe(200);

    expect(await ask(second, again, 'POST')).toMatchObject({ status: 200, body: expect.stringContaining('ended') });
    expect((await ask(first, again)).status).toBe(404);
    expect((await traces(site)).filter(([table]) => table !== 'sessions')).toEqual(
      before.filter(([table]) => table !== 'sessions'),
    );
    expect(await site.sql('SELECT 1 FROM mdl_sessions WHERE userid > 2')).toEqual([]);
  });
});

test('an account of a person with the same name is never taken', async () => {
  const site = await bench.site(installed);
  await site.sql(
    `INSERT INTO mdl_user (auth, confirmed, mnethostid, username, password, firstname, lastname, email, timecreated)
     SELECT 'manual', 1, mnethostid, 'moodle-lifecycle', 'x', 'A', 'Person', 'a@example.org', 0 FROM mdl_user WHERE id = 2`,
  );
  expect(await site.run(['inspect', 'session'])).toMatchObject({
    exitCode: 1,
    value: { ok: false, problem: expect.stringContaining('Somebody on this site has the username moodle-lifecycle') },
  });
  expect(await site.sql(`SELECT firstname FROM mdl_user WHERE username = 'moodle-lifecycle'`)).toEqual([
    { firstname: 'A' },
  ]);
});

test('pages are looked at as a visitor and as the administrator meet them', async () => {
  const site = await bench.site(installed);
  expect(await site.run(['inspect', 'pages'])).toMatchObject({
    exitCode: 0,
    value: {
      ok: true,
      pages: { visitor: { kind: 'page', status: 200 }, administrator: { kind: 'page', status: 200 } },
    },
  });
});
