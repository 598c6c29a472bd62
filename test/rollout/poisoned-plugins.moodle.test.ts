import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { type PluginRelease, releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { makeTable, pluginFiles, savepoint } from '../plugins/make-plugin.ts';
import { beforePoison, POISONED, type Poison, poisons } from '../plugins/poisoned.ts';
import { Browser } from './browser.ts';
import { alterForFailures, expectAtRest, followNext, pairOf, reportOf, setCron } from './update-failures.ts';
import { UpdateSite } from './update-site.ts';

/** What had to be put back. */
type WayBack = 'nothing' | 'rows' | 'database';

interface Stopped {
  readonly phase: string;
  readonly error: string;
  readonly wayBack: WayBack;
}

const inBuild: Stopped = { phase: 'Build image', error: 'ImageBuildFailed', wayBack: 'nothing' };
const beforeUpgrade: Stopped = { phase: 'Upgrade', error: 'UpgradeFailed', wayBack: 'nothing' };
const inUpgrade: Stopped = { phase: 'Upgrade', error: 'UpgradeFailed', wayBack: 'database' };
const onPages: Stopped = { phase: 'Upgrade', error: 'UpgradeFailed', wayBack: 'rows' };

/** At least one poison of each kind but the half upgrade, which has a test of its own, by the name that `test/plugins/poisoned.ts` gives it, and where its rollout ends. */
const kinds: readonly (readonly [poison: string, Stopped])[] = [
  ['wrong checksum', { phase: 'Find updates', error: 'PluginArchiveWrong', wayBack: 'nothing' }],
  ['path outside its folder', inBuild],
  ['syntax error', inBuild],
  ['missing dependency', inBuild],
  ['newer Moodle required', inBuild],
  ['version.php that throws on this PHP', inBuild],
  ['another version in the archive', inBuild],
  ['fatal in Moodle itself', beforeUpgrade],
  ['fatal on pages after the upgrade', onPages],
  ['exception in the upgrade', inUpgrade],
  ['table that is there already', inUpgrade],
  ['hang', inUpgrade],
  ['fatal on pages after an upgrade of tables', inUpgrade],
];

const wordsOfWayBack: Readonly<Record<WayBack, RegExp>> = {
  nothing: /Nothing of the site was changed\./,
  rows: /Put back: versions and settings of the plugins in the database; nodes with the image /,
  database: /Put back: the database as at \d{4}-\d\d-\d\dT[\d:.]+Z \(.*; nodes with the image .*; maintenance ended/s,
};

const named = (name: string): Poison => {
  const poison = poisons.find((one) => one.name === name);
  if (!poison) throw new Error(`There is no poison “${name}”.`);
  return poison;
};

/** What its author brings after a poisoned version: it does what that one should have done. */
const mended = (): PluginRelease => {
  const version = 2026010109;
  return releaseOf(
    pluginFiles({
      component: POISONED,
      version,
      tables: { [POISONED]: ['amount'], [`${POISONED}_two`]: [] },
      upgrade: [
        `if ($oldversion < ${version}) {`,
        makeTable(`${POISONED}_two`),
        `$DB->insert_record('${POISONED}', ['amount' => 4]);`,
        savepoint(POISONED, version),
        '}',
      ].join('\n'),
    }),
  );
};

describe('poisoned plugins', () => {
  let updateSite: UpdateSite;
  const users: Browser[] = [];
  const last = new Map<WayBack, Progress>();
  const measured: string[] = [];

  beforeAll(async () => {
    updateSite = await UpdateSite.open({ releases: [beforePoison], alter: alterForFailures, pace: 8 });
    const { site } = updateSite;
    expect((await updateSite.update({ add: [{ component: POISONED }] })).failure).toBeUndefined();
    await site.query(`INSERT INTO mdl_${POISONED} (amount) VALUES (1), (2), (3)`);
    for (const { username, password } of [...(await updateSite.addUsers(2)), site.administrator]) {
      const user = new Browser(site.address);
      expect(await user.signIn(username, password)).toBe(true);
      users.push(user);
    }
    await setCron(site, 0);
  });
  afterAll(async () => {
    console.log(measured.join('\n'));
    await updateSite?.close();
  });

  /** Only this version beside the one that is installed. */
  function offerOnly(release?: PluginRelease): void {
    updateSite.directory.withdraw(POISONED);
    updateSite.directory.offer(beforePoison);
    if (release) updateSite.directory.offer(release);
  }

  it.each(kinds)('%s: is stopped, and the pair is as before', async (name, stopped) => {
    const poison = named(name);
    offerOnly(poison.release);
    const before = await pairOf(updateSite.site);
    const began = Date.now();

    // By name: otherwise what cannot be built is left out.
    const progress = await updateSite.update({ plugins: [POISONED] });

    measured.push(
      `${name}: ${stopped.phase}, ${stopped.wayBack} put back, ${Math.round((Date.now() - began) / 1000)} s`,
    );
    await expectStopped(progress, poison, stopped);
    expect(await pairOf(updateSite.site)).toEqual(before);
  });

  it('half an upgrade: is stopped, and what users wrote between the snapshot and maintenance is kept', async () => {
    const { site } = updateSite;
    const poison = named('half an upgrade');
    offerOnly(poison.release);
    const executionArn = await site.startUpdate({ approval: true });
    await new Promise<void>((resolve) => {
      void site.follow(executionArn, ({ outcome }) => {
        if (outcome === 'asking') resolve();
      });
    });
    await site.query(
      `INSERT INTO mdl_user_preferences (userid, name, value)
       SELECT id, 'written_after_the_snapshot', 'kept' FROM mdl_user WHERE username = 'visitor1'`,
    );
    const before = await pairOf(site);

    await updateSite.decide(executionArn, true);

    await expectStopped(await site.follow(executionArn), poison, inUpgrade);
    const written = `SELECT value FROM mdl_user_preferences WHERE name = 'written_after_the_snapshot'`;
    expect(await site.query(written)).toEqual([{ value: 'kept' }]);
    expect(await pairOf(site)).toEqual(before);
  });

  async function expectStopped(
    progress: Progress,
    { words }: Poison,
    { phase, error, wayBack }: Stopped,
  ): Promise<void> {
    const { site } = updateSite;
    last.set(wayBack, progress);
    expect(progress.failure).toMatchObject({ phase, error });
    expect(progress.outcome).toBe(wayBack === 'nothing' ? 'nothing changed' : 'put back');
    const report = await reportOf(site, progress);
    expect(report).toContain(POISONED);
    expect(report).toMatch(error === 'PluginArchiveWrong' ? /has the MD5/ : words);
    expect(report).toMatch(wordsOfWayBack[wayBack]);
    expect(report).toMatch(/The site is released\.\nNext: once mended, npx lifecycle retry \S+/);
    if (phase === 'Upgrade') expect(report).toMatch(/Log: \S/);
    await expectAtRest(site, users);
  }

  it.each(['nothing', 'rows', 'database'] as const)(
    'after %s was put back, the next command ends well',
    async (wayBack) => {
      const failed = last.get(wayBack);
      if (!failed) throw new Error(`No poison had “${wayBack}” put back.`);
      offerOnly();

      expect(await followNext(updateSite.site, failed)).toContain('Nothing to update');

      await expectAtRest(updateSite.site, users);
    },
  );

  it('refuses older code on a newer database, and says so', async () => {
    const { site } = updateSite;
    offerOnly();
    const setVersion = (version: number) =>
      site.query(`UPDATE mdl_config_plugins SET value = $1 WHERE plugin = $2 AND name = 'version'`, [
        String(version),
        POISONED,
      ]);
    await setVersion(2099010100);
    const before = await pairOf(site);

    const { failure, outcome } = await updateSite.update();

    expect(outcome).toBe('refused');
    expect(failure).toMatchObject({ phase: 'Find updates', error: 'OlderThanDatabase' });
    expect(failure?.cause).toContain(`${POISONED} ${beforePoison.version}, the database has 2099010100`);
    expect(await pairOf(site)).toEqual(before);
    await setVersion(beforePoison.version);
    await expectAtRest(site, users);
  });

  it('leaves out an older version that is asked for by name, and changes nothing', async () => {
    const { site } = updateSite;
    const { release } = named('downgrade');
    offerOnly(release);
    const before = await pairOf(site);

    const progress = await updateSite.update({ add: [{ component: POISONED, version: release.version }] });

    expect(progress).toMatchObject({ status: 'succeeded', ending: 'Nothing to update' });
    const { evidence } = progress.phases.find(({ title }) => title === 'Find updates') ?? {};
    expect(evidence).toMatchObject({
      leftOut: [{ component: POISONED, why: expect.stringContaining('there already') }],
    });
    expect(await pairOf(site)).toEqual(before);
  });

  it('takes the mended version by the next command, with cron as it was', async () => {
    const { site } = updateSite;
    await setCron(site, 1);
    offerOnly(named('half an upgrade').release);
    const failed = await updateSite.update();
    expect(failed.failure).toMatchObject({ phase: 'Upgrade', error: 'UpgradeFailed' });
    expect(await setCronIsBack()).toBe(1);
    offerOnly(mended());

    expect(await followNext(site, failed)).toContain('Site updated');

    expect(await site.query(`SELECT amount FROM mdl_${POISONED} ORDER BY id`)).toEqual(
      [1, 2, 3, 4].map((amount) => ({ amount: expect.toSatisfy((value) => Number(value) === amount) })),
    );
    await expectAtRest(site, users);
  });

  async function setCronIsBack(): Promise<number | undefined> {
    return (await pairOf(updateSite.site)).cron.desiredCount;
  }
});
