import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stop } from '../../console/api/actions.ts';
import { RecordingReader } from '../../console/api/recording.ts';
import { type Phase, type Progress, readProgress } from '../../console/progress.ts';
import { upgradeTasks } from '../../lambdas/shared/update-words.ts';
import { GROWING, growing, tableOf } from '../plugins/growing.ts';
import { beforePoison, POISONED, poisons } from '../plugins/poisoned.ts';
import { Browser } from './browser.ts';
import { killFunction, killNode } from './faults.ts';
import { alterForFailures, expectAtRest, followNext, pairOf, reportOf, setCron } from './update-failures.ts';
import { UpdateSite } from './update-site.ts';

/** Long enough to be met in the middle. */
const slow = { seconds: 8 };

/** Whoever is signed in gets a fatal error, which the look at pages before the nodes are rolled does not find. */
const fatalForUsers = {
  files: {
    'lib.php': [
      '<?php',
      `function ${GROWING}_before_http_headers() {`,
      '    if (!NO_MOODLE_COOKIES && isloggedin()) {',
      `        ${GROWING}_nowhere();`,
      '    }',
      '}',
      '',
    ].join('\n'),
  },
};

const halfAnUpgrade = poisons.find(({ name }) => name === 'half an upgrade');

describe('an update that is interrupted', () => {
  let updateSite: UpdateSite;
  const users: Browser[] = [];

  beforeAll(async () => {
    updateSite = await UpdateSite.open({ releases: [growing(1), beforePoison], alter: alterForFailures, pace: 8 });
    const added = await updateSite.update({ add: [{ component: GROWING }, { component: POISONED }] });
    expect(added.failure).toBeUndefined();
    for (const { username, password } of [...(await updateSite.addUsers(2)), updateSite.site.administrator]) {
      const user = new Browser(updateSite.site.address);
      expect(await user.signIn(username, password)).toBe(true);
      users.push(user);
    }
    await setCron(updateSite.site, 0);
  });
  afterAll(() => updateSite?.close());

  const isThere = async (step: number) =>
    (
      await updateSite.site
        .query('SELECT 1 FROM information_schema.tables WHERE table_name = $1', [`mdl_${tableOf(step)}`])
        .catch(() => [])
    ).length > 0;

  /** The database has what this step brings, once, and the nodes its code. */
  async function expectUpgradedTo(step: number): Promise<void> {
    const { site } = updateSite;
    const [row] = await site.query(`SELECT count(*) AS rows_made FROM mdl_${tableOf(step)}`);
    expect(Number(row?.rows_made)).toBe(1);
    const [version] = await site.query("SELECT value FROM mdl_config_plugins WHERE plugin = $1 AND name = 'version'", [
      GROWING,
    ]);
    expect(Number(version?.value)).toBe(growing(step).version);
    await expectAtRest(site, users);
  }

  /** Until the execution is where it is to be interrupted. */
  async function reaches(execution: string, is: (progress: Progress) => boolean | Promise<boolean>): Promise<Progress> {
    const reader = new RecordingReader(updateSite.site.rehearsal.stepFunctions, execution);
    for (;;) {
      const { definition, execution: described, events } = await reader.read();
      const progress = readProgress(definition, described, events);
      if (await is(progress)) return progress;
      if (progress.status !== 'running')
        throw new Error(`It ended before: ${progress.failure?.cause ?? progress.ending}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const stopByHand = (execution: string) => stop(updateSite.site.rehearsal.stepFunctions, execution, 'ada', undefined);

  const phaseOf = ({ phases, wayBack }: Progress, title: string): Phase | undefined =>
    [...phases, ...wayBack].find((phase) => phase.title === title);
  const isAt = (title: string) => (progress: Progress) =>
    ['running', 'waiting'].includes(phaseOf(progress, title)?.status ?? '');
  const says = (title: string, words: RegExp) => (progress: Progress) =>
    words.test(JSON.stringify(phaseOf(progress, title)?.problem ?? ''));

  it('by a kill of its function, goes on and upgrades once', async () => {
    updateSite.directory.offer(growing(2, slow));
    const execution = await updateSite.site.startUpdate();
    await reaches(execution, () => isThere(2));
    let kills = 0;
    const { failure, phases } = await updateSite.site.follow(execution, (progress) => {
      const upgrade = phaseOf(progress, 'Upgrade');
      if (kills < 2 && upgrade?.status === 'running') kills += killFunction(updateSite.site, 'UpgradeSite') > 0 ? 1 : 0;
    });

    expect(kills).toBeGreaterThan(0);
    expect(failure).toBeUndefined();
    expect(phases.find(({ title }) => title === 'Upgrade')?.timeline.map(({ problem }) => problem?.error)).toContain(
      'Runtime.ExitError',
    );
    await expectUpgradedTo(2);
  });

  it('by a kill of the task in the middle of Moodle’s upgrade, goes back, and the next command finishes', async () => {
    const { site } = updateSite;
    updateSite.directory.offer(growing(3, slow));
    const before = await pairOf(site);
    const execution = await site.startUpdate();
    await reaches(execution, () => isThere(3));

    expect(killNode(await upgradeTask())).toBeGreaterThan(0);

    const progress = await site.follow(execution);
    expect(progress).toMatchObject({ outcome: 'put back', failure: { phase: 'Upgrade', error: 'UpgradeFailed' } });
    expect(progress.failure?.cause).toMatch(/the task ended without a report/);
    expect(await reportOf(site, progress)).toMatch(/Put back: the database as at /);
    expect(await pairOf(site)).toEqual(before);
    await expectAtRest(site, users);
    expect(await followNext(site, progress)).toContain('Site updated');
    await expectUpgradedTo(3);
  });

  it('stopped by hand in Upgrade, goes on by the next command in the same execution', async () => {
    const { site } = updateSite;
    updateSite.directory.offer(growing(4, slow));
    const execution = await site.startUpdate();
    await reaches(execution, () => isThere(4));
    await stopByHand(execution);
    const stopped = await site.follow(execution);
    expect(stopped.outcome).toBe('stopped');

    expect(await followNext(site, stopped)).toContain('Site updated');

    expect((await site.follow(execution)).status).toBe('succeeded');
    await expectUpgradedTo(4);
  });

  it('stopped by hand in Upgrade and started anew, is put back first and then done whole', async () => {
    const { site } = updateSite;
    updateSite.directory.offer(growing(5, slow));
    const execution = await site.startUpdate();
    await reaches(execution, () => isThere(5));
    await stopByHand(execution);
    await site.follow(execution);

    const progress = await updateSite.update();

    expect(progress.failure).toBeUndefined();
    expect(phaseOf(progress, 'Put back the unfinished update')?.evidence).toMatchObject({
      putBack: expect.stringContaining('the database as at '),
    });
    await expectUpgradedTo(5);
  });

  it('stopped by hand in Roll nodes and started anew, is finished without going back', async () => {
    const { site } = updateSite;
    updateSite.directory.offer(growing(6));
    const execution = await site.startUpdate();
    await reaches(execution, isAt('Roll nodes'));
    await stopByHand(execution);
    await site.follow(execution);

    const progress = await updateSite.update();

    expect(progress.failure).toBeUndefined();
    expect(phaseOf(progress, 'Find updates')?.evidence).toMatchObject({ outcome: 'finish' });
    await expectUpgradedTo(6);
  });

  it.each([
    ['while the database is being restored', /RDS restores it to/],
    ['while no database has the site’s name', /the database is renamed to/],
    ['while the nodes are replaced', /NodesStillBeingReplaced/],
  ])('stopped by hand in Put back, %s, goes back when it is started anew', async (_, words) => {
    const { site } = updateSite;
    if (!halfAnUpgrade) throw new Error('There is no such poison.');
    updateSite.directory.offer(halfAnUpgrade.release);
    const before = await pairOf(site);
    const execution = await site.startUpdate();
    await reaches(execution, says('Put back', words));
    await stopByHand(execution);
    await site.follow(execution);
    updateSite.directory.withdraw(POISONED, halfAnUpgrade.release.version);

    const progress = await updateSite.update();

    expect(progress.failure).toBeUndefined();
    expect(progress.ending).toBe('Nothing to update');
    expect(await pairOf(site)).toEqual(before);
    await expectAtRest(site, users);
  });

  it('goes back as a pair from Verify the site, when only signed-in users meet the error', async () => {
    const { site } = updateSite;
    updateSite.directory.offer(growing(7, fatalForUsers));
    const before = await pairOf(site);

    const progress = await updateSite.update();

    expect(progress).toMatchObject({ outcome: 'put back', failure: { phase: 'Verify the site' } });
    expect(await reportOf(site, progress)).toMatch(/Put back: the database as at /);
    expect(await pairOf(site)).toEqual(before);
    await expectAtRest(site, users);
  });

  /** Id of the task that upgrades. */
  async function upgradeTask(): Promise<string> {
    const { taskArns: [task = ''] = [] } = await new ECSClient(updateSite.site.account.clientConfiguration).send(
      new ListTasksCommand({
        cluster: updateSite.site.account.output('ClusterName'),
        startedBy: upgradeTasks,
      }),
    );
    return task.split('/').at(-1) ?? '';
  }
});
