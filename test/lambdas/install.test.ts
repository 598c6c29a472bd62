import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type PlannedImage } from '../../lambdas/build-image.ts';
import { readInstallMarker } from '../../lambdas/shared/site-state.ts';
import type { LeftOut, PlannedChange } from '../../lambdas/shared/update-plan.ts';
import { startOneNode } from '../../lambdas/start-one-node.ts';
import { waitForInstall } from '../../lambdas/wait-for-install.ts';
import type { Account } from './account.ts';
import { Bench, held, untilDone } from './bench.ts';
import { makeMoodleTables, setConfig, setMarker } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

describe('buildImage', () => {
  it('builds once, waits, and tells the digest', async () => {
    const account = await bench.account();
    const input = await held(account);
    const { evidence, waits } = await untilDone(account, () => buildImage(account.clients, input));
    expect(evidence).toEqual({ image: 'content-1', digest: 'sha256:abc', built: 'by this rollout', scan: '2 high' });
    expect(account.objects.get('manifests/content-1.json')).toBe(
      '{"moodle":{"sha256":null,"version":"5.1"},"plugins":[]}',
    );
    expect(waits).toEqual(['ImageStillBuilding: CodeBuild works on content-1: queued.']);
    expect(account.calls.filter((call) => call === 'StartBuild')).toHaveLength(1);
  });

  it('builds nothing that is there', async () => {
    const account = await bench.account();
    account.images.add('content-1');
    expect(await buildImage(account.clients, await held(account))).toMatchObject({ built: 'was there already' });
    expect(account.builds).toEqual([]);
  });

  it('does not start a second build when it was killed before it wrote the first one’s id', async () => {
    const account = await bench.account();
    const input = await held(account);
    await expect(buildImage(account.clients, input)).rejects.toMatchObject({ name: 'ImageStillBuilding' });
    await account.database.execute('UPDATE moodle_lifecycle.task_run SET task_arn = NULL');
    await expect(buildImage(account.clients, input)).rejects.toMatchObject({ name: 'ImageStillBuilding' });
    expect(account.builds).toHaveLength(1);
  });

  it('names the phase and the reason of a build that failed', async () => {
    const account = await bench.account();
    const input = await held(account);
    await expect(buildImage(account.clients, input)).rejects.toMatchObject({ name: 'ImageStillBuilding' });
    Object.assign(account.builds[0] ?? {}, {
      buildStatus: 'FAILED',
      phases: [
        { phaseType: 'INSTALL', phaseStatus: 'SUCCEEDED' },
        { phaseType: 'BUILD', phaseStatus: 'FAILED', contexts: [{ message: 'checksum mismatch' }] },
      ],
      logs: { deepLink: 'https://logs' },
    });
    await expect(buildImage(account.clients, input)).rejects.toMatchObject({
      name: 'ImageBuildFailed',
      message: expect.stringMatching(/FAILED in BUILD: checksum mismatch\. .*https:\/\/logs/s),
    });
  });

  it('quotes what the build wrote about Moodle and plugins, else its last lines', async () => {
    const account = await bench.account();
    account.buildEnds = 'FAILED';
    account.buildLog = ['#9 1.2 plugin problem: mod_x: needs local_y', 'ERROR: failed to solve', 'exit 1'];
    const build = async () => buildImage(account.clients, await held(account));
    await expect(untilDone(account, build)).rejects.toMatchObject({
      message: expect.stringMatching(/no reason given; mod_x: needs local_y\. No node was touched/),
    });
    account.buildLog = [
      '#9 1.2 Moodle problem: Moodle 5.4 is of a layout that is not known here: x is not there.',
      'exit 1',
    ];
    await expect(build()).rejects.toMatchObject({
      message: expect.stringContaining('Moodle 5.4 is of a layout that is not known here: x is not there. No node was'),
    });
    account.buildLog = ['Step 1', 'toomanyrequests: pull rate limit'];
    await expect(build()).rejects.toMatchObject({ message: expect.stringContaining('Step 1; toomanyrequests') });
  });

  describe('of an update that the build refuses', () => {
    const change = (component: string, more: Partial<PlannedChange> = {}): PlannedChange => ({
      ...{ component, from: 1, to: 2, release: '', risk: 'minor' },
      ...more,
    });
    const image = { component: 'image', from: 'as built', to: 'as deployed', release: '', risk: 'deployed' } as const;
    /** One build per tag, each of which fails with these lines. */
    async function building(account: Account, log: readonly string[], plan: Partial<PlannedImage['plan']>) {
      account.buildEnds = 'FAILED';
      account.buildLog = [...log];
      const { site, execution } = await held(account);
      const input = { site, execution, plan: { image: 'content-1', manifest: { moodle, plugins: [] }, ...plan } };
      return untilDone(account, () => buildImage(account.clients, input));
    }
    const moodle = { version: '5.1', sha256: null };

    it('names the plugins to blame, each with its reason, so that the others can come', async () => {
      const log = [
        '#9 1.2 plugin problem: mod_x: it needs local_y, which is not in the image.',
        '#9 1.2 plugin problem: mod_x: lib.php does not parse.',
        '#9 1.3 plugin problem: mod_stays: declares the table mod_x, as does mod_x.',
        'plugin problem: mod_x: it needs local_y, which is not in the image.',
      ];
      const { evidence } = await building(await bench.account(), log, {
        changes: [change('mod_x'), change('mod_z'), change('mod_gone', { to: null }), image],
        leftOut: [
          { component: 'mod_a', why: 'is not called stable' },
          { component: 'mod_b', why: '3: no', stoppedBy: 'build' },
        ],
      });
      expect(evidence).toEqual({
        builds: 1,
        leftOut: [
          { component: 'mod_b', why: '3: no', stoppedBy: 'build' },
          {
            component: 'mod_x',
            why: '2: it needs local_y, which is not in the image; lib.php does not parse',
            stoppedBy: 'build',
          },
        ],
      });
    });

    it.each([
      ['the input named one of them', ['mod_x', 'mod_z'], [change('mod_x', { asked: true }), change('mod_z')]],
      ['it is a plugin that stays as it is', ['mod_stays'], [change('mod_x')]],
      ['it is one that was to be removed', ['mod_x'], [change('mod_x', { to: null })]],
      ['no plugin is named', [], [change('mod_x'), image]],
    ])('fails where %s', async (_, blamed, changes) => {
      const log = blamed.length > 0 ? blamed.map((name) => `plugin problem: ${name}: no`) : ['pull rate limit'];
      await expect(building(await bench.account(), log, { changes })).rejects.toMatchObject({
        name: 'ImageBuildFailed',
        message: expect.stringMatching(
          blamed.length > 0
            ? new RegExp(`${blamed.at(-1)}(, in the version that the site has)?: no`)
            : 'pull rate limit',
        ),
      });
    });

    it('says so where it is the version that the site has', async () => {
      const log = ['plugin problem: mod_stays: https://a/stays.zip could not be downloaded.'];
      await expect(building(await bench.account(), log, { changes: [change('mod_x')] })).rejects.toMatchObject({
        message: expect.stringContaining('mod_stays, in the version that the site has: https://a/stays.zip could not'),
      });
    });

    it('makes six builds at most, each under its own tag, and says what was left out already', async () => {
      const account = await bench.account();
      const leftOut: LeftOut[] = [];
      const build = (number: number) =>
        building(account, [`plugin problem: mod_${number}: no`], {
          image: `content-1-${String(number).padStart(12, 'a')}`,
          changes: [change(`mod_${number}`)],
          leftOut,
        });
      for (const number of [1, 2, 3, 4, 5]) {
        const { evidence } = await build(number);
        if (!('leftOut' in evidence)) throw new Error('The image was built.');
        expect(evidence.builds).toBe(number);
        leftOut.splice(0, Number.POSITIVE_INFINITY, ...evidence.leftOut);
      }
      await expect(build(6)).rejects.toMatchObject({
        name: 'ImageBuildFailed',
        message: expect.stringMatching(/mod_6: no\. Left out already: mod_1, mod_2, mod_3, mod_4, mod_5\. No node/),
      });
      expect(account.builds).toHaveLength(6);
    });

    it('fails where the build refuses so many that it is itself to blame', async () => {
      const many = Array.from({ length: 51 }, (_, index) => `mod_many${index}`);
      const log = many.map((name) => `plugin problem: ${name}: could not be downloaded`);
      const changes = many.map((name) => change(name));
      await expect(building(await bench.account(), log, { changes })).rejects.toMatchObject({
        name: 'ImageBuildFailed',
        message: expect.stringContaining('mod_many0: could not be downloaded'),
      });
    });
  });

  it('refuses to build what was not deployed', async () => {
    const account = await bench.account();
    const input = await held(account, {}, { image: 'content-0' });
    await expect(buildImage(account.clients, input)).rejects.toMatchObject({ name: 'ImageBuildFailed' });
    expect(account.builds).toEqual([]);
  });
});

