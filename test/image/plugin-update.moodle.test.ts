import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canShareAPath } from '../../rehearsal/machines/same-path.ts';
import type { PluginRelease } from '../../rehearsal/plugin-directory/release.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { codeOnly, withTable } from '../plugins/harmless.ts';
import { beforePoison, POISONED, type Poison, poisons } from '../plugins/poisoned.ts';
import { Browser, MoodleBench, type MoodleNode, type MoodleSite } from './moodle-bench.ts';
import { closeUpdate, contentOf, inMaintenance, openRun, openUpdate } from './update-bench.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');
if (!canShareAPath()) throw new Error('These tests need mounts of a process’s own (unshare --mount).');

let bench: MoodleBench;
let directory: PluginDirectory;
/** Minutes without a word after which an upgrade hangs: three times as long as a whole one takes here and now. */
let hangs: string;
/** With version 1 of each plugin installed; the tests work on copies of it. */
let installed: MoodleSite;
/** Code of the image that `installed` runs. */
let old: string;

const first: readonly PluginRelease[] = [codeOnly(1), withTable(1), beforePoison];
/** The plugins of `installed`, with these in the place of what it has of them. */
const withPlugins = (...changed: PluginRelease[]) => [
  ...first.filter(({ component }) => !changed.some((one) => one.component === component)),
  ...changed,
];

beforeAll(async () => {
  bench = await MoodleBench.open(moodle);
  directory = await PluginDirectory.start();
  old = await bench.image(first, directory);
  installed = await bench.site();
  await installed.allowInstall('unattended');
  const node = await installed.serve({}, old);
  await installed.sql(`INSERT INTO mdl_${POISONED} (amount) VALUES (1), (2), (3)`);
  // The first page that somebody sees makes rows: blocks that no page is without.
  const user = new Browser();
  await user.logIn(node);
  expect(await user.isLoggedIn(node)).toBe(true);
  await node.stop();
  const bare = await bench.site(installed);
  const seconds = await bare.bareUpgrade(await bench.image(withPlugins(withTable(2)), directory));
  hangs = String(Math.max(24, 3 * seconds) / 60);
});
afterAll(async () => {
  await directory?.close();
  await bench?.close();
});

const page = async (node: MoodleNode, component: string) => {
  const answer = await node.get(`/local/${component}/index.php`);
  return { status: answer.status, ...(answer.status === 200 ? JSON.parse(answer.body) : {}) };
};

describe('an update of code alone', () => {
  let site: MoodleSite;
  let image: string;
  let before: Record<string, string>;
  beforeAll(async () => {
    site = await bench.site(installed);
    image = await bench.image(withPlugins(codeOnly(2)), directory);
    before = await contentOf(site);
  });

  test('is planned without a change', async () => {
    const { exitCode, value, log } = await site.run(['plan-upgrade'], {}, image);

    expect(value, log).toEqual({
      ok: true,
      pending: true,
      maintenanceRequired: false,
      plugins: [{ component: 'local_codeonly', code: 2026010102, database: 2026010101 }],
      older: [],
      missing: [],
    });
    expect(exitCode).toBe(0);
    expect(await contentOf(site)).toEqual(before);
  });

  test('new nodes wait for it, and serve once it is done; nobody sees an error', async () => {
    const node = await site.serve({}, old);
    const user = new Browser();
    await user.logIn(node);
    const waiting = await site.start(['web'], {}, image);
    await until(async () => (await site.acknowledgement(waiting.id, 'waiting-for-upgrade')) !== undefined);
    expect(await site.acknowledgement(waiting.id, 'waiting-for-upgrade')).toMatchObject({ newer: ['local_codeonly'] });
    await openUpdate(site);
    const visits = visitUntilTold(node, ['/login/index.php', '/local/codeonly/index.php']);

    const { value, log } = await site.run(['upgrade', '--no-maintenance'], {}, image);

    expect(value, log).toMatchObject({
      ok: true,
      plugins: [{ component: 'local_codeonly', from: 2026010101, to: 2026010102 }],
    });
    await waiting.serving();
    expect(await site.acknowledgement(waiting.id, 'serving')).toMatchObject({ upgradePending: false });
    expect(await page(waiting, 'codeonly')).toMatchObject({ status: 200, code: 2026010102 });
    expect(await page(node, 'codeonly')).toMatchObject({ status: 200, code: 2026010101 });
    const statuses = await visits();
    expect(statuses.length).toBeGreaterThan(20);
    expect(new Set(statuses)).toEqual(new Set([200]));
    // As in a rollout: caches are purged when no node has the old code, which would fill them with its own words again.
    await node.stop();
    const { value: ended } = await site.run(['end-maintenance'], {}, image);
    expect(ended).toMatchObject({ ok: true, maintenance: 'was off', pending: false, older: [] });
    expect(await page(waiting, 'codeonly')).toMatchObject({ words: 'words of 2026010102' });
    expect(await user.isLoggedIn(waiting)).toBe(true);
    expect(await site.config('outagelessupgrade')).toBeUndefined();
    expect(await openRun(site)).toMatchObject({ maintenance_since: null, maintenance_ended_at: null });
    await waiting.stop();
  });

  test('run again, it says the same again', async () => {
    const { value, log } = await site.run(['upgrade', '--no-maintenance'], {}, image);
    expect(value, log).toMatchObject({
      ok: true,
      plugins: [{ component: 'local_codeonly', from: 2026010101, to: 2026010102 }],
    });
  });

  test('goes back by the rows that were kept', async () => {
    await putRowsBack(site);
    const { value } = await site.run(['end-maintenance'], {}, old);
    expect(value).toMatchObject({ ok: true, pending: false, older: [] });
    expect(await contentOf(site)).toEqual(before);
  });

  test('old code does not run on the newer database', async () => {
    const other = await bench.site(installed);
    await openUpdate(other);
    expect((await other.run(['upgrade', '--no-maintenance'], {}, image)).value).toMatchObject({ ok: true });
    const node = await other.start(['web'], {}, old);
    expect(await node.exited).toBe(1);
    expect(node.log).toContain('The code is older than the database: local_codeonly (2026010101, database 2026010102)');
    expect((await other.run(['plan-upgrade'], {}, old)).value).toMatchObject({ ok: true, older: ['local_codeonly'] });
  });
});

