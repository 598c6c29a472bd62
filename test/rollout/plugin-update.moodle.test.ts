import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { imageFolder } from '../../rehearsal/machines/container.ts';
import { readVersionFile } from '../../rehearsal/moodle/version-file.ts';
import { coreReleaseOf } from '../../rehearsal/plugin-directory/core-release.ts';
import { codeOnly, withTable } from '../plugins/harmless.ts';
import type { Alteration } from '../support/assembly.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';
import { evidenceOf, givenMoodle, UpdateSite } from './update-site.ts';
import { upgradeByHand } from './upgrade-by-hand.ts';
import { type LoadReport, Visitors } from './visitors.ts';

const CODE = 'local_codeonly';
const SCHEMA = 'local_withtable';

/** One site after the other update; each test goes on from where the one before it left the site. */
describe('a site with signed-in users under a steady load', () => {
  const folder = mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'newer-'));
  const newer = newerMoodle(folder);
  const measured: Record<string, string | number>[] = [];
  let updated: UpdateSite;
  let visitors: Visitors;

  beforeAll(async () => {
    updated = await UpdateSite.open({
      releases: [codeOnly(1), withTable(1)],
      otherReleases: new Map([[newer.number, newer.directory]]),
    });
    visitors = await Visitors.signIn(updated.site.address, await updated.addUsers(4));
  });
  afterAll(async () => {
    await updated?.close();
    rmSync(folder, { recursive: true, force: true });
    const { version } = givenMoodle();
    console.table(measured.map((row) => ({ moodle: version, ...row })));
  });

  /** An update under load, in which nobody may be logged out. */
  async function underLoad(
    title: string,
    work: () => Promise<Progress>,
  ): Promise<{ progress: Progress; load: LoadReport }> {
    const { result: progress, load } = await visitors.during(work);
    const { maintenanceSeconds, upgradeSeconds } = evidenceOf(progress, 'Upgrade') ?? {};
    note(title, load, { rollout: secondsOf(progress), maintenance: maintenanceSeconds, upgrade: upgradeSeconds });
    expect(progress.failure).toBeUndefined();
    expect(load.requests).toBeGreaterThan(20);
    expect(load.loggedOut).toBe(0);
    return { progress, load };
  }

  function note(title: string, load: Partial<LoadReport>, seconds: Record<string, number | undefined>): void {
    const { requests = '', failed = '', loggedOut = '', slowestSeconds = '', outageSeconds = '' } = load;
    const { rollout = '', maintenance = '', upgrade = '' } = seconds;
    const row = { what: title, rollout, maintenance, upgrade, requests, failed, loggedOut };
    measured.push({ ...row, slowest: slowestSeconds, outage: outageSeconds });
  }

  it('ends green when there is nothing to do, before anything is built', async () => {
    const before = await updated.whatUpdatesChange();

    const progress = await updated.update();

    expect(progress.failure).toBeUndefined();
    expect(progress.ending).toBe('Nothing to update');
    expect(evidenceOf(progress, 'Build image')).toBeUndefined();
    expect(await updated.whatUpdatesChange()).toEqual(before);
    note('nothing to do', {}, { rollout: secondsOf(progress) });
  });

  it('says in a dry run what it would do, and changes nothing', async () => {
    const before = await updated.whatUpdatesChange();

    const progress = await updated.update({ add: [{ component: CODE }], dryRun: true });

    expect(progress.failure).toBeUndefined();
    expect(progress.ending).toBe('Plan made');
    expect(evidenceOf(progress, 'Find updates')).toMatchObject({
      outcome: 'plan',
      summary: `${CODE} 2026010101 (release of 2026010101) added`,
      changes: [{ component: CODE, from: null, to: 2026010101 }],
    });
    expect(evidenceOf(progress, 'Build image')).toBeUndefined();
    expect(await updated.whatUpdatesChange()).toEqual(before);
    note('dry run', {}, { rollout: secondsOf(progress) });
  });

  it('gets plugins', async () => {
    const { progress } = await underLoad('plugins added', () =>
      updated.update({ add: [{ component: CODE }, { component: SCHEMA }] }),
    );

    expect(evidenceOf(progress, 'Upgrade').plugins).toEqual([`${CODE} new → 2026010101`, `${SCHEMA} new → 2026010101`]);
    expect(await updated.tables('local_')).toEqual([`mdl_${CODE}`, `mdl_${SCHEMA}`]);
    await updated.site.query(`INSERT INTO mdl_${CODE} (amount) VALUES (7)`);
  });

  it('sees no failed request when a plugin changes its code alone', async () => {
    updated.directory.offer(codeOnly(2));

    const { progress, load } = await underLoad('code alone', () => updated.update());

    expect(evidenceOf(progress, 'Upgrade')).toMatchObject({
      maintenanceSeconds: 0,
      plugins: [`${CODE} 2026010101 → 2026010102`],
    });
    expect(load.failed).toBe(0);
  });

  it('is closed for Moodle’s own upgrade; what is added to it, and by the usual way, is measured', async () => {
    updated.directory.offer(withTable(2));

    const { progress, load } = await underLoad('tables', () => updated.update());

    const { maintenanceSeconds, upgradeSeconds, plugins } = evidenceOf(progress, 'Upgrade');
    expect(plugins).toEqual([`${SCHEMA} 2026010101 → 2026010102`]);
    expect(maintenanceSeconds).toBeGreaterThan(0);
    expect(maintenanceSeconds).toBeGreaterThanOrEqual(upgradeSeconds);
    expect(await updated.tables('local_withtable')).toHaveLength(2);

    const byHand = await visitors.during(() => upgradeByHand(updated, withTable(3)));

    expect(await updated.tables('local_withtable')).toHaveLength(3);
    note('tables, the usual way', byHand.load, { upgrade: byHand.result });
    note(`ratio of the two outages: ${(load.outageSeconds / byHand.load.outageSeconds).toFixed(2)}`, {}, {});
    // Moodle's own upgrade takes another time in each, as long as the machine has other work. On an idle one what is beside
    // it compares; here nothing is concluded from it.
    const beside = load.outageSeconds - upgradeSeconds;
    const besideByHand = byHand.load.outageSeconds - byHand.result;
    note(`beside Moodle’s upgrade: ${beside.toFixed(1)} s, the usual way ${besideByHand.toFixed(1)} s`, {}, {});
  });

  it('keeps the data of a plugin that is removed', async () => {
    const { progress } = await underLoad('plugin removed', () => updated.update({ remove: [CODE] }));

    const { image } = evidenceOf(progress, 'Roll nodes');
    expect(existsSync(join(served(imageFolder(updated.site.account.world, image).code), 'local/codeonly'))).toBe(false);
    expect(await updated.site.query(`SELECT amount FROM mdl_${CODE}`)).toHaveLength(1);
    expect(await versionInDatabase(CODE)).toBe('2026010102');
  });

  it('loses the data of a plugin only by its name, and gets back what was kept', async () => {
    await underLoad('plugin removed with its data', () =>
      updated.update({ add: [{ component: CODE }], remove: [SCHEMA], deleteData: [SCHEMA] }),
    );

    expect(await updated.tables('local_')).toEqual([`mdl_${CODE}`]);
    expect(await versionInDatabase(SCHEMA)).toBeUndefined();
    expect(await updated.site.query(`SELECT amount FROM mdl_${CODE}`)).toHaveLength(1);
    expect(await versionInDatabase(CODE)).toBe('2026010102');
  });

  it('gets a newer Moodle of its branch', async () => {
    updated.directory.offerCore(coreReleaseOf(newer.directory));

    const { progress } = await underLoad('Moodle itself', () => updated.update({ what: ['core'] }));

    expect(evidenceOf(progress, 'Find updates').changes).toMatchObject([
      { component: 'core', from: givenMoodle().version, to: newer.number, risk: 'core' },
    ]);
    expect(await updated.site.query(`SELECT value FROM mdl_config WHERE name = 'release'`)).toEqual([
      { value: newer.release },
    ]);
    // Moodle asks for maintenance where something under db/ changed; the number of the release alone changed here.
    expect(evidenceOf(progress, 'Upgrade')).toMatchObject({ maintenanceSeconds: 0 });
  });

  it('stays as it is when a person refuses', async () => {
    const before = await updated.whatUpdatesChange();

    const { failure, outcome } = await updated.updateWithDecision({ remove: [CODE] }, false);

    expect(outcome).toBe('refused');
    expect(failure).toMatchObject({ phase: 'Wait for approval', error: 'ApprovalRefused' });
    expect(failure?.cause).toMatch(/Refused by ada: after breakfast/);
    expect(await updated.whatUpdatesChange()).toEqual(before);
  });

  it('gets the image of a later deploy once a person approves, and keeps its newer Moodle', async () => {
    await updated.deployAgain({ alter: otherImage });

    const { progress } = await underLoad('image', () => updated.updateWithDecision({ what: ['image'] }, true));

    expect(evidenceOf(progress, 'Wait for approval')).toMatchObject({ by: 'ada' });
    expect(evidenceOf(progress, 'Find updates')).toMatchObject({
      changes: [{ component: 'image' }],
      leftOut: [{ component: 'core' }],
    });
    const { image } = evidenceOf(progress, 'Roll nodes');
    const { node, code } = imageFolder(updated.site.account.world, image);
    expect(readFileSync(join(node, 'php.ini'), 'utf8')).toContain('; changed');
    expect(readVersionFile(code).release).toBe(newer.release);
    expect(existsSync(join(served(code), 'local/codeonly/version.php'))).toBe(true);
  });

  it('stays as it is when nobody answers in time', async () => {
    await updated.deployAgain({ alter: otherImage, pace: 60 });
    const before = await updated.whatUpdatesChange();

    const { failure, outcome } = await updated.update({ remove: [CODE], approval: true, approvalHours: 1 });

    expect(outcome).toBe('nothing changed');
    expect(failure).toMatchObject({ phase: 'Wait for approval', error: 'ApprovalExpired' });
    expect(failure?.cause).toContain('Nobody approved or refused within 1 hour.');
    expect(await updated.whatUpdatesChange()).toEqual(before);
  });

  const versionInDatabase = async (component: string): Promise<string | undefined> => {
    const [row] = await updated.site.query<{ value: string }>(
      `SELECT value FROM mdl_config_plugins WHERE plugin = $1 AND name = 'version'`,
      [component],
    );
    return row?.value;
  };
});

