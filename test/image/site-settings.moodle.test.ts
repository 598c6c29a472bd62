import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keptStates, worseThanBefore } from '../../lambdas/shared/compare-looks.ts';
import { cronSince, lookAtCron } from '../../lambdas/shared/cron-run.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import type { Settings } from '../../lambdas/shared/settings.ts';
import { lookAs, type SiteLook } from '../../lambdas/shared/site-look.ts';
import { Visitor } from '../../lambdas/shared/visitor.ts';
import { canShareAPath } from '../../rehearsal/machines/same-path.ts';
import { releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { pluginFiles } from '../plugins/make-plugin.ts';
import { Balancer } from './balancer.ts';
import { MoodleBench, type MoodleNode, type MoodleSite } from './moodle-bench.ts';
import { type Group, valuesOf } from './site-settings.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');
if (!canShareAPath()) throw new Error('These tests need mounts of a process’s own (unshare --mount).');

/**
 * Says something in each command, at its beginning and at its end: up to 4.4 by this function, later by one of its kind that
 * Moodle still calls. And leads visitors away from every page, as automatic sign-in does. The hook is there since 4.4
 * (lib/classes/hook/output/before_http_headers.php of 4.4.1, 4.5.6 and 5.1.3).
 */
const frontDoor = releaseOf(
  pluginFiles({
    component: 'local_frontdoor',
    version: 2026010100,
    files: {
      'lib.php': [
        '<?php',
        'function local_frontdoor_after_config() {',
        "    if (CLI_SCRIPT && get_config('local_frontdoor', 'talks')) {",
        '        echo "a plugin says something\\n";',
        '        core_shutdown_manager::register_function(fn() => print("and something at the end\\n"));',
        '    }',
        '}',
        '',
      ].join('\n'),
      'db/hooks.php': [
        '<?php',
        "defined('MOODLE_INTERNAL') || die();",
        "$callbacks = [['hook' => \\core\\hook\\output\\before_http_headers::class, 'callback' => \\local_frontdoor\\door::class . '::lead']];",
        '',
      ].join('\n'),
      'classes/door.php': [
        '<?php',
        'namespace local_frontdoor;',
        'class door {',
        '    public static function lead(\\core\\hook\\output\\before_http_headers $hook): void {',
        '        global $SCRIPT;',
        "        $away = get_config('local_frontdoor', 'automatic') && !isloggedin() && !CLI_SCRIPT;",
        "        if ($away && !preg_match('~^/(login|auth|admin)/~', (string) $SCRIPT)) {",
        "            redirect(new \\moodle_url('/login/index.php'));",
        '        }',
        '    }',
        '}',
        '',
      ].join('\n'),
    },
  }),
);

let bench: MoodleBench;
let directory: PluginDirectory;
let balancer: Balancer;
let site: MoodleSite;
let code: string;
/** A node that was started before any setting was made. */
let first: MoodleNode;
let settings: Settings;
let database: MoodleDatabase;
/** The site without any of the settings. */
let bare: SiteLook;

beforeAll(async () => {
  bench = await MoodleBench.open(moodle);
  directory = await PluginDirectory.start();
  balancer = new Balancer();
  settings = { siteUrl: await balancer.listen(), databasePrefix: 'mdl_' } as Settings;
  code = await bench.image([frontDoor], directory);
  site = await bench.site();
  database = { query: (statement: string) => site.sql(statement) } as unknown as MoodleDatabase;
  await site.allowInstall('unattended');
  first = await site.serve({}, code);
  const looked = await look(async (now) => {
    bare = await now([first]);
  });
  expect(looked).toEqual([]);
});
afterAll(async () => {
  balancer?.close();
  await directory?.close();
  await bench?.close();
});

/** Makes settings as `admin/cli/cfg.php` does, all in one process; null takes one away. */
async function set(
  values: readonly (readonly [name: string, value: string | null, component?: string | undefined])[],
): Promise<void> {
  const program = [
    "define('CLI_SCRIPT', true);",
    "require(getenv('MOODLE_DIRROOT') . '/config.php');",
    `foreach (json_decode(base64_decode('${Buffer.from(JSON.stringify(values)).toString('base64')}')) as $one) {`,
    '    set_config($one[0], $one[1], $one[2] ?? null);',
    '}',
  ].join(' ');
  await site.php(first, ['-r', program], code);
}

