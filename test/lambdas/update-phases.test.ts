import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp } from '../../lambdas/clean-up.ts';
import { requestApproval } from '../../lambdas/request-approval.ts';
import { rollNodes } from '../../lambdas/roll-nodes.ts';
import { readHold, takeOperatorHold } from '../../lambdas/shared/hold.ts';
import { tagNames } from '../../lambdas/shared/rds/names.ts';
import { stopTasks } from '../../lambdas/shared/tasks.ts';
import type { UpdatePlan } from '../../lambdas/shared/update-plan.ts';
import { readOpenRun } from '../../lambdas/shared/update-run.ts';
import { takeSnapshot } from '../../lambdas/take-snapshot.ts';
import { upgradeSite } from '../../lambdas/upgrade-site.ts';
import { LifecycleServer } from '../support/lifecycle-database.ts';
import { untilDone } from './bench.ts';
import { setConfig } from './moodle-tables.ts';
import { first, plan, second, UpdatingSite } from './updating-site.ts';

const fault = (name: string, message = name) => Object.assign(new Error(message), { name });
const named = (name: string, message: RegExp) =>
  expect.objectContaining({ name, message: expect.stringMatching(message) });

describe('the phases of an update', () => {
  let server: LifecycleServer;
  let site: UpdatingSite;
  beforeAll(async () => {
    server = await LifecycleServer.start();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    site = await UpdatingSite.make(await server.database());
  });

  const snapshot = (changes: Partial<UpdatePlan> = {}) =>
    takeSnapshot(site.clients, { ...first, plan: { ...plan, ...changes } });
  const upgrade = (changes: Partial<UpdatePlan> = {}) =>
    untilDone(site, () => upgradeSite(site.clients, { ...first, plan: { ...plan, ...changes } }));
  const roll = () => untilDone(site, () => rollNodes(site.clients, { ...first, plan }));
  async function ready(how: Partial<UpdatingSite> = {}): Promise<void> {
    Object.assign(site, how);
    await site.check();
    await untilDone(site, () => snapshot());
    site.calls.length = 0;
  }
  /** What functions asked AWS to change. */
  const changes = () => site.calls.filter((name) => !/^(Describe|Get|List)/.test(name));

  describe('Check the site', () => {
    it('holds the site, and says what it found', async () => {
      expect(await site.check(first, { approval: true, reason: 'monthly' })).toMatchObject({
        site: expect.stringMatching(/^installed/),
        image: 'content-1',
        hold: 'taken',
        request: { approval: true },
        unfinished: 'none',
        origin: first.execution,
      });
      const hold = await readHold(site.database, 'campus');
      expect(hold).toMatchObject({
        execution: first.execution,
        reason: 'monthly',
        before: { cronDesired: 1, desired: 2 },
      });
      expect(changes()).toEqual(['RunTask']);
      expect(hold?.before.look).toMatchObject({
        front: { kind: 'page' },
        session: { kind: 'held', nodes: 2 },
        pages: { visitor: 'page', administrator: 'page' },
        cron: 'not running',
      });
      expect(site.door.hasRolloutSession).toBe(false);
    });

    it('names what the site has of its own, and looks no second time', async () => {
      site.door.loginElsewhere = 'https://sso.example.edu/start?ticket=1';
      expect(await site.check()).toMatchObject({
        keeps: ['the login page leads to https://sso.example.edu/start', 'cron does not run'],
      });
      site.calls.length = 0;
      expect(await site.check()).toMatchObject({ hold: 'taken', keeps: expect.arrayContaining(['cron does not run']) });
      expect(changes()).toEqual([]);
    });

    it('rejects a site that could not be verified afterwards, before it changes anything', async () => {
      site.door.maintenance = { by: 'command line' };
      await expect(site.check()).rejects.toThrow(
        named('SiteNotVerifiable', /command line.*Nothing was changed.*--disable/),
      );
      site.door.maintenance = undefined;
      await site.database.execute('DELETE FROM moodle_lifecycle.task_run');
      site.noSession = 'Somebody on this site has the username moodle-lifecycle.';
      await expect(site.check()).rejects.toThrow(named('SiteNotVerifiable', /has the username moodle-lifecycle/));
    });

    it('rejects a site whose maintenance by the command line is planned, and starts no task on it', async () => {
      // As `maintenance.php --enablelater` writes it (Moodle 4.4.1, 4.5.6, 5.1.3).
      await setConfig(site.database, { maintenance_later: '1893456000' });
      await expect(site.check()).rejects.toThrow(
        named('SiteNotVerifiable', /planned from 2030-01-01T00:00:00.000Z on.*Nothing was changed.*--disable/),
      );
      expect(site.calls).not.toContain('RunTask');
    });

    it('takes an image from before there were such sessions, of which it knows less', async () => {
      site.pages = undefined;
      await site.check();
      expect((await readHold(site.database, 'campus'))?.before.look).toMatchObject({
        front: { kind: 'page' },
        home: null,
        session: { kind: 'not tried' },
        pages: {},
      });
    });

    it('changes nothing for a dry run, also no user for a minute', async () => {
      expect(await site.check(first, { dryRun: true })).toMatchObject({ keeps: [] });
      expect(changes()).toEqual([]);
    });

    it('refuses an input that it does not understand before it looks at anything', async () => {
      await expect(site.check(first, { whatever: 1 })).rejects.toThrow(named('InputInvalid', /whatever is not known/));
      expect(site.calls).toEqual([]);
    });

    it('refuses a site without a finished Moodle, or without an image', async () => {
      site.parameters.set('image-tag', 'none');
      await expect(site.check()).rejects.toThrow(named('SiteNotInstalled', /no node serves them.*Nothing was changed/));
      await setConfig(site.database, { rolesactive: null });
      await expect(site.check()).rejects.toThrow(named('SiteNotInstalled', /no finished Moodle.*Nothing was changed/));
      expect(await readHold(site.database, 'campus')).toBeUndefined();
    });

    it('waits for nobody who holds the site: a rollout at work, also in a dry run, or a person', async () => {
      await ready();
      await upgrade();
      for (const input of [{}, { dryRun: true }]) {
        await expect(site.check(second, input)).rejects.toThrow(named('SiteHeld', /:first since .*still running/));
      }
      await site.database.execute('DELETE FROM moodle_lifecycle.update_run');
      await site.database.execute('DELETE FROM moodle_lifecycle.rollout_hold');
      const { executions } = site.clients;
      await takeOperatorHold(site.clients.database, executions, { ...second, execution: 'arn:hold' }, 'ada', 'an exam');
      await expect(site.check()).rejects.toThrow(
        named('SiteHeld', /held by the operator ada .*an exam.*lifecycle release/),
      );
    });

    it('puts nothing back in a dry run', async () => {
      await ready();
      await upgrade();
      site.stopped(first);
      await expect(site.check(second, { dryRun: true })).rejects.toThrow(
        named('UpdateUnfinished', /stopped in the middle \(upgraded; .*:first\).*Start again without dryRun/),
      );
      expect((await readHold(site.database, 'campus'))?.execution).toBe(first.execution);
    });
  });

  describe('Take snapshot', () => {
    const takes = (error: Error) => site.faults.set('CreateDBClusterSnapshot', error);

    it('waits while RDS is at work on the database, and where it shows the snapshot late', async () => {
      await site.check();
      takes(fault('InvalidDBClusterStateFault'));
      await expect(snapshot()).rejects.toThrow(named('SnapshotStillBeingTaken', /takes no snapshot now/));
      takes(fault('DBClusterSnapshotAlreadyExistsFault'));
      await expect(snapshot()).rejects.toThrow(named('SnapshotStillBeingTaken', /AlreadyExists/));
      const { evidence, waits } = await untilDone(site, () => snapshot());
      expect(evidence).toMatchObject({ files: 'none needed: this update changes no files' });
      expect(waits[0]).toMatch(/moodle-campus-update-\w+ is creating/);
      const kept = site.rds.snapshots.get(evidence.snapshot)?.TagList.map(({ Key }) => Key);
      expect(kept).toEqual([tagNames.site, tagNames.execution, tagNames.keptUntil]);
      expect(await readOpenRun(site.database, 'campus')).toMatchObject({
        stage: 'planned',
        snapshot: evidence.snapshot,
      });
    });

    it('fails when it cannot be had, and says that nothing was touched', async () => {
      await site.check();
      takes(fault('SnapshotQuotaExceededFault', 'at most 100'));
      await expect(snapshot()).rejects.toThrow(named('SnapshotFailed', /at most 100.*not touched.*quota/));
      await untilDone(site, () => snapshot());
      for (const one of site.rds.snapshots.values()) one.Status = 'failed';
      await expect(snapshot()).rejects.toThrow(named('SnapshotFailed', /it is failed.*not touched/));
    });

    it('makes a recovery point of the files where the plan changes them, once', async () => {
      await site.check();
      const { evidence } = await untilDone(site, () => snapshot({ filesChange: true }));
      expect(evidence.files).toBe('arn:recovery-point');
      await snapshot({ filesChange: true });
      expect(site.backupJobs).toHaveLength(1);
      for (const job of site.backupJobs) job.State = 'ABORTED';
      await expect(snapshot({ filesChange: true })).rejects.toThrow(
        named('SnapshotFailed', /ABORTED.*job-0.*not touched/),
      );
    });
  });

  it('Wait for approval tells a person everything that is needed to decide, and no token', async () => {
    await site.check();
    const asked = {
      ...plan,
      deleteData: ['mod_old'],
      leftOut: [{ component: 'mod_z', why: 'is not called stable' }],
      maintenanceWindow: { start: '02:00', end: '04:00', timeZone: 'Europe/Berlin' },
    };
    const input = { ...first, plan: asked, token: 'the-token' };
    expect(await requestApproval(site.clients, input)).toEqual({ told: 'arn:topic' });
    const [{ Subject, Message } = { Subject: '', Message: '' }] = site.published;
    expect(Subject).toBe('Moodle site campus: plugin update waits for approval');
    expect(Message.split('\n')).toEqual(
      expect.arrayContaining([
        '  mod_x 2025010100 → 2026010100 [minor]',
        '  data of mod_old is DELETED for good',
        '  left out: mod_z, is not called stable',
        '  maintenance, if Moodle needs it, from 02:00 to 04:00 Europe/Berlin',
        `Approve: npx lifecycle approve ${first.execution}`,
        `Refuse:  npx lifecycle refuse ${first.execution}`,
      ]),
    );
    expect(Message).not.toContain('the-token');
    await expect(requestApproval(site.clients, { ...second, plan })).rejects.toThrow(named('HoldLost', /:first/));
  });

  describe('Upgrade', () => {
    it('stops cron, starts nodes that wait, upgrades once, and says for how long maintenance stood', async () => {
      await ready({ maintenanceRequired: true });
      const { evidence, waits } = await upgrade();
      expect(evidence).toEqual({
        maintenance: expect.stringMatching(/^[\d.]+ s: there are upgrade steps for mod_x$/),
        maintenanceSeconds: expect.any(Number),
        upgradeSeconds: 3.5,
        plugins: ['mod_x 2025010100 → 2026010100'],
      });
      expect(waits.map((words) => words.replace(/ \(.*/, ''))).toEqual(
        [
          'TaskStillRunning: The task “plan-upgrade” was asked for',
          'NodeStillStarting: Cron finishes what it runs, before the upgrade',
          'NodeStillStarting: 0 of 2 new nodes are started and wait for the upgrade.',
          'TaskStillRunning: The task “upgrade --maintenance” was asked for',
        ].map((words) => expect.stringContaining(words.split(' was asked')[0] ?? '')),
      );
      expect(site.maintenance).toBe(false);
      expect(site.parameters.get('image-tag')).toBe(plan.image);
      expect(site.scalable.SuspendedState.DynamicScalingOutSuspended).toBe(true);
      expect(await readOpenRun(site.database, 'campus')).toMatchObject({
        stage: 'upgraded',
        maintenanceRequired: true,
      });
    });

    it('needs no maintenance where Moodle needs none, and no upgrade where none is pending', async () => {
      await ready();
      expect((await upgrade()).evidence).toMatchObject({
        maintenance: 'none: Moodle needs none',
        maintenanceSeconds: 0,
      });
      await site.database.execute('DELETE FROM moodle_lifecycle.task_run');
      await site.database.execute(`UPDATE moodle_lifecycle.update_run SET stage = 'planned'`);
      expect((await upgrade()).evidence).toMatchObject({ maintenance: 'none', plugins: ['no upgrade was pending'] });
    });

    it('waits for the maintenance window with the site as it is, and only where it needs maintenance', async () => {
      await ready({ maintenanceRequired: true });
      const hour = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
      const closed = { maintenanceWindow: { start: hour(2), end: hour(3), timeZone: 'UTC' } };
      const open = { maintenanceWindow: { start: hour(-1), end: hour(1), timeZone: 'UTC' } };
      const call = () => upgradeSite(site.clients, { ...first, plan: { ...plan, ...closed } });
      await expect(call()).rejects.toThrow(named('TaskStillRunning', /plan-upgrade/));
      await site.settle();
      await expect(call()).rejects.toThrow(
        named('MaintenanceWindowClosed', /UTC\. There it is .*: (2 h 0|1 h 59) min.*not touched/),
      );
      expect(changes()).toEqual(['RegisterTaskDefinition', 'RunTask']);
      expect((await readOpenRun(site.database, 'campus'))?.stage).toBe('planned');
      await upgrade(open);
      // Once begun, it goes on whatever the time.
      expect((await upgrade(closed)).evidence.plugins).toHaveLength(1);
    });

    it('refuses older code than the database has', async () => {
      await ready();
      await site.database.execute(
        `UPDATE mdl_config_plugins SET value = '2027010100' WHERE plugin = 'mod_x' AND name = 'version'`,
      );
      await expect(upgrade()).rejects.toThrow(
        named('OlderThanDatabase', /older code than the database: mod_x.*not touched/),
      );
      expect(changes()).toEqual(['RegisterTaskDefinition', 'RunTask'].slice(-changes().length));
    });

    it('does not upgrade when new nodes do not start', async () => {
      await ready({ serving: undefined });
      const failing = async () => {
        await site.settle();
        await site.settle();
      };
      await expect(untilDone(site, () => upgradeSite(site.clients, { ...first, plan }), failing)).rejects.toThrow(
        named('NodesNotHealthy', /do not start.*exit code 1.*database was not touched/),
      );
      expect(await site.settingsOfPlugins()).toContain('mod_x version 2025010100');
    });

    it('says how far Moodle is', async () => {
      await ready();
      const { report } = site;
      const told: string[] = [];
      await untilDone(
        site,
        () => upgradeSite(site.clients, { ...first, plan }),
        async () => {
          const task = site.tasks.find(
            (one) => one.startedBy === 'moodle-lifecycle/upgrade' && one.lastStatus !== 'STOPPED',
          );
          if (!task) return site.settle();
          const { json, now } = site.database.dialect;
          const value = JSON.stringify({ stage: 'upgrading', plugin: 'mod_x', seconds: 7 });
          await site.database.execute(
            `INSERT INTO moodle_lifecycle.node_acknowledgement VALUES ('campus', :node, 'upgrade-progress', ${json(':value')}, ${now})`,
            { node: task.taskArn?.split('/').at(-1) ?? '', value },
          );
          await upgradeSite(site.clients, { ...first, plan }).catch((error: Error) => told.push(error.message));
          await site.settle();
        },
      );
      expect(told).toEqual(['upgrading (mod_x), 7 s.']);
      expect(report).toBe(site.report);
    });
  });

  describe('Roll nodes', () => {
    it('ends with nodes and cron of the new image, and the scaling and grace of before', async () => {
      await ready();
      await upgrade();
      const { evidence } = await roll();
      expect(evidence).toEqual({
        nodes: 2,
        image: plan.image,
        cron: 'running with the new image',
        cronSince: expect.any(Number),
      });
      expect(site.scalable).toMatchObject({
        MinCapacity: 2,
        MaxCapacity: 4,
        SuspendedState: { DynamicScalingOutSuspended: false },
      });
      expect(site.web.healthCheckGracePeriodSeconds).toBe(60);
      expect((await readOpenRun(site.database, 'campus'))?.stage).toBe('rolled');
    });

    it('brings the nodes of an exam day that began meanwhile, and no cron where there was none', async () => {
      site.cron.desiredCount = 0;
      await ready();
      await upgrade();
      site.parameters.set('scheduled-nodes', '4');
      expect((await roll()).evidence).toMatchObject({ cron: 'as before: none', cronSince: null });
      expect([site.scalable.MinCapacity, site.web.desiredCount]).toEqual([4, 4]);
    });

    it('goes back when maintenance does not end, or a node says that an upgrade is pending', async () => {
      await ready();
      await upgrade();
      const { report } = site;
      site.report = async ([role = '', ...words], image) =>
        role === 'end-maintenance' ? { ok: false, problem: 'not removed' } : report([role, ...words], image);
      await expect(roll()).rejects.toThrow(named('UpgradeFailed', /could not be ended: not removed/));
      await site.database.execute(
        `UPDATE moodle_lifecycle.node_acknowledgement SET value = '{"upgradePending": true}' WHERE subject = 'serving'`,
      );
      await expect(roll()).rejects.toThrow(named('NodesNotHealthy', /code and database differ/));
    });
  });

  it('Clean up removes what is past its day, and goes on where one thing cannot be removed', async () => {
    await ready();
    const tags = (owner: string, until: string) => [
      { Key: tagNames.site, Value: owner },
      { Key: tagNames.keptUntil, Value: until },
    ];
    const make = (name: string, TagList: { Key: string; Value: string }[]) =>
      site.rds.snapshots.set(name, {
        identifier: name,
        Status: 'available',
        PercentProgress: 100,
        TagList,
        SnapshotCreateTime: new Date(),
      });
    make('locked', tags('campus', '2020-01-01'));
    make('old', tags('campus', '2020-01-01'));
    make('kept', tags('campus', '2999-01-01'));
    make('of-another-site', tags('other', '2020-01-01'));
    make('by-hand', []);
    site.rds.clusters.set('replaced', {
      DBClusterIdentifier: 'replaced',
      Status: 'available',
      TagList: tags('campus', '2020-01-01'),
    });
    const deleteSnapshot = site.operations.DeleteDBClusterSnapshot;
    site.operations.DeleteDBClusterSnapshot = (input: never) => {
      if ((input as { DBClusterSnapshotIdentifier: string }).DBClusterSnapshotIdentifier === 'locked')
        throw fault('AccessDenied', 'shared');
      return deleteSnapshot?.(input) ?? {};
    };
    site.operations.BatchDeleteImage = () => ({
      failures: [{ imageId: { imageTag: 'content-0-bbbbbbbbbbbb' }, failureReason: 'referenced' }],
    });
    for (const tag of ['content-0', 'content-0-aaaaaaaaaaaa', 'content-0-bbbbbbbbbbbb', plan.image]) {
      site.images.add(tag);
      site.pushed.set(tag, new Date('2020-01-01'));
    }
    const cleaned = await cleanUp(site.clients, { ...first, plan });
    expect(cleaned).toEqual({
      snapshots: ['old'],
      databases: ['replaced'],
      images: ['content-0-aaaaaaaaaaaa'],
      kept: ['locked: shared', 'content-0-bbbbbbbbbbbb: referenced'],
    });
    expect([...site.rds.snapshots.keys()]).toEqual(expect.arrayContaining(['kept', 'of-another-site', 'by-hand']));
    expect(await readOpenRun(site.database, 'campus')).toBeUndefined();
    await expect(cleanUp(site.clients, { ...second, plan })).rejects.toThrow(named('HoldLost', /:first/));
  });

  it('stops the tasks of an upgrade also where ECS lists them on a second page', async () => {
    const listed = site.operations.ListTasks;
    const startedBy = 'moodle-lifecycle/upgrade';
    await ready();
    site.tasks.push({
      taskArn: 'arn:task/last',
      group: 'one-off',
      startedBy,
      lastStatus: 'RUNNING',
      desiredStatus: 'RUNNING',
    });
    site.operations.ListTasks = async (input: never) => {
      const { taskArns } = ((await listed?.(input)) ?? { taskArns: [] }) as { taskArns: string[] };
      const { nextToken } = input as { nextToken?: string };
      return nextToken ? { taskArns: taskArns.slice(1) } : { taskArns: taskArns.slice(0, 1), nextToken: 'more' };
    };
    const stop = () => stopTasks(site.clients, startedBy, 'a test');
    await expect(stop()).rejects.toThrow(named('TaskStillRunning', /1 task of the update is being stopped/));
    await site.settle();
    await stop();
    expect(site.tasks.at(-1)?.lastStatus).toBe('STOPPED');
  });
});