/** Where plugins lie: from 5.1 on below public/. */
function served(code: string): string {
  return existsSync(join(code, 'public/version.php')) ? join(code, 'public') : code;
}

function secondsOf({ startedAt, endedAt }: Progress): number {
  return Math.round(((endedAt?.getTime() ?? Number.NaN) - (startedAt?.getTime() ?? Number.NaN)) / 100) / 10;
}

/** The given Moodle as if its next release had come out. */
function newerMoodle(folder: string): {
  readonly directory: string;
  readonly number: string;
  readonly release: string;
} {
  const { directory: given, version } = givenMoodle();
  const directory = join(folder, 'moodle');
  execFileSync('cp', ['--archive', '--reflink=auto', given, directory]);
  const file = [join(directory, 'public', 'version.php'), join(directory, 'version.php')].find(existsSync) ?? '';
  const [major, minor, patch = '0'] = version.split('.');
  const number = `${major}.${minor}.${Number(patch) + 1}`;
  const release = `${number} (Build: 20270101)`;
  const raised = (Number(readVersionFile(given).version) + 0.01).toFixed(2);
  const text = readFileSync(file, 'utf8')
    .replace(/^(\$version\s*=\s*)[\d.]+/m, `$1${raised}`)
    .replace(/^(\$release\s*=\s*)'[^']+'/m, `$1'${release}'`);
  writeFileSync(file, text);
  return { directory, number, release };
}

/** A deploy after something in `image/` was changed. */
const otherImage: Alteration = (_, { Type, Properties }, folder) => {
  const variables = Type === 'AWS::Lambda::Function' ? Properties.Environment?.Variables : undefined;
  if (variables?.IMAGE_TAG) variables.IMAGE_TAG = variables.IMAGE_TAG.replace(/.{4}$/, 'beef');
  if (Type !== 'AWS::CodeBuild::Project') return;
  for (const asset of readdirSync(folder)) {
    const file = join(folder, asset, 'php.ini');
    if (existsSync(file)) appendFileSync(file, '\n; changed\n');
  }
};