/** Has a task inspect the site, looks at it as the functions do, and ends the session. @returns what is left of its user */
async function look(work: (now: (nodes: readonly MoodleNode[]) => Promise<SiteLook>) => Promise<void>) {
  const { value: report, log } = await site.run(['inspect', 'pages', 'session'], {}, code);
  expect(report, log).toMatchObject({ ok: true });
  const [row] = await site.sql(
    `DELETE FROM moodle_lifecycle.node_acknowledgement WHERE subject = 'rollout-session' RETURNING value`,
  );
  const [user] = await site.sql(`SELECT id FROM mdl_user WHERE username = 'moodle-lifecycle'`);
  const visitor = new Visitor(settings.siteUrl);
  visitor.bring(row.value.cookie, row.value.sid);
  await work(async (nodes) => {
    balancer.ports = nodes.map(({ port }) => port);
    return await lookAs(
      visitor,
      report,
      { database, settings },
      nodes.map(({ id }) => id),
    );
  });
  await visitor.post('/health/session');
  return tracesOf(user.id);
}

/** Tables in which something of a user is left, but for Moodle's logs of what was done. */
async function tracesOf(user: number): Promise<string[]> {
  const tables = await site.sql(
    `SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'public' AND column_name = 'userid' AND table_name <> 'mdl_logstore_standard_log' ORDER BY 1`,
  );
  const counted = `SELECT * FROM (${tables.map(({ name }) => `SELECT '${name}' AS name, count(*) AS n FROM ${name} WHERE userid = ${user}`).join(' UNION ALL ')}) t WHERE n > 0`;
  return (await site.sql(counted)).map(({ name }) => name);
}

const sso = 'https://sso.example.edu/start';
const here = 'http://moodle.test';
const held = (nodes: number) => ({ kind: 'held', nodes });

interface Case {
  readonly group: Group;
  /** What else is done than to make the settings, and its undoing. */
  readonly make?: () => Promise<unknown>;
  readonly unmake?: () => Promise<unknown>;
  readonly look: object;
  /** A page on which a visitor sees that the settings are in effect, where no answer's kind says so. */
  readonly shows?: readonly [path: string, words: RegExp];
  /** What *Check the site* names. */
  readonly kept: readonly string[];
}

const cases: readonly Case[] = [
  {
    group: 'form',
    shows: ['/login/index.php', /Ask the library/],
    look: { front: { kind: 'page' }, login: { kind: 'page' }, home: { kind: 'page' } },
    kept: [],
  },
  {
    group: 'elsewhere',
    look: {
      front: { kind: 'redirect', leadsTo: `${here}/login/index.php` },
      login: { kind: 'redirect', leadsTo: sso },
    },
    kept: [`the login page leads to ${sso}`],
  },
  {
    group: 'sessions',
    // As *Site administration > Users > User profile fields* writes it.
    make: () =>
      site.sql(`WITH category AS (INSERT INTO mdl_user_info_category (name, sortorder) VALUES ('Other', 1) RETURNING id)
        INSERT INTO mdl_user_info_field (shortname, name, datatype, categoryid, required, visible, signup)
        SELECT 'faculty', 'Faculty', 'text', id, 1, 2, 1 FROM category`),
    unmake: () => site.sql('DELETE FROM mdl_user_info_field'),
    look: { home: { kind: 'redirect', leadsTo: `${here}/user/edit.php` } },
    kept: [`whoever signs in is led to ${here}/user/edit.php first`],
  },
  {
    group: 'second factor',
    look: { home: { kind: 'redirect', leadsTo: `${here}/admin/tool/mfa/auth.php` } },
    kept: [`whoever signs in is led to ${here}/admin/tool/mfa/auth.php first`],
  },
  {
    group: 'appearance',
    shows: ['/', /http-equiv="refresh"/],
    look: { front: { kind: 'page' }, login: { kind: 'page' }, home: { kind: 'page' } },
    kept: [],
  },
  {
    group: 'closed',
    make: () => site.php(first, ['admin/cli/cron.php', '--disable'], code),
    unmake: () => site.php(first, ['admin/cli/cron.php', '--enable'], code),
    look: {
      front: { kind: 'maintenance', by: 'somebody else' },
      login: { kind: 'page' },
      home: { kind: 'maintenance', by: 'somebody else' },
    },
    kept: ['in maintenance, by an administrator', 'cron is switched off by an administrator'],
  },
  // Moodle's words to whom it shuts out, with nothing around them.
  {
    group: 'addresses',
    shows: ['/', /^[^<]{10,200}$/],
    look: { front: { kind: 'page' }, login: { kind: 'page' } },
    kept: [],
  },
];

