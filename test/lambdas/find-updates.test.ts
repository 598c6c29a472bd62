import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FindUpdatesInput, findUpdates } from '../../lambdas/find-updates.ts';
import { canonicalManifest, type PinnedPlugin } from '../../lambdas/shared/manifest.ts';
import { PluginDirectory } from '../../lambdas/shared/plugin-directory.ts';
import { readPluginUpdateInput } from '../../lambdas/shared/plugin-update-input.ts';
import type { UpdatePlan } from '../../lambdas/shared/update-plan.ts';
import { openRun, readOpenRun, setStage } from '../../lambdas/shared/update-run.ts';
import { LifecycleServer } from '../support/lifecycle-database.ts';
import { DirectoryServer } from './directory-server.ts';
import { first, plan, UpdatingSite } from './updating-site.ts';

/** Step Functions takes no more as the state of an execution. */
const stateBytes = 262_144;
/** The Data API answers no row of more. */
const rowBytes = 65_536;

describe('Find updates', () => {
  let server: LifecycleServer;
  let directory: DirectoryServer;
  let site: UpdatingSite;
  beforeAll(async () => {
    server = await LifecycleServer.start();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    directory = await DirectoryServer.start();
    site = await UpdatingSite.make(await server.database());
    await site.check();
    site.calls.length = 0;
  });
  afterEach(() => directory.close());

  const find = (input: object = {}, unfinished = 'none', more: Partial<FindUpdatesInput> = {}): Promise<UpdatePlan> =>
    findUpdates(
      { ...site.clients, directory: new PluginDirectory(`${directory.url}/api/1.3`) },
      { ...first, request: readPluginUpdateInput(input), unfinished, ...more },
    );
  const digest = (algorithm: string, content: string) => createHash(algorithm).update(content).digest('hex');
  /** The directory offers this version of each. */
  function offer(components: readonly string[], version = 2026010100) {
    const versions = components.map((component) => {
      directory.answers.set(`/${component}.zip`, component);
      const download = `${directory.url}/${component}.zip`;
      return [component, [{ version, release: '1.2', maturity: 200, download, downloadmd5: digest('md5', component) }]];
    });
    directory.answers.set('/api/1.3/updates.php', {
      status: 'OK',
      forbranch: '5.1',
      updates: Object.fromEntries(versions),
    });
  }

  it('plans an image with the archives pinned, under a tag of its content, and changes nothing', async () => {
    offer(['mod_x']);
    const found = await find();
    const sha256 = digest('sha256', 'mod_x');
    expect(found).toMatchObject({
      outcome: 'update',
      summary: 'mod_x 2025010100 → 2026010100 (1.2)',
      fromImage: 'content-1',
      image: expect.stringMatching(/^content-1-[0-9a-f]{12}$/),
      manifest: { plugins: [{ component: 'mod_x', version: 2026010100, release: '1.2', sha256 }] },
      filesChange: false,
      approval: false,
      approvalSeconds: 86_400,
    });
    expect((await find()).image).toBe(found.image);
    expect(directory.asked[0]?.form.get('plugins')).toBe('mod_x@2025010100');
    expect(site.calls.filter((name) => !/^Get/.test(name))).toEqual([]);
    expect(await readOpenRun(site.database, 'campus')).toBeUndefined();
  });

  it('of a dry run reads no archive, and names the image that stays', async () => {
    offer(['mod_x']);
    const found = await find({ dryRun: true });
    expect(found).toMatchObject({ outcome: 'plan', image: 'content-1', changes: [{ component: 'mod_x' }] });
    expect(canonicalManifest(found.manifest)).toBe(site.objects.get('manifests/content-1.json'));
    expect(directory.asked.map(({ path }) => path)).toEqual(['/api/1.3/updates.php']);
  });

  it('finds nothing to do, and says what was left out', async () => {
    offer(['mod_x'], 2025010100);
    expect(await find()).toMatchObject({ outcome: 'nothing', image: 'content-1', summary: 'nothing to update' });
    offer(['mod_x']);
    const found = await find({ maximumRisk: 'patch' });
    expect(found.outcome).toBe('nothing');
    expect(found.summary).toMatch(/^nothing to update\. left out: mod_x \(2026010100 is of the risk minor/);
  });

  describe('of several plugins one of which cannot come', () => {
    beforeEach(() => {
      const plugins = ['mod_xx', 'mod_yy'].map(
        (component) => ({ ...plan.manifest.plugins[0], component }) as PinnedPlugin,
      );
      const old = plugins.map((plugin) => ({ ...plugin, version: 2025010100 }));
      site.objects.set('manifests/content-1.json', canonicalManifest({ ...plan.manifest, plugins: old }));
      offer(['mod_xx', 'mod_yy']);
    });
    const versions = ({ manifest }: UpdatePlan) =>
      manifest.plugins.map(({ component, version }) => `${component} ${version}`).sort();

    it.each<[string, string | number, RegExp]>([
      ['is not what the directory says', 'another', /^2026010100: the archive \S+ has the MD5/],
      ['is gone', 404, /^2026010100: \S+ answered 404: it is not there \(any more\)$/],
    ])('leaves it out where its archive %s, and says so', async (_, answer, why) => {
      directory.answers.set('/mod_xx.zip', answer);
      const found = await find();
      expect(found).toMatchObject({
        outcome: 'update',
        stopped: true,
        headline: 'updated, 1 plugin left out',
        summary: expect.stringMatching(/^mod_yy 2025010100 → 2026010100 \(1\.2\)\. left out: mod_xx \(2026010100: /),
        changes: [{ component: 'mod_yy' }],
        leftOut: [{ component: 'mod_xx', why: expect.stringMatching(why), stoppedBy: 'archive' }],
      });
      expect(versions(found)).toEqual(['mod_xx 2025010100', 'mod_yy 2026010100']);
      await expect(find({ plugins: ['mod_xx'] })).rejects.toMatchObject({ name: 'PluginArchiveWrong' });
    });

    it('waits for the place of an archive that does not answer, and then leaves it out', async () => {
      directory.answers.set('/mod_xx.zip', 503);
      const waits = { name: 'PluginDirectoryNotAnswering' };
      await expect(find()).rejects.toMatchObject(waits);
      await expect(find({}, 'none', { retries: 11 })).rejects.toMatchObject(waits);
      const found = await find({}, 'none', { retries: 12 });
      expect(versions(found)).toEqual(['mod_xx 2025010100', 'mod_yy 2026010100']);
      expect(found.leftOut[0]?.why).toMatch(/answered 503$/);
      await expect(find({ plugins: ['mod_xx'] }, 'none', { retries: 12 })).rejects.toMatchObject(waits);
    });

    it('leaves out what a build has refused; with nothing else to do it ends well, and names it', async () => {
      const refused = (component: string) => ({ component, why: '2026010100: no', stoppedBy: 'build' as const });
      expect(versions(await find({}, 'none', { leftOut: [refused('mod_xx')] }))).toEqual([
        'mod_xx 2025010100',
        'mod_yy 2026010100',
      ]);
      const all = await find({}, 'none', { leftOut: [refused('mod_xx'), refused('mod_yy')] });
      expect(all).toMatchObject({
        outcome: 'nothing',
        image: 'content-1',
        stopped: true,
        headline: 'nothing updated, 2 plugins left out',
        summary: 'nothing to update. left out: mod_xx (2026010100: no); mod_yy (2026010100: no)',
      });
    });
  });

  it('says what a person can read, and how many more there are', async () => {
    offer([]);
    const leftOut = Array.from({ length: 400 }, (_, index) => ({ component: `mod_no${index}`, why: 'x'.repeat(200) }));
    const found = await find({}, 'none', { leftOut });
    expect(found.summary).toMatch(/^nothing to update\. left out: mod_no0 \(x+\).*; and 39\d more$/);
    expect(found.summary.length).toBeLessThan(1_200);
    await openRun(site.clients.database, first, found);
    expect((await readOpenRun(site.database, 'campus'))?.plan.leftOut).toHaveLength(50);
  });

  it('deletes data only of plugins that the database has, and then files change too', async () => {
    site.objects.set(
      'manifests/content-1.json',
      canonicalManifest({
        ...plan.manifest,
        plugins: ['mod_xx', 'mod_yy'].map((component) => ({ ...plan.manifest.plugins[0], component }) as never),
      }),
    );
    await site.database.execute(`INSERT INTO mdl_config_plugins VALUES ('mod_xx', 'version', '2026010100')`);
    offer([]);
    const found = await find({ remove: ['mod_xx', 'mod_yy'], deleteData: ['mod_xx', 'mod_yy'] });
    expect(found).toMatchObject({
      outcome: 'update',
      deleteData: ['mod_xx'],
      filesChange: true,
      manifest: { plugins: [] },
    });
    expect(found.summary).toMatch(/data of mod_xx, mod_yy deleted/);
  });

  it('refuses to lose the plugins of an image whose manifest is gone', async () => {
    site.parameters.set('image-tag', plan.image);
    site.objects.delete(`manifests/${plan.image}.json`);
    offer([]);
    await expect(find()).rejects.toMatchObject({
      name: 'UpdateNotPossible',
      message: expect.stringMatching(
        /manifests\/content-1-0123456789ab\.json is not in manifests.*Nothing was changed/,
      ),
    });
    site.parameters.set('image-tag', '5.0-0123456789abcdef');
    expect((await find({ dryRun: true })).manifest).toEqual({ moodle: { version: '5.0', sha256: null }, plugins: [] });
  });

  it('writes nothing for an execution that does not hold the site', async () => {
    await site.database.execute(`UPDATE moodle_lifecycle.rollout_hold SET execution = 'another'`);
    await expect(find()).rejects.toMatchObject({ name: 'HoldLost' });
  });

  it('goes on with the update that was left upgraded, without asking anybody', async () => {
    await openRun(site.clients.database, first, { ...plan, approval: true });
    await setStage(site.clients.database, first, 'upgraded');
    const found = await find({ what: ['core'] }, 'finish');
    expect(found).toEqual({ ...plan, outcome: 'finish', summary: `finished: ${plan.summary}` });
    expect(directory.asked).toEqual([]);
    // As an earlier deploy of this project began it.
    const { headline: _, stopped: __, ...before } = plan;
    await site.database.execute('UPDATE moodle_lifecycle.update_run SET plan = :plan::jsonb', {
      plan: JSON.stringify(before),
    });
    expect(await find({}, 'finish')).toMatchObject({ headline: 'updated', stopped: false });
  });

  it('fits 400 plugins, all of them updated, into the state of an execution and a row of the Data API', async () => {
    const names = Array.from({ length: 400 }, (_, index) => `availability_a_rather_long_name_${index}`);
    const plugins = names.map((component) => ({
      component,
      version: 2025010100,
      release: 'v4.5.6 (Build: 2025010100)',
      url: `https://moodle.org/plugins/download.php/12345/${component}_moodle45_2025010100.zip`,
      sha256: 'f'.repeat(64),
    }));
    site.objects.set('manifests/content-1.json', canonicalManifest({ ...plan.manifest, plugins }));
    offer(names);
    const found = await find();
    expect(found.changes).toHaveLength(400);
    const size = JSON.stringify(found).length;
    expect(size).toBeGreaterThan(100_000);
    // What the later phases add is small, but their figures about each plugin.
    expect(size).toBeLessThan(stateBytes * 0.7);
    await openRun(site.clients.database, first, found);
    const [row] = await site.database.query('SELECT plan FROM moodle_lifecycle.update_run');
    expect(String(row?.plan).length).toBeLessThan(rowBytes);
    expect((await readOpenRun(site.database, 'campus'))?.plan.changes).toHaveLength(400);
  });
});
