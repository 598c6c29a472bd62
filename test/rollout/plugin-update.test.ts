import { createHash } from 'node:crypto';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import type { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import { messagesOf } from '../../rehearsal/services/sns/topics.ts';
import { HALFWAY, halfway } from '../plugins/for-stand-in.ts';
import { codeOnly } from '../plugins/harmless.ts';
import { pluginFiles } from '../plugins/make-plugin.ts';
import { Browser } from './browser.ts';
import { deny, updateFaults } from './faults.ts';
import { obey, tryAgain } from './operator.ts';
import type { Site } from './site.ts';
import { hurry, openUpdatedSite, stopAfter, type UpdatedSite } from './stand-in-updates.ts';

const CODE = 'local_codeonly';

/**
 * One site through its updates: each test goes on from where the one before left it. Not here is a failure of “Verify the
 * site”, whose way back is that of “Roll nodes”; it is among the recorded histories, as is a denied action in each phase.
 */
describe('a plugin update', { timeout: 240_000 }, () => {
  let updated: UpdatedSite;
  let site: Site;
  let directory: PluginDirectory;

  beforeAll(async () => {
    updated = await openUpdatedSite([codeOnly(1), halfway(1)]);
    ({ site, directory } = updated);
  }, 300_000);
  afterAll(() => updated?.close());

  const evidence = (progress: Progress, title: string) =>
    progress.phases.find((phase) => phase.title === title)?.evidence as Record<string, unknown> | undefined;
  const status = (progress: Progress, title: string) => progress.phases.find((phase) => phase.title === title)?.status;
  /** What the way back says in the end, and the notification too. */
  const told = ({ wayBack }: Progress) => String((wayBack[0]?.evidence as { cause?: string } | undefined)?.cause);
  const lastMessage = () => [...messagesOf(site.account.world).entries()].at(-1)?.[1];
  const holds = () => site.query('SELECT execution FROM moodle_lifecycle.rollout_hold');
  const versions = async () =>
    Object.fromEntries(
      (await site.query("SELECT plugin, value FROM mdl_config_plugins WHERE name = 'version'")).map(
        ({ plugin, value }) => [plugin, Number(value)],
      ),
    );
  const image = async () => (await site.state()).image;
  /** Answers the question of an execution as soon as it is asked. */
  const answer = (executionArn: string, verb: 'approve' | 'refuse', ...words: string[]) => {
    let answered = false;
    return ({ outcome }: Progress) => {
      if (outcome !== 'asking' || answered) return;
      answered = true;
      void obey(site, `npx lifecycle ${verb} ${executionArn}`, '--yes', '--as', 'ada', ...words);
    };
  };
  const answering = (executionArn: string, verb: 'approve' | 'refuse', ...words: string[]) =>
    site.follow(executionArn, answer(executionArn, verb, ...words));
  /** Stops an execution while its new nodes start, before the database is upgraded. */
  const stop = (executionArn: string) => stopAfter(site, executionArn, 'new nodes are started');

  it('ends early when there is nothing to do', async () => {
    const before = await site.state();
    const progress = await site.update();
    expect(progress).toMatchObject({ outcome: 'succeeded', ending: 'Nothing to update' });
    expect(status(progress, 'Build image')).toBe('skipped');
    expect(await site.state()).toEqual(before);
    expect(await holds()).toEqual([]);
  });

  it('says in a dry run what it would do', async () => {
    const before = await site.state();
    const progress = await site.update({ add: [{ component: CODE }], dryRun: true });
    expect(progress).toMatchObject({ outcome: 'succeeded', ending: 'Plan made' });
    expect(evidence(progress, 'Find updates')).toMatchObject({ changes: [{ component: CODE, from: null }] });
    expect(await site.state()).toEqual(before);
  });

  it('adds plugins once a person approves by the command that the notification tells', async () => {
    const executionArn = await site.startUpdate({
      add: [{ component: CODE }, { component: HALFWAY }],
      approval: true,
    });
    const progress = await answering(executionArn, 'approve', '--reason', 'go');
    expect(progress.failure).toBeUndefined();
    expect(evidence(progress, 'Wait for approval')).toEqual({ by: 'ada', comment: 'go' });
    expect(evidence(progress, 'Upgrade')).toMatchObject({
      maintenance: expect.stringMatching(/a plugin came or went/),
    });
    expect(await versions()).toEqual({ [CODE]: 2026010101, [HALFWAY]: 2026010101 });
    const [asked] = [...messagesOf(site.account.world).entries()]
      .map(([, message]) => message)
      .filter(({ subject }) => subject === 'Moodle site demo: plugin update waits for approval');
    expect(asked?.message).toContain(`${CODE} 2026010101`);
    expect(asked?.message).toContain(`Approve: npx lifecycle approve ${executionArn}`);
    expect(asked?.message).toMatch(/Until \d{4}-.*the site stays as it is/);
    expect(asked?.message).toContain(`/executions/details/${executionArn}`);
  });

  describe('whose upgrade fails in the middle', () => {
    let user: Browser;
    let failed: Progress;

    it('goes back to the database before it, equal in every row, and to the image before it', async () => {
      await site.query(`INSERT INTO mdl_${HALFWAY} (amount) VALUES (7)`);
      const { username, password } = site.administrator;
      user = new Browser(site.address);
      expect(await user.signIn(username, password)).toBe(true);
      const before = { content: await checksums(site), image: await image() };
      directory.offer(halfway(2));

      failed = await site.update();
      expect(failed.outcome).toBe('put back');
      expect(failed.failure).toMatchObject({
        phase: 'Upgrade',
        error: 'UpgradeFailed',
        cause: expect.stringMatching(/local_halfway.*column "needed".*contains null values/),
      });
      expect(told(failed)).toMatch(/Put back: the database as at .*; nodes with the image .*; maintenance ended/);
      expect({ content: await checksums(site), image: await image() }).toEqual(before);
      expect(await user.isSignedIn()).toBe(true);
      expect(await holds()).toEqual([]);
    });

    it('is tried again by the command that it told, once the plugin is mended; and can be stopped in the middle', async () => {
      directory.withdraw(HALFWAY, 2026010102);
      directory.offer(halfway(3));
      const executionArn = await tryAgain(site, failed.next?.command);
      stop(executionArn);
      const stopped = await site.follow(executionArn);
      expect(stopped.outcome).toBe('stopped');
      expect(await holds()).toEqual([{ execution: executionArn }]);
    });

    it('is put back by the next one, which updates it then: with its tables, nobody logged out', async () => {
      // Nothing that is left to clean up keeps a site from being released.
      const mend = deny(site, 'CleanUp', 'rds:DescribeDBClusterSnapshots');
      const progress = await site.update();
      mend();
      expect(progress.failure).toBeUndefined();
      expect(evidence(progress, 'Put back the unfinished update')).toMatchObject({
        putBack: expect.stringMatching(/nodes with the image/),
      });
      expect(evidence(progress, 'Upgrade')).toMatchObject({
        maintenance: expect.stringMatching(/tables of local_halfway/),
      });
      expect(await site.query(`SELECT amount, needed FROM mdl_${HALFWAY}`)).toEqual([{ amount: '7', needed: '0' }]);
      expect(await user.isSignedIn()).toBe(true);
      expect(status(progress, 'Clean up')).toBe('failed');
      expect(await holds()).toEqual([]);
    });
  });

  /** Each run is begun by the command that the one before told, and gets past the phase that failed there. */
  describe('that cannot go on', () => {
    let next: string | undefined;
    let before: unknown;
    const begin = () =>
      next === undefined ? site.startUpdate({ plugins: [CODE], approval: true }) : tryAgain(site, next);

    beforeAll(async () => {
      directory.offer(codeOnly(2));
      before = { versions: await versions(), image: await image() };
    });

    const expectAsBefore = async (progress: Progress, phase: string, unapproved = false) => {
      expect(progress.failure?.phase).toBe(phase);
      expect(told(progress)).toContain(unapproved ? 'Not approved: ' : `“${phase}” failed`);
      next = progress.next?.command;
      expect(told(progress)).toContain(`Next: ${unapproved ? 'to ask again' : 'once mended'}, ${next}`);
      expect(told(progress)).toContain(`/executions/details/${progress.executionArn}`);
      expect(told(progress)).toContain(
        phase === 'Roll nodes'
          ? '\nPut back: '
          : phase === 'Check the site'
            ? '\nNothing was changed: '
            : '\nNothing of the site was changed.',
      );
      expect(lastMessage()).toMatchObject({
        subject: `Moodle site demo: plugin update ${unapproved ? 'not approved' : `failed in "${phase}"`}`,
        message: told(progress),
      });
      expect({ versions: await versions(), image: await image() }).toEqual(before);
      expect(await holds()).toEqual([]);
    };

    /** Of the phases that fail here in no other way. */
    const faultsIn = (...phases: string[]) => updateFaults.filter(({ phase }) => phases.includes(phase));

    const denied = async ({ phase, function: name, action }: (typeof updateFaults)[number]) => {
      const mend = deny(site, name, action);
      const progress = await answering(await begin(), 'approve');
      mend();
      expect(progress.outcome).toBe(phase === 'Roll nodes' ? 'put back' : 'nothing changed');
      expect(progress.failure?.cause).toContain(action);
      await expectAsBefore(progress, phase);
    };

    it.each(faultsIn('Check the site', 'Take snapshot'))('because “$phase” may not do what it must', denied);

    it('because an archive is not what the plugin directory says', async () => {
      directory.offer({ ...codeOnly(2), md5: '0'.repeat(32) });
      const progress = await site.follow(await begin());
      directory.offer(codeOnly(2));
      expect(progress.failure?.error).toBe('PluginArchiveWrong');
      await expectAsBefore(progress, 'Find updates');
    });

    it('because the image cannot be built', async () => {
      const other = pluginFiles({ component: CODE, version: 2026010109 });
      directory.offer(releaseOf(other, { version: 2026010102 }));
      const progress = await site.follow(await begin());
      directory.offer(codeOnly(2));
      expect(progress.failure).toMatchObject({
        error: 'ImageBuildFailed',
        cause: expect.stringMatching(/local_codeonly: its archive holds version 2026010109, not 2026010102/),
      });
      await expectAsBefore(progress, 'Build image');
    });

    it('because a person refuses', async () => {
      const progress = await answering(await begin(), 'refuse', '--reason', 'exams this week');
      expect(progress.outcome).toBe('refused');
      expect(progress.failure).toMatchObject({ error: 'ApprovalRefused', cause: 'Refused by ada: exams this week' });
      await expectAsBefore(progress, 'Wait for approval', true);
    });

    it('because nobody answers', async () => {
      const executionArn = await begin();
      const slower = hurry(site, 2_000);
      const progress = await site.follow(executionArn);
      slower();
      expect(progress).toMatchObject({ outcome: 'nothing changed', failure: { error: 'ApprovalExpired' } });
      expect(told(progress)).toContain('Nobody approved or refused within 24 hours');
      await expectAsBefore(progress, 'Wait for approval', true);
    });

    it.each(faultsIn('Roll nodes'))('because “$phase” may not do what it must', denied);

    it('goes on by the command that the last one told; stopped by hand, it resumes the phase by that of its own', async () => {
      const executionArn = await begin();
      stop(executionArn);
      const stopped = await answering(executionArn, 'approve');
      expect(stopped).toMatchObject({ outcome: 'stopped', failure: { phase: 'Upgrade' }, retry: { how: 'redrive' } });
      expect(await tryAgain(site, stopped.next?.command)).toBe(executionArn);
      const progress = await site.follow(executionArn);
      expect(progress.redrivenAt).toHaveLength(1);
      // Nobody is asked again.
      expect(evidence(progress, 'Wait for approval')).toEqual(evidence(stopped, 'Wait for approval'));
      expect(progress.failure).toBeUndefined();
      expect(evidence(progress, 'Upgrade')).toMatchObject({ maintenance: 'none: Moodle needs none' });
      expect(await versions()).toEqual({ [CODE]: 2026010102, [HALFWAY]: 2026010103 });
      expect(await holds()).toEqual([]);
    });
  });

  describe('of several plugins, one of which cannot come', () => {
    const why = /^2026010104: it needs local_sharedparts, which is not in the image$/;
    const leftOut = [{ component: HALFWAY, why: expect.stringMatching(why), stoppedBy: 'build' }];

    it('brings the others, and names it with its reason', async () => {
      directory.offer(releaseOf(pluginFiles({ component: CODE, version: 2026010103 })));
      const says = ["$plugin->dependencies = ['local_sharedparts' => ANY_VERSION];"];
      directory.offer(releaseOf(pluginFiles({ component: HALFWAY, version: 2026010104, says })));
      const progress = await site.update();
      expect(progress).toMatchObject({ outcome: 'succeeded', ending: 'Site updated' });
      expect(evidence(progress, 'Find updates')).toMatchObject({ changes: [{ component: CODE }], leftOut });
      expect(await versions()).toEqual({ [CODE]: 2026010103, [HALFWAY]: 2026010103 });
      expect(lastMessage()).toMatchObject({
        subject: 'Moodle site demo: updated, 1 plugin left out',
        message: expect.stringMatching(
          /local_codeonly 2026010102 → 2026010103 .*left out: local_halfway \(2026010104: it needs/,
        ),
      });
    });

    it('ends well with nothing left to do, and somebody is told', async () => {
      const before = await site.state();
      const progress = await site.update();
      expect(progress).toMatchObject({ outcome: 'succeeded', ending: 'Nothing to update' });
      expect(evidence(progress, 'Find updates')).toMatchObject({ outcome: 'nothing', changes: [], leftOut });
      expect(lastMessage()?.subject).toBe('Moodle site demo: nothing updated, 1 plugin left out');
      expect(await site.state()).toEqual(before);
      expect(await holds()).toEqual([]);
    });

    it('fails when the input names it', async () => {
      const progress = await site.update({ plugins: [HALFWAY] });
      expect(progress).toMatchObject({ outcome: 'nothing changed', failure: { error: 'ImageBuildFailed' } });
      expect(progress.failure?.cause).toContain('local_halfway: it needs local_sharedparts');
    });
  });

  it('is refused while a person holds the site', async () => {
    const change = async (action: string) => {
      const { executionArn = '' } = await site.rehearsal.stepFunctions.send(
        new StartExecutionCommand({
          stateMachineArn: site.account.output('HoldStateMachineArn'),
          input: JSON.stringify({ action, operator: 'ada', reason: 'exam week' }),
        }),
      );
      return site.follow(executionArn);
    };
    await change('hold');
    const progress = await site.update();
    expect(progress).toMatchObject({ outcome: 'refused', failure: { error: 'SiteHeld' } });
    await change('release');
    expect(await holds()).toEqual([]);
  });

  it('keeps the site held when it cannot be put back, until the command that it told takes it over', async () => {
    const mends = [deny(site, 'FindUpdates', 'ssm:GetParameters'), deny(site, 'PutBackUpdate', 'rds-data:*')];
    const progress = await site.update({ dryRun: true });
    for (const mend of mends) mend();
    expect(progress).toMatchObject({ outcome: 'failed', failure: { phase: 'Find updates' } });
    expect(await holds()).toEqual([{ execution: progress.executionArn }]);
    expect(lastMessage()?.subject).toBe('Moodle site demo: plugin update failed and was not put back');
    expect(lastMessage()?.message).toContain(progress.next?.command);
    const again = await site.follow(await tryAgain(site, progress.next?.command));
    expect(again.failure).toBeUndefined();
    expect(await holds()).toEqual([]);
  });
});

/** Of every row of Moodle's tables that nobody writes while no rollout and no cron is at work. */
async function checksums(site: Site): Promise<Record<string, string>> {
  const tables = await site.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = 'public' AND table_name LIKE 'mdl\\_%' ORDER BY table_name`,
  );
  const sums: Record<string, string> = {};
  const cron = ['mdl_sessions', 'mdl_task_scheduled'];
  for (const { name } of tables.filter((table) => !cron.includes(table.name) && !table.name.includes('stand_in'))) {
    const rows = await site.query(
      `SELECT * FROM ${name} WHERE ${name === 'mdl_config_plugins' ? "name <> 'lastcronstart'" : 'TRUE'} ORDER BY id`,
    );
    sums[name] = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
  }
  return sums;
}