describe('an update of tables', () => {
  let site: MoodleSite;
  let image: string;
  beforeAll(async () => {
    site = await bench.site(installed);
    image = await bench.image(withPlugins(withTable(2)), directory);
  });

  test('is not done without maintenance', async () => {
    await openUpdate(site);
    const { value } = await site.run(['upgrade', '--no-maintenance'], {}, image);
    expect(value).toMatchObject({
      ok: false,
      problem: expect.stringContaining('needs maintenance'),
      maintenance: false,
    });
    expect((await site.run(['plan-upgrade'], {}, image)).value).toMatchObject({ maintenanceRequired: true });
    expect(await openRun(site)).toMatchObject({ upgrade_started_at: null });
  });

  test('stands in maintenance for the upgrade alone; how long beside the usual way is measured', async () => {
    const bare = await bench.site(installed);
    const usual = await stopUpgradeStart(bare, image);
    const node = await site.serve({}, old);
    const user = new Browser();
    await user.logIn(node);
    const waiting = await site.start(['web'], {}, image);
    await until(async () => (await site.acknowledgement(waiting.id, 'waiting-for-upgrade')) !== undefined);
    const visits = visitUntilTold(node, ['/login/index.php']);

    const { value, log } = await site.run(['upgrade', '--maintenance'], {}, image);

    expect(value, log).toMatchObject({
      ok: true,
      plugins: [{ component: 'local_withtable', from: 2026010101, to: 2026010102 }],
    });
    await waiting.serving();
    const statuses = await visits();
    expect(statuses).toContain(503);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    expect(await user.isLoggedIn(waiting)).toBe(true);
    expect(await page(waiting, 'withtable')).toMatchObject({
      status: 200,
      tables: expect.toSatisfy((tables: string[]) => `${tables.sort()}` === 'local_withtable,local_withtable_two'),
    });
    expect(inMaintenance(site)).toBe(false);
    console.info(
      `MEASURED on Moodle ${bench.branch}: maintenance ${value.maintenanceSeconds} s, of which Moodle's upgrade ` +
        `${value.upgradeSeconds} s; the usual way (stop, upgrade, start) ${usual.outage} s, upgrade.php alone ${usual.upgrade} s; ` +
        `ratio ${(value.maintenanceSeconds / usual.outage).toFixed(2)}`,
    );
    expect(value.maintenanceSeconds).toBeGreaterThanOrEqual(value.upgradeSeconds);
    const run = await openRun(site);
    expect(Math.ceil(run.maintenance_since / 1000)).toBeLessThanOrEqual(run.upgrade_started_at / 1000);
    expect(run.maintenance_ended_at.getTime()).toBeGreaterThanOrEqual(run.upgrade_ended_at.getTime());
    await Promise.all([node.stop(), waiting.stop()]);
  });

  test('leaves alone the maintenance that somebody else began', async () => {
    const other = await bench.site(installed);
    writeFileSync(`${other.dataroot}/climaintenance.html`, 'closed by hand');
    await openUpdate(other);
    const { value, log } = await other.run(['upgrade', '--maintenance'], {}, image);
    expect(value, log).toMatchObject({ ok: true, maintenanceSeconds: 0 });
    expect((await other.run(['end-maintenance'], {}, image)).value).toMatchObject({ maintenance: 'not ours' });
    expect(inMaintenance(other)).toBe(true);
  });
});

