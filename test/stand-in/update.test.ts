import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assembleStandIn } from '../../rehearsal/machines/code-build/assemble-stand-in.ts';
import { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { codeWith, halfway, MOODLE, manifestOf } from '../plugins/for-stand-in.ts';
import { codeOnly, withTable } from '../plugins/harmless.ts';
import { Bench, Browser, type Site } from './bench.ts';

let bench: Bench;
let installed: Site;
let directory: PluginDirectory;
beforeAll(async () => {
  bench = await Bench.open();
  directory = await PluginDirectory.start();
  installed = await bench.installedSite();
});
afterAll(async () => {
  await bench?.close();
  await directory?.close();
});

/** A site whose update has come to its upgrade. */
async function upgradingSite(): Promise<Site> {
  const site = await bench.site(installed);
  await site.sql(
    `INSERT INTO moodle_lifecycle.rollout_hold (site, execution, since, reason, before_rollout) VALUES ($1, 'e', now(), '', '{}')`,
    site.name,
  );
  await site.sql(
    `INSERT INTO moodle_lifecycle.update_run (site, execution, origin, stage, plan, started_at)
     VALUES ($1, 'e', 'e', 'upgrading', '{}', now())`,
    site.name,
  );
  return site;
}

/** An image with these plugins: the environment of its nodes. */
async function image(...releases: ReturnType<typeof withTable>[]) {
  for (const release of releases) directory.offer(release);
  return codeWith(bench.directory, manifestOf(bench.directory, directory, releases));
}

const run = async (site: Site) => (await site.sql('SELECT * FROM moodle_lifecycle.update_run'))[0];
const columns = async (site: Site, table: string) =>
  (await site.sql('SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1', table))
    .map(({ name }) => name)
    .sort();

describe('an upgrade', () => {
  test('is planned without a change: what comes, and why it needs maintenance', async () => {
    const site = await upgradingSite();
    const plan = await site.run(['plan-upgrade'], await image(withTable(1)));
    expect(plan).toMatchObject({
      ok: true,
      pending: true,
      maintenanceRequired: true,
      why: 'a plugin came or went',
      older: [],
      plugins: [{ component: 'local_withtable', code: 2026010101, database: null }],
    });
    expect(await columns(site, 'mdl_local_withtable')).toEqual([]);
    expect((await site.run(['plan-upgrade'])).pending).toBe(false);
  });

  test('makes declared tables for new nodes that wait and old ones that answer 503; then code alone needs no maintenance', async () => {
    const site = await upgradingSite();
    const old = await site.serve();
    const user = new Browser();
    await user.logIn(old);
    const first = await image(withTable(1), codeOnly(1));
    const fresh = site.start(['web'], first);
    await fresh.says(/waiting before serving: the database awaits an upgrade: local_codeonly/);
    expect((await site.acknowledgement(fresh.id, 'waiting-for-upgrade')).newer).toHaveLength(2);

    const upgrading = site.start(['upgrade', '--maintenance'], { ...first, STAND_IN_UPGRADE_SECONDS: '3' });
    await upgrading.says(/upgrading \(local_withtable\)/);
    expect(await user.visit(old, '/my/')).toMatchObject({ status: 503, headers: { 'retry-after': '300' } });
    expect((await old.get('/health/ready')).status).toBe(200);
    expect(await upgrading.exited).toBe(0);
    await fresh.serving();
    expect(await user.isLoggedIn(fresh)).toBe(true);
    expect(await columns(site, 'mdl_local_withtable')).toEqual(['amount', 'id']);
    const { maintenance_since, upgrade_started_at, upgrade_ended_at, maintenance_ended_at } = await run(site);
    const [since = 0, started = 0, ...ended] = [
      maintenance_since,
      upgrade_started_at,
      upgrade_ended_at,
      maintenance_ended_at,
    ].map(Number);
    expect([started, ...ended]).toEqual([started, ...ended].sort((one, other) => one - other));
    // A database goes back to full seconds.
    expect(Math.floor(started / 1000)).toBeGreaterThan(Math.floor(since / 1000));

    await site.sql('UPDATE moodle_lifecycle.update_run SET finished_at = now()');
    await site.sql(`INSERT INTO moodle_lifecycle.update_run (site, execution, origin, stage, plan, started_at)
      SELECT site, 'f', 'f', 'upgrading', plan, now() FROM moodle_lifecycle.update_run`);
    await site.sql(`UPDATE moodle_lifecycle.rollout_hold SET execution = 'f'`);
    const second = await image(withTable(1), codeOnly(2));
    expect(await site.run(['plan-upgrade'], second)).toMatchObject({ pending: true, maintenanceRequired: false });
    const report = await site.run(['upgrade', '--no-maintenance'], second);
    expect(report).toMatchObject({
      ok: true,
      plugins: [{ component: 'local_codeonly', from: 2026010101, to: 2026010102 }],
      maintenanceSeconds: 0,
    });
    const refused = site.start(['web'], first);
    expect(await refused.exited).toBe(1);
    expect(refused.log).toContain('the code is older than the database: local_codeonly');
  });

  test('that fails stays half applied, in maintenance, and is not continued', async () => {
    const site = await upgradingSite();
    await site.run(['upgrade', '--maintenance'], await image(halfway(1)));
    await site.sql('INSERT INTO mdl_local_halfway (amount) VALUES (1)');
    await site.sql('UPDATE moodle_lifecycle.update_run SET upgrade_ended_at = NULL, upgrade_started_at = NULL');
    await site.sql('DELETE FROM moodle_lifecycle.update_row_before');
    const second = await image(halfway(2));
    const report = await site.run(['upgrade', '--maintenance'], second);
    expect(report).toMatchObject({
      ok: false,
      exitCode: 1,
      plugin: 'local_halfway',
      problem: expect.stringMatching(/The upgrade failed, in local_halfway: column "needed" .* contains null values/),
      maintenance: true,
    });
    expect(await columns(site, 'mdl_local_halfway_more')).toEqual(['id', 'n']);
    const again = await site.run(['upgrade', '--maintenance'], second);
    expect(again.problem).toContain('Half an upgrade is not continued');
    expect(await site.run(['end-maintenance'])).toMatchObject({ ok: true, maintenance: 'ended' });
  });

  test('is refused without a rollout that is at it, and without maintenance where it needs some', async () => {
    const site = await bench.site(installed);
    const fresh = await image(withTable(1));
    expect((await site.run(['upgrade', '--maintenance'], fresh)).problem).toContain(
      'no update of this site is under way',
    );
    const upgrading = await upgradingSite();
    expect((await upgrading.run(['upgrade', '--no-maintenance'], fresh)).problem).toContain('needs maintenance');
    expect((await upgrading.run(['upgrade'], fresh)).problem).toContain('The role is');
    await upgrading.sql('DELETE FROM moodle_lifecycle.rollout_hold');
    expect((await upgrading.run(['upgrade', '--maintenance'], fresh)).problem).toContain('not held by the update');
    expect(await columns(upgrading, 'mdl_local_withtable')).toEqual([]);
  });
});

test('plugins are uninstalled with their tables, in maintenance that the next upgrade ends, for nodes that wait', async () => {
  const site = await upgradingSite();
  const before = await image(withTable(1));
  await site.run(['upgrade', '--maintenance'], before);
  await site.sql(
    'UPDATE moodle_lifecycle.update_run SET upgrade_ended_at = NULL, upgrade_started_at = NULL, maintenance_since = NULL',
  );
  await site.sql('DELETE FROM moodle_lifecycle.update_row_before');
  await site.sql(
    'UPDATE moodle_lifecycle.update_run SET plan = $1',
    JSON.stringify({ changes: [{ component: 'local_withtable', to: null }] }),
  );
  const without = await image();
  const fresh = site.start(['web'], without);
  // Nothing of its code is newer than the database.
  await fresh.says(/waiting before serving: an upgrade of the database is under way/);
  expect((await site.acknowledgement(fresh.id, 'waiting-for-upgrade')).newer).toEqual([]);
  const report = await site.run(['uninstall-plugins', 'local_withtable', 'local_unknown'], before);
  expect(report).toMatchObject({ ok: true, uninstalled: ['local_withtable'], unknown: ['local_unknown'] });
  expect(await columns(site, 'mdl_local_withtable')).toEqual([]);
  const upgraded = await site.run(['upgrade', '--maintenance'], without);
  expect(upgraded).toMatchObject({ ok: true, exitCode: 0 });
  expect(upgraded.maintenanceSeconds).toBeGreaterThan(0);
  await fresh.serving();
});

test('maintenance that an administrator began is nobody else’s to end', async () => {
  const site = await bench.site(installed);
  const node = await site.serve();
  expect(await site.run(['begin-maintenance'])).toMatchObject({ ok: true, maintenance: 'begun' });
  expect((await node.get('/login/index.php')).status).toBe(503);
  expect(await site.run(['end-maintenance'])).toMatchObject({ ok: true, maintenance: 'ended', pending: false });
  const file = join(site.environment.MOODLE_DATAROOT ?? '', 'climaintenance.html');
  writeFileSync(file, 'closed by hand');
  expect((await site.run(['begin-maintenance'])).maintenance).toBe('was on');
  expect((await site.run(['end-maintenance'])).maintenance).toBe('not ours');
  expect((await node.get('/login/index.php')).body).toBe('closed by hand');
});

describe('a build of the stand-in', () => {
  test.each([
    ['has another archive than was pinned', { sha256: '0'.repeat(64) }, /has the SHA-256 .* It was not unpacked/],
    [
      'has another version than was pinned',
      { version: 2026010199 },
      /its archive holds version 2026010101, not 2026010199/,
    ],
    ['is not there', { url: 'http://127.0.0.1:1/x.zip' }, /could not be downloaded/],
  ])('refuses a plugin that %s', async (_, changes, words) => {
    const release = withTable(1);
    directory.offer(release);
    const code = join(bench.directory, 'refused');
    const lines: string[] = [];
    const manifest = manifestOf(bench.directory, directory, [release], changes);
    await expect(assembleStandIn(manifest, MOODLE, code, (line) => lines.push(line))).rejects.toThrow(words);
    expect(lines.at(-1)).toMatch(/^plugin problem: local_withtable: /);
    expect(existsSync(code)).toBe(false);
  });

  test('refuses another release of Moodle than it stands for', async () => {
    const manifest = manifestOf(bench.directory, directory, []);
    const code = join(bench.directory, 'another');
    await expect(assembleStandIn(manifest, '5.2', code, () => {})).rejects.toThrow(
      /names Moodle 5\.3.* stands for 5\.2/,
    );
    expect(existsSync(code)).toBe(false);
  });
});