describe('startOneNode', () => {
  it('brings a fresh site to exactly one node that may install', async () => {
    const account = await bench.account();
    const input = await held(account);
    const { evidence, waits } = await untilDone(account, () => startOneNode(account.clients, input));
    expect(evidence).toMatchObject({ nodes: 1, capacity: 'exactly 1, autoscaling suspended', sessions: 'database' });
    expect(waits).toHaveLength(1);
    expect(account.web).toMatchObject({ desiredCount: 1, healthCheckGracePeriodSeconds: 1800 });
    expect(account.scalable).toMatchObject({
      MinCapacity: 0,
      MaxCapacity: 1,
      SuspendedState: {
        DynamicScalingInSuspended: true,
        DynamicScalingOutSuspended: true,
        ScheduledScalingSuspended: true,
      },
    });
    expect(account.parameters.get('image-tag')).toBe('content-1');
    expect(await readInstallMarker(account.database, 'campus')).toMatchObject({ finish: 'unattended', started: false });
    expect(account.calls.filter((call) => call === 'UpdateService')).toHaveLength(1);
    expect(account.calls.filter((call) => call === 'RegisterTaskDefinition')).toHaveLength(1);
  });

  it('changes the image alone in the task definition', async () => {
    const account = await bench.account();
    const [first] = account.taskDefinitions;
    await untilDone(account, async () => startOneNode(account.clients, await held(account)));
    const registered = account.taskDefinitions.at(-1);
    expect(registered).toMatchObject({ family: 'web-family', revision: 2, cpu: '512', taskRoleArn: 'arn:role/web' });
    expect(registered?.containerDefinitions).toEqual([
      { ...first?.containerDefinitions?.[0], image: 'registry/repository:content-1' },
    ]);
  });

  it('has written the marker before any node can start', async () => {
    const account = await bench.account();
    const input = await held(account);
    account.faults.set('UpdateService', new Error('killed'));
    await expect(startOneNode(account.clients, input)).rejects.toThrow('killed');
    expect(await readInstallMarker(account.database, 'campus')).toMatchObject({ finish: 'unattended' });
    expect(account.running()).toEqual([]);
    const { evidence } = await untilDone(account, () => startOneNode(account.clients, input));
    expect(evidence.nodes).toBe(1);
    expect(account.calls.filter((call) => call === 'RegisterTaskDefinition')).toHaveLength(1);
  });

  it('lets the node of a rollout that was stopped go on', async () => {
    const account = await bench.account();
    await untilDone(account, async () => startOneNode(account.clients, await held(account)));
    const [node] = account.running();
    account.executions.set('arn:first', 'ABORTED');
    await account.database.execute(`UPDATE moodle_lifecycle.rollout_hold SET execution = 'arn:first'`);
    await account.database.execute('DELETE FROM moodle_lifecycle.node_replacement');
    account.calls.length = 0;
    const { evidence } = await untilDone(account, async () => startOneNode(account.clients, await held(account)));
    expect(account.running()).toEqual([node]);
    expect(node?.taskArn).toContain(evidence.node);
    expect(account.calls).not.toContain('UpdateService');
  });

  it('leaves an installed site with nodes as it is', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.serve(3);
    const nodes = account.running();
    const evidence = await startOneNode(account.clients, await held(account));
    expect(evidence).toEqual({ nodes: 3, capacity: 'left as it is: the site is installed and has nodes' });
    expect(account.running()).toEqual(nodes);
    expect(account.parameters.get('session-store')).toBe('redis');
    expect(account.calls.filter((call) => !/^(Describe|List)/.test(call))).toEqual([]);
  });

  it('starts a node of an installed site that has none, with sessions where they are', async () => {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.serve(2);
    account.web.desiredCount = 0;
    await account.settle();
    const { evidence } = await untilDone(account, async () => startOneNode(account.clients, await held(account)));
    expect(evidence).toMatchObject({ nodes: 1 });
    expect(account.parameters.get('session-store')).toBe('redis');
    expect(await readInstallMarker(account.database, 'campus')).toBeUndefined();
  });

  it('tells why nodes do not start', async () => {
    const account = await bench.account();
    account.serving = undefined;
    const input = await held(account);
    await expect(untilDone(account, () => startOneNode(account.clients, input))).rejects.toMatchObject({
      name: 'NodeFailedToStart',
      message: expect.stringMatching(/Essential container in task exited, exit code 1.*database was left/s),
    });
  });

  it('writes nothing for an execution that lost the site', async () => {
    const account = await bench.account();
    const input = await held(account);
    await account.database.execute(`UPDATE moodle_lifecycle.rollout_hold SET execution = 'arn:other'`);
    await expect(startOneNode(account.clients, input)).rejects.toMatchObject({ name: 'HoldLost' });
    expect(account.calls).toEqual([]);
  });
});