describe('killed', () => {
  test.each([
    ['before it begins', 'waiting for requests in flight', 'begins again'],
    ['in Moodle’s upgrade', 'upgrading', 'goes back'],
    ['after it', 'looking at pages', 'goes back'],
  ])('%s, an upgrade %s', async (_, stage, then) => {
    const site = await bench.site(installed);
    const image = await bench.image(withPlugins(withTable(2)), directory);
    await openUpdate(site);
    const task = await site.start(['upgrade', '--maintenance'], {}, image);
    await until(async () => (await site.acknowledgement(task.id, 'upgrade-progress'))?.stage === stage, 600, 20);
    if (stage === 'upgrading') await wait(1500);
    await task.kill();
    expect(inMaintenance(site)).toBe(true);

    const { value, log } = await site.run(['upgrade', '--maintenance'], {}, image);

    if (then === 'begins again') {
      expect(value, log).toMatchObject({ ok: true });
      expect(inMaintenance(site)).toBe(false);
    } else {
      expect(value, log).toMatchObject({
        ok: false,
        maintenance: true,
        problem: expect.stringContaining('Half an upgrade is not continued'),
      });
      const ended = await site.run(['end-maintenance'], {}, image);
      expect(ended.value, ended.log).toMatchObject({ maintenance: 'ended' });
      expect(inMaintenance(site)).toBe(false);
    }
  });

  test('a task whose rollout no longer holds the site changes nothing', async () => {
    const site = await bench.site(installed);
    const image = await bench.image(withPlugins(withTable(2)), directory);
    const before = await contentOf(site);
    expect((await site.run(['upgrade', '--maintenance'], {}, image)).value).toMatchObject({
      ok: false,
      problem: expect.stringContaining('no update of this site is under way'),
    });
    await openUpdate(site);
    await site.sql('DELETE FROM moodle_lifecycle.rollout_hold');
    expect((await site.run(['upgrade', '--maintenance'], {}, image)).value).toMatchObject({
      ok: false,
      problem: expect.stringContaining('not held by the update'),
    });
    expect(await contentOf(site)).toEqual(before);
    expect(inMaintenance(site)).toBe(false);
  });
});

test('uninstalls plugins with their data, and upgrades to code without them in the same maintenance', async () => {
  const site = await bench.site(installed);
  const image = await bench.image(
    first.filter(({ component }) => component !== POISONED),
    directory,
  );
  await openUpdate(site);
  const refused = await site.run(['uninstall-plugins', 'mod_forum'], {}, old);
  expect(refused.value).toMatchObject({ ok: false, plugin: 'mod_forum', maintenance: false });

  const { value, log } = await site.run(['uninstall-plugins', POISONED, 'local_never'], {}, old);

  expect(value, log).toMatchObject({ ok: true, uninstalled: [POISONED], unknown: ['local_never'] });
  expect(inMaintenance(site)).toBe(true);
  const upgraded = await site.run(['upgrade', '--maintenance'], {}, image);
  expect(upgraded.value, upgraded.log).toMatchObject({ ok: true });
  expect(inMaintenance(site)).toBe(false);
  expect(await site.sql(`SELECT 1 FROM information_schema.tables WHERE table_name = 'mdl_${POISONED}'`)).toEqual([]);
  const node = await site.serve({}, image);
  expect((await node.get('/login/index.php')).status).toBe(200);
  await node.stop();
});

