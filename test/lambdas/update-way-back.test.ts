import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putBackUpdate } from '../../lambdas/put-back-update.ts';
import { rollNodes } from '../../lambdas/roll-nodes.ts';
import type { FailureReport } from '../../lambdas/shared/failure-report.ts';
import { type Rollout, readHold } from '../../lambdas/shared/hold.ts';
import { readOpenRun } from '../../lambdas/shared/update-run.ts';
import { takeSnapshot } from '../../lambdas/take-snapshot.ts';
import { upgradeSite } from '../../lambdas/upgrade-site.ts';
import { LifecycleServer } from '../support/lifecycle-database.ts';
import { untilDone } from './bench.ts';
import { first, plan, second, UpdatingSite } from './updating-site.ts';

const failure = { Error: 'UpgradeFailed', Cause: 'mod_x: no' };

describe('the way back of an update', () => {
  let server: LifecycleServer;
  beforeAll(async () => {
    server = await LifecycleServer.start();
  });
  afterAll(() => server.close());

  /** A site on which an update is at its upgrade. */
  async function upgrading(how: Partial<UpdatingSite> = {}, rollout = first): Promise<UpdatingSite> {
    const site = Object.assign(await UpdatingSite.make(await server.database()), how);
    await site.check(rollout);
    await untilDone(site, () => takeSnapshot(site.clients, { ...rollout, plan }));
    return site;
  }
  const upgrade = (site: UpdatingSite, rollout = first) =>
    untilDone(site, () => upgradeSite(site.clients, { ...rollout, plan }));
  const putBack = async (site: UpdatingSite, rollout: Rollout, state: object = {}, unfinished = false) => {
    const { evidence } = await untilDone(site, () =>
      putBackUpdate(site.clients, { ...rollout, rollout: { checked: {}, found: plan, failure, ...state }, unfinished }),
    );
    return evidence as FailureReport & { putBack: string };
  };
  /** The upgrade's end becomes two hours old. */
  async function longAgo({ database }: UpdatingSite) {
    await database.execute(
      `UPDATE moodle_lifecycle.update_run SET upgrade_ended_at = upgrade_ended_at - INTERVAL '2' HOUR,
              maintenance_ended_at = maintenance_ended_at - INTERVAL '2' HOUR`,
    );
  }
  /** That nothing is left of the update. */
  async function expectAsBefore(site: UpdatingSite) {
    await site.settle();
    expect(await site.settingsOfPlugins()).toEqual([
      'mod_x colour red',
      'mod_x version 2025010100',
      'mod_y version 2025050500',
    ]);
    expect(site.maintenance).toBe(false);
    expect(site.parameters.get('image-tag')).toBe('content-1');
    expect(site.running().length).toBe(2);
    const [definition] = site.web.taskDefinition?.split('task-definition/').slice(-1) ?? [];
    expect(definition).toBe('web-family:2');
    expect([site.cron.desiredCount, site.running('cron').length]).toEqual([1, 1]);
    expect(site.scalable).toMatchObject({
      MinCapacity: 2,
      MaxCapacity: 4,
      SuspendedState: { DynamicScalingOutSuspended: false },
    });
    expect(site.web.healthCheckGracePeriodSeconds).toBe(60);
    expect(await readOpenRun(site.database, 'campus')).toBeUndefined();
  }

  it('of an upgrade that needed no maintenance gives the rows back, and keeps what users wrote', async () => {
    const site = await upgrading();
    await upgrade(site);
    await site.post('after');
    const { cause, outcome } = await putBack(site, first);
    await expectAsBefore(site);
    expect(cause).toMatch(
      /Put back: versions and settings of the plugins in the database; nodes with the image content-1/,
    );
    expect(outcome).toBe('put back');
    expect(await site.posts()).toEqual(['after']);
    expect(await readHold(site.database, 'campus')).toBeUndefined();
  });

  it('of an upgrade that failed in maintenance restores the database to when maintenance stood', async () => {
    const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
    await site.post('before');
    await expect(upgrade(site)).rejects.toMatchObject({
      name: 'UpgradeFailed',
      message: expect.stringMatching(/Moodle says: Exception - no\./),
    });
    expect(site.maintenance).toBe(true);
    const { cause } = await putBack(site, first);
    await expectAsBefore(site);
    const at =
      /the database as at (\S+) \(the one that the upgrade changed.* is kept as moodle-campus-before-\w+ for 14 days\)/.exec(
        cause,
      )?.[1];
    expect(Math.abs(Date.parse(at ?? '') - Date.now())).toBeLessThan(60_000);
    expect(await site.posts()).toEqual(['before']);
    expect(await readHold(site.database, 'campus')).toBeUndefined();
  });

  it('says the right instant where the schema changed without maintenance', async () => {
    const site = await upgrading({ changesSchema: true, upgradeFails: 'mod_x failed' });
    await expect(upgrade(site)).rejects.toMatchObject({ name: 'UpgradeFailed' });
    const { cause } = await putBack(site, first);
    await expectAsBefore(site);
    const at = /the database as at (\S+) /.exec(cause)?.[1];
    expect(Math.abs(Date.parse(at ?? '') - Date.now())).toBeLessThan(60_000);
  });

  it('goes by the snapshot where backups do not reach, whose row says that nothing was touched', async () => {
    const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
    await expect(upgrade(site)).rejects.toMatchObject({ name: 'UpgradeFailed' });
    const cluster = site.rds.clusters.get('campus-database');
    cluster?.TagList?.push({ Key: 'no-backups', Value: '' });
    const { cause, outcome } = await putBack(site, first);
    await expectAsBefore(site);
    expect(outcome).toBe('put back');
    expect(cause).toMatch(/the database as in the snapshot moodle-campus-update-\w+/);
    expect(await readHold(site.database, 'campus')).toBeUndefined();
  });

  it('does not go back once users have written for an hour, so that the next update finishes this one', async () => {
    const site = await upgrading({ maintenanceRequired: true, changesSchema: true });
    await upgrade(site);
    await longAgo(site);
    await expect(putBack(site, first)).rejects.toMatchObject({
      name: 'DatabaseNotRestored',
      message: expect.stringMatching(/users have written since.*start a plugin update, which finishes this one/),
    });
    expect(site.maintenance).toBe(false);
    site.stopped(first);
    expect(await site.check(second)).toMatchObject({ unfinished: 'finish' });
    const { evidence } = await untilDone(site, () => rollNodes(site.clients, { ...second, plan }));
    expect(evidence).toMatchObject({ nodes: 2, image: plan.image, cron: 'running with the new image' });
  });

  it('goes on with a restore that lasts longer than that hour', async () => {
    const site = await upgrading({ maintenanceRequired: true, changesSchema: true });
    await upgrade(site);
    let calls = 0;
    const input = { ...first, rollout: { checked: {}, found: plan, failure }, unfinished: false };
    await untilDone(
      site,
      () => putBackUpdate(site.clients, input),
      async () => {
        calls += 1;
        if (calls === 2) await longAgo(site);
        await site.settle();
      },
    );
    await expectAsBefore(site);
  });

  it('keeps the site when it cannot end maintenance, and the next update goes on', async () => {
    const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
    await expect(upgrade(site)).rejects.toThrow();
    const { report } = site;
    site.report = async ([role = '', ...words], image) =>
      role === 'end-maintenance'
        ? { ok: false, problem: 'the file cannot be removed' }
        : report([role, ...words], image);
    await expect(putBack(site, first)).rejects.toMatchObject({
      name: 'UpgradeFailed',
      message: expect.stringMatching(/still in maintenance.*the file cannot be removed.*start a plugin update/),
    });
    expect(site.cron.desiredCount).toBe(1);
    site.report = report;
    site.stopped(first);
    const checked = await site.check(second);
    expect(checked.unfinished).toBe('put back');
    await putBack(site, second, { checked }, true);
    await expectAsBefore(site);
  });

  it('says what is left to do where maintenance ended, and caches could not be emptied', async () => {
    const site = await upgrading();
    await upgrade(site);
    const { report } = site;
    site.report = async ([role = '', ...words], image) =>
      role === 'end-maintenance'
        ? { ok: false, problem: 'Maintenance: ended. But caches were not emptied: no', maintenance: 'ended' }
        : report([role, ...words], image);
    const { outcome, cause } = await putBack(site, first);
    expect(outcome).toBe('not all put back');
    expect(cause).toMatch(
      /NOT put back: maintenance ended \(Maintenance: ended\. But caches were not emptied: no\. Purge the caches by hand\)/,
    );
    await expectAsBefore(site);
  });

  it('has nothing to put back before the upgrade, and closes the update', async () => {
    const site = await upgrading();
    const { cause, outcome, subject } = await putBack(site, first, {
      failure: { Error: 'ApprovalRefused', Cause: 'not now' },
    });
    expect(cause).toMatch(
      /^Not approved: not now\nNothing of the site was changed\.\nThe site is released\.\nNext: to ask again, npx lifecycle retry/,
    );
    expect(subject).toBe('Moodle site campus: plugin update not approved');
    expect(outcome).toBe('refused');
    await expectAsBefore(site);
    expect(site.calls).not.toContain('UpdateService');
    expect(await readHold(site.database, 'campus')).toBeUndefined();
  });

  it('touches nothing of a site that another execution holds', async () => {
    const site = await upgrading();
    await upgrade(site);
    const { cause, outcome } = await putBack(site, second);
    expect(cause).toContain(`does not hold the site any more: ${first.execution} took it over`);
    expect(outcome).toBe('not all put back');
    expect((await readHold(site.database, 'campus'))?.execution).toBe(first.execution);
    expect(site.parameters.get('image-tag')).toBe(plan.image);
  });

  it('brings the nodes of an exam day that began meanwhile', async () => {
    const site = await upgrading();
    await upgrade(site);
    site.parameters.set('scheduled-nodes', '3');
    await putBack(site, first);
    expect(site.scalable).toMatchObject({ MinCapacity: 3, MaxCapacity: 4 });
    expect(site.web.desiredCount).toBe(3);
  });

  it('names the phase that failed', async () => {
    const site = await upgrading();
    const failed: [phase: string, state: object][] = [
      ['Check the site', {}],
      ['Put back the unfinished update', { checked: { unfinished: 'put back' } }],
      ['Find updates', { checked: { unfinished: 'put back' }, putBackBefore: {} }],
      ['Build image', { checked: {}, found: plan }],
      ['Wait for approval', { checked: {}, found: { ...plan, approval: true }, image: {}, snapshot: {} }],
      ['Upgrade', { checked: {}, found: plan, image: {}, snapshot: {} }],
      ['Roll nodes', { checked: { unfinished: 'finish' }, found: { ...plan, outcome: 'finish' } }],
      ['Verify the site', { checked: {}, found: plan, image: {}, snapshot: {}, upgrade: {}, rolled: {} }],
      ['Release the site', { checked: {}, found: { ...plan, outcome: 'finish' }, rolled: {}, verified: {} }],
    ];
    for (const [phase, state] of failed) {
      const input = { ...second, rollout: { ...state, failure }, unfinished: false };
      const { subject, cause } = (await putBackUpdate(site.clients, input)) as FailureReport;
      expect(subject).toBe(`Moodle site campus: plugin update failed in "${phase}"`);
      expect(cause).toMatch(new RegExp(`^“${phase}” failed \\(UpgradeFailed\\): mod_x: no`));
    }
  });

  it('says in words that nobody approved', async () => {
    const site = await upgrading();
    const state = { found: { ...plan, approval: true }, image: {}, snapshot: {}, failure: { Error: 'States.Timeout' } };
    const { cause, error, outcome } = await putBack(site, first, state);
    expect(error).toBe('ApprovalExpired');
    expect(cause).toMatch(
      /^Not approved: Nobody approved or refused within 24 hours\.\nNothing of the site was changed\.\nThe site is released\.$/m,
    );
    expect(outcome).toBe('nothing changed');
    await expectAsBefore(site);
  });

  it('does not call what it had put back before, and then released, unchanged', async () => {
    const site = await upgrading();
    await upgrade(site);
    await putBack(site, first);
    const { cause, outcome } = await putBack(site, first);
    expect(cause).toContain('What there was to put back was put back before, and the site is released.');
    expect(outcome).toBe('put back');
  });

  it('says that of the update itself nothing was changed where another’s was put back before', async () => {
    const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
    await expect(upgrade(site)).rejects.toThrow();
    site.stopped(first);
    const checked = await site.check(second);
    const putBackBefore = await putBack(site, second, { checked }, true);
    const state = { checked, putBackBefore, failure: { Error: 'ImageBuildFailed', Cause: 'mod_x does not parse' } };
    const { cause, outcome } = await putBack(site, second, state);
    expect(cause).toMatch(
      /^“Build image” failed.*\nOf this update nothing was changed\. The unfinished one was put back before it: the database as at/,
    );
    expect(outcome).toBe('put back');
  });

  describe('of an execution that was stopped', () => {
    it('is done by the next one, which then updates', async () => {
      const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
      await expect(upgrade(site)).rejects.toThrow();
      site.stopped(first);
      const checked = await site.check(second);
      expect(checked).toMatchObject({ unfinished: 'put back', origin: first.execution });
      const { putBack: words } = await putBack(site, second, { checked }, true);
      expect(words).toMatch(/^the database as at .*; nodes with the image content-1; maintenance ended/);
      await expectAsBefore(site);
      expect((await readHold(site.database, 'campus'))?.execution).toBe(second.execution);

      site.upgradeFails = undefined;
      site.changesSchema = false;
      site.maintenanceRequired = false;
      await untilDone(site, () => takeSnapshot(site.clients, { ...second, plan }));
      await upgrade(site, second);
      const { evidence } = await untilDone(site, () => rollNodes(site.clients, { ...second, plan }));
      expect(evidence).toMatchObject({ nodes: 2, image: plan.image });
    });

    it('is done by the next one, which goes back itself when its own upgrade fails', async () => {
      const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
      await expect(upgrade(site)).rejects.toThrow();
      site.stopped(first);
      const checked = await site.check(second);
      await putBack(site, second, { checked }, true);
      await untilDone(site, () => takeSnapshot(site.clients, { ...second, plan }));
      await expect(upgrade(site, second)).rejects.toMatchObject({ name: 'UpgradeFailed' });
      const { outcome, cause } = await putBack(site, second, { checked });
      expect(cause).not.toMatch(/NOT put back/);
      await expectAsBefore(site);
      expect(outcome).toBe('put back');
    });

    it('is left to the next one by one that failed before it had taken the update over', async () => {
      const site = await upgrading({ maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
      await expect(upgrade(site)).rejects.toThrow();
      site.stopped(first);
      // As after a kill right behind the statement that takes the site.
      await site.database.execute('UPDATE moodle_lifecycle.rollout_hold SET execution = :execution', {
        execution: second.execution,
      });
      const rollout = { Error: 'DatabaseUnreachable', Cause: 'no answer' };
      await expect(putBackUpdate(site.clients, { ...second, rollout, unfinished: false })).rejects.toMatchObject({
        name: 'UpdateUnfinished',
        message: expect.stringMatching(/the update that \S+:first left \(upgrading\).*Start a plugin update/),
      });
      site.stopped(second);
      const third = { ...second, execution: `${second.execution}-but-one` };
      const checked = await site.check(third);
      await putBack(site, third, { checked }, true);
      await expectAsBefore(site);
    });

    it('is not begun by one that heard of the end of the upgrade too late: it is finished', async () => {
      const site = await upgrading({ maintenanceRequired: true });
      await upgrade(site);
      await site.database.execute(`UPDATE moodle_lifecycle.update_run SET stage = 'upgrading'`);
      site.stopped(first);
      expect(await site.check(second)).toMatchObject({ unfinished: 'finish', origin: first.execution });
    });
  });
});