describe('waitForInstall', () => {
  async function started(finish: 'unattended' | 'browser' = 'unattended') {
    const account = await bench.account();
    const extra = finish === 'browser' ? { finish, adminIp: '203.0.113.7' } : {};
    const input = await held(account, extra);
    await untilDone(account, () => startOneNode(account.clients, input));
    return { account, input };
  }
  const serving = (account: Account) =>
    account.database.execute(`DELETE FROM moodle_lifecycle.node_acknowledgement WHERE subject = 'serving'`);

  it('shows the tables made and the time against the expected', async () => {
    const { account, input } = await started();
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      message: expect.stringContaining('has not begun to install'),
    });
    await makeMoodleTables(account.database, { config: { rolesactive: '0' } });
    await setMarker(account.database, { started: true, attempt: 2 });
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      name: 'InstallStillRunning',
      message: expect.stringMatching(/^3 of 483 tables, 8\d s of about \d+ s, attempt 2\.$/),
    });
  });

  describe('of an install that takes long', () => {
    /** As if all that was seen so far had been seen so long ago. */
    const later = (account: Account, minutes: number) =>
      account.database.execute(
        `UPDATE moodle_lifecycle.install_progress SET moved_at = moved_at - INTERVAL '${minutes}' MINUTE`,
      );
    async function installing() {
      const { account, input } = await started();
      await makeMoodleTables(account.database, { config: { rolesactive: '0' } });
      await account.database.execute('CREATE TABLE mdl_capabilities (id int)');
      await setMarker(account.database, { started: true });
      const look = () => waitForInstall(account.clients, input);
      await expect(look()).rejects.toMatchObject({ name: 'InstallStillRunning' });
      return { account, look };
    }

    it.each<[string, (account: Account) => Promise<unknown>]>([
      ['tables', ({ database }) => database.execute('CREATE TABLE mdl_more (id int)')],
      ['settings', ({ database }) => setConfig(database, { theme: 'boost' })],
      [
        'settings of plugins',
        ({ database }) => database.execute(`INSERT INTO mdl_config_plugins VALUES ('a', 'b', 'c')`),
      ],
      ['capabilities', ({ database }) => database.execute('INSERT INTO mdl_capabilities VALUES (1)')],
      ['the end that Moodle’s upgrade names', ({ database }) => setConfig(database, { upgraderunning: '1' })],
      ['attempts', ({ database }) => setMarker(database, { started: true, attempt: 2 })],
    ])('goes on while %s move, however long it takes', async (_, move) => {
      const { account, look } = await installing();
      await later(account, 19);
      await move(account);
      await expect(look()).rejects.toMatchObject({ name: 'InstallStillRunning' });
      await later(account, 19);
      await expect(look()).rejects.toMatchObject({ name: 'InstallStillRunning' });
    });

    it('ends when nothing moves, and says where it stands', async () => {
      const { account, look } = await installing();
      await later(account, 21);
      await expect(look()).rejects.toMatchObject({
        name: 'InstallFailed',
        message: expect.stringMatching(
          /^Nothing has moved in the install for 21 minutes\. Last: 4 of 483 tables, \d+ s of/,
        ),
      });
    });
  });

  it('is not done before the marker and the node say so', async () => {
    const { account, input } = await started();
    await makeMoodleTables(account.database);
    await setMarker(account.database, { started: true });
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({ name: 'InstallStillRunning' });
    await setMarker(account.database, { started: true, finished: true });
    await serving(account);
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      name: 'InstallStillRunning',
      message: expect.stringContaining('has yet to say that it serves'),
    });
  });

  it('is done when all agree', async () => {
    const { account, input } = await started();
    await makeMoodleTables(account.database);
    await setMarker(account.database, { started: true, finished: true });
    expect(await waitForInstall(account.clients, input)).toEqual({
      install: 'done',
      release: '5.1 (Build: 20251006)',
      tables: 3,
      seconds: 70,
      attempts: 1,
      moodle: 'real',
    });
  });

  it('is done with a pending administrator when the operator finishes in a browser', async () => {
    const { account, input } = await started('browser');
    await makeMoodleTables(account.database, {
      config: { adminsetuppending: '1' },
      adminPassword: 'adminsetuppending',
    });
    await setMarker(account.database, { started: true, finished: true, finish: 'browser' });
    expect(await waitForInstall(account.clients, input)).toMatchObject({
      install: 'tables made, the wizard is yours to complete',
    });
  });

  it('says that a wizard is asked for where an earlier rollout wanted one', async () => {
    const { account, input } = await started();
    await makeMoodleTables(account.database, {
      config: { adminsetuppending: '1' },
      adminPassword: 'adminsetuppending',
    });
    await setMarker(account.database, { started: true, finished: true, finish: 'browser' });
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      name: 'UnfinishedInstall',
      message: expect.stringContaining('"finish": "browser"'),
    });
  });

  it('stops where the node refused to touch what it found', async () => {
    const { account, input } = await started();
    await setMarker(account.database, { refused: 'there are 40 users' });
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      name: 'UnfinishedInstall',
      message: expect.stringContaining('there are 40 users'),
    });
  });

  it('stops when the node keeps stopping, with its reason', async () => {
    const { account, input } = await started();
    account.serving = undefined;
    for (let round = 0; round < 3; round++) {
      for (const node of account.running()) account.stop(node, 'EssentialContainerExited', 137);
      await account.settle();
    }
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      name: 'InstallFailed',
      message: expect.stringMatching(/keeps stopping.*exit code/s),
    });
  });

  it('does not go on with code that is newer than the database', async () => {
    const { account, input } = await started();
    await makeMoodleTables(account.database);
    await setMarker(account.database, { started: true, finished: true });
    account.serving = () => ({ upgradePending: true, moodleVersion: 2026010100 });
    for (const node of account.running()) account.stop(node, 'EssentialContainerExited', 0);
    await account.settle();
    await expect(waitForInstall(account.clients, input)).rejects.toMatchObject({
      name: 'InstallFailed',
      message: expect.stringContaining('an upgrade is pending'),
    });
  });
});