describe('poisoned', () => {
  // The bench pins what it offers: what is pinned otherwise has its test in test/image/plugins.test.ts.
  test.each(poisons.filter(({ stoppedIn, pinned }) => ['add', 'check'].includes(stoppedIn) && !pinned))(
    '$name: there is no image',
    async ({ release, words }) => {
      const failed = await bench.image(withPlugins(release), directory).catch((error: Error) => error.message);
      expect(failed).toMatch(words);
    },
  );

  test.each(poisons.filter(({ stoppedIn }) => !['add', 'check'].includes(stoppedIn)))('$name', async (poison) => {
    const site = await bench.site(installed);
    const node = await site.serve({}, old);
    const image = await bench.image(withPlugins(poison.release), directory);
    const before = await contentOf(site);

    const report = await updateWith(site, image, poison);

    console.info(`${poison.name}: ${report.problem ?? `older: ${report.older}`}`);
    expect((await node.get('/login/index.php')).status).toBe(inMaintenance(site) ? 503 : 200);
    // What the rollout does next: the rows, or the whole database, which is not this test's.
    if (poison.withoutMaintenance && poison.stoppedIn !== 'plan') await putRowsBack(site);
    const ended = await site.run(['end-maintenance'], {}, old);
    const maintained = poison.stoppedIn !== 'plan' && !poison.withoutMaintenance;
    expect(ended.value, ended.log).toMatchObject({ ok: true, maintenance: maintained ? 'ended' : 'was off' });
    expect(inMaintenance(site)).toBe(false);
    expect((await node.get('/login/index.php')).status).toBe(200);
    if (!maintained) expect(await contentOf(site)).toEqual(before);
    await node.stop();
  });
});

async function updateWith(site: MoodleSite, image: string, { stoppedIn, words, withoutMaintenance }: Poison) {
  const plan = await site.run(['plan-upgrade'], {}, image);
  if (stoppedIn === 'plan') {
    // Code that is older than the database is an answer to the question, and not a task that failed.
    if (plan.value.ok) expect(plan.value.older, plan.log).toEqual([POISONED]);
    else expect(plan.value, plan.log).toMatchObject({ plugin: POISONED, problem: expect.stringMatching(words) });
    return plan.value;
  }
  expect(plan.value, plan.log).toMatchObject({ ok: true, maintenanceRequired: withoutMaintenance !== true });
  await openUpdate(site);
  const mode = withoutMaintenance ? '--no-maintenance' : '--maintenance';
  const { exitCode, value, log } = await site.run(
    ['upgrade', mode],
    { MOODLE_UPGRADE_MINUTES: hangs, MOODLE_UPGRADE_MEMORY: '512M' },
    image,
  );
  expect(value, log).toMatchObject({ ok: false, plugin: POISONED, maintenance: !withoutMaintenance });
  expect(value.problem, log).toMatch(words);
  expect(exitCode).toBe(1);
  return value;
}

/** As the rollout's function does it where no table was changed: kept rows as they were, others of the same kinds gone. */
async function putRowsBack(site: MoodleSite): Promise<void> {
  const kept = (table: string) => `SELECT * FROM moodle_lifecycle.update_row_before WHERE table_name = '${table}'`;
  await site.sql(`DELETE FROM mdl_config_plugins WHERE name = 'version' OR plugin IN (
    SELECT plugin FROM (${kept('config_plugins')}) k WHERE k.name <> 'version')`);
  await site.sql(`INSERT INTO mdl_config_plugins (plugin, name, value)
    SELECT plugin, name, value FROM (${kept('config_plugins')}) k`);
  await site.sql(`DELETE FROM mdl_config WHERE name IN (
    'version', 'release', 'branch', 'allversionshash', 'allcomponenthash', 'registrationpending')`);
  await site.sql(`INSERT INTO mdl_config (name, value) SELECT name, value FROM (${kept('config')}) k`);
  await closeUpdate(site);
}

/** The usual way, on a site of its own: stop every node, upgrade, start. Seconds. */
async function stopUpgradeStart(site: MoodleSite, image: string): Promise<{ outage: number; upgrade: number }> {
  const node = await site.serve({}, old);
  const began = Date.now();
  await node.stop();
  const task = await site.bareUpgrade(image);
  const started = await site.serve({}, image);
  const outage = Math.round((Date.now() - began) / 100) / 10;
  await started.stop();
  return { outage, upgrade: task };
}

/** Visits pages until the answer is asked for: the statuses that came. */
function visitUntilTold(node: MoodleNode, paths: readonly string[]): () => Promise<number[]> {
  const statuses: number[] = [];
  let told = false;
  const visiting = (async () => {
    for (let count = 0; !told; count += 1) {
      statuses.push((await node.get(paths[count % paths.length] ?? '/')).status);
      await wait(100);
    }
  })();
  return async () => {
    told = true;
    await visiting;
    return statuses;
  };
}

async function until(what: () => Promise<boolean>, seconds = 600, pause = 200): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await wait(pause)) if (await what()) return;
  throw new Error('It did not come true in time.');
}