describe.each(cases)('settings of the group “$group”', ({ group, make, unmake, look: expected, shows, kept }) => {
  test('are the site’s own state: kept, named, and never held against a rollout; a node that starts then serves', async () => {
    const values = valuesOf(group);
    const before = new Map<string, string | null>();
    for (const [name, , component] of values) before.set(`${component ?? ''}/${name}`, await read(name, component));
    await make?.();
    await set(values);

    if (shows) expect((await first.get(shows[0])).body).toMatch(shows[1]);

    const left = await look(async (now) => {
      const found = await now([first]);
      const cron = await lookAtCron(database, 'mdl_', 1);
      expect(found).toMatchObject({ ...expected, session: held(1), broken: {} });
      // It never ran here.
      expect(keptStates({ ...found, cron: cron === 'not running' ? 'running' : cron })).toEqual(kept);
      // As if an administrator had made them during a rollout.
      expect(worseThanBefore(found, bare)).toEqual([]);

      const second = await site.serve({}, code);
      expect(await serving(second)).toEqual(await serving(first));
      const after = await now([first, second]);
      expect(after).toMatchObject({ ...expected, session: held(2) });
      expect(worseThanBefore(after, found)).toEqual([]);
      if (cron === 'off') {
        await expect(cronSince(database, 'mdl_', Date.now() / 1000, cron)).resolves.toContain('by an administrator');
      }
      await second.stop();
      balancer.ports = [first.port];
    });

    expect(left).toEqual([]);
    await unmake?.();
    await set(values.map(([name, , component]) => [name, before.get(`${component ?? ''}/${name}`) ?? null, component]));
  });
});

/** What *Verify the site* compares between nodes. */
const serving = async ({ id }: MoodleNode) => await site.acknowledgement(id, 'serving');

const read = async (name: string, component?: string): Promise<string | null> =>
  component === undefined
    ? ((await site.config(name)) ?? null)
    : ((await site.sql('SELECT value FROM mdl_config_plugins WHERE plugin = $1 AND name = $2', component, name))[0]
        ?.value ?? null);

test('a plugin that leads visitors away from every page: a redirect is a page, also for a node that starts', async () => {
  await set([
    ['automatic', '1', 'local_frontdoor'],
    ['talks', '1', 'local_frontdoor'],
  ]);
  const left = await look(async (now) => {
    const found = await now([first]);
    expect(found).toMatchObject({
      front: { kind: 'redirect', leadsTo: `${here}/login/index.php` },
      home: { kind: 'page' },
      session: held(1),
      pages: { visitor: 'redirect', administrator: 'page' },
    });
    expect(worseThanBefore(found, bare)).toEqual([]);
    const second = await site.serve({}, code);
    expect(await serving(second)).toEqual(await serving(first));
    expect(worseThanBefore(await now([first, second]), found)).toEqual([]);
    await second.stop();
    balancer.ports = [first.port];
  });
  expect(left).toEqual([]);
  await set([
    ['automatic', null, 'local_frontdoor'],
    ['talks', null, 'local_frontdoor'],
  ]);
});

describe('maintenance by Moodle’s command line', () => {
  const page = () => join(site.dataroot, 'climaintenance.html');

  test('that is planned and due is neither begun nor used up by a rollout’s tasks, also in its own maintenance', async () => {
    const due = String(Math.floor(Date.now() / 1000) - 1);
    await set([['maintenance_later', due]]);

    const inspected = await site.run(['inspect', 'pages', 'session'], {}, code);
    expect(inspected.value, inspected.log).toMatchObject({ ok: true, pages: { visitor: { kind: 'page' } } });
    expect((await site.run(['begin-maintenance'], {}, code)).value).toMatchObject({ maintenance: 'begun' });
    expect((await site.run(['plan-upgrade'], {}, code)).value).toMatchObject({ ok: true, pending: false });
    expect((await site.run(['end-maintenance'], {}, code)).value).toMatchObject({ maintenance: 'ended' });
    expect([existsSync(page()), await site.config('maintenance_later')]).toEqual([false, due]);
  });

  test('begins with the first visitor then; what a rollout began it does not end, and a node starts and serves in it', async () => {
    expect([303, 503]).toContain((await first.get('/')).status);
    expect([existsSync(page()), await site.config('maintenance_later')]).toEqual([true, undefined]);
    expect(await first.get('/')).toMatchObject({ status: 503, headers: { 'retry-after': '300' } });

    expect((await site.run(['begin-maintenance'], {}, code)).value).toMatchObject({ maintenance: 'was on' });
    const theirs = readFileSync(page(), 'utf8');
    expect((await site.run(['end-maintenance'], {}, code)).value).toMatchObject({ maintenance: 'not ours' });
    expect(readFileSync(page(), 'utf8')).toBe(theirs);

    const second = await site.serve({}, code);
    expect((await second.get('/health/ready')).status).toBe(200);
    const found: { look?: SiteLook } = {};
    await look(async (now) => {
      found.look = await now([first, second]);
    });
    expect(found.look).toMatchObject({ session: { kind: 'maintenance', by: 'somebody else' }, broken: {} });
    expect(worseThanBefore(found.look as SiteLook, bare)).toEqual([]);
    expect(keptStates(found.look as SiteLook)).toEqual(['in maintenance, by Moodle’s command line']);
    await second.stop();

    await site.php(first, ['admin/cli/maintenance.php', '--disable'], code);
    expect((await first.get('/')).status).toBe(200);
  });
});
