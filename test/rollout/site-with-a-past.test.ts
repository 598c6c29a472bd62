import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { codeOnly } from '../plugins/harmless.ts';
import { runOneOff } from './one-off.ts';
import type { Site } from './site.ts';
import { openUpdatedSite, type UpdatedSite } from './stand-in-updates.ts';
import { dataFolder } from './update-failures.ts';

const CODE = 'local_codeonly';
const elsewhere = 'https://sso.example.edu/start';
const kept = ['in maintenance, by an administrator', `the login page leads to ${elsewhere}`];

/**
 * What administrators switch in Moodle, before an update and during one. The stand-in obeys these settings as Moodle's
 * login/index.php, index.php, require_login() and admin/cli/cron.php do (4.4 to 5.1); on a real Moodle the same runs there.
 */
describe('a site with a past', { timeout: 900_000 }, () => {
  let updated: UpdatedSite;
  let site: Site;

  beforeAll(async () => {
    updated = await openUpdatedSite([codeOnly(1)]);
    ({ site } = updated);
  }, 900_000);
  afterAll(() => updated?.close());

  const evidence = (progress: Progress, title: string) =>
    progress.phases.find((phase) => phase.title === title)?.evidence as Record<string, unknown> | undefined;
  /** As the pages of the administration do: the row, and the caches that hold it. */
  async function set(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) {
      await site.query('DELETE FROM mdl_config WHERE name = $1', [name]);
      await site.query('INSERT INTO mdl_config (name, value) VALUES ($1, $2)', [name, value]);
    }
    await runOneOff(site, ['purge-caches']);
  }
  const front = async () => (await site.visit('/')).status;

  it('is updated behind single sign-on, in an administrator’s maintenance and without cron, and keeps all three', async () => {
    await set({ alternateloginurl: elsewhere, maintenance_enabled: '1', cron_enabled: '0' });
    expect(await front()).toBe(503);

    const progress = await site.update({ add: [{ component: CODE }] });

    expect(progress.failure).toBeUndefined();
    expect(evidence(progress, 'Check the site')).toMatchObject({
      keeps: [...kept, 'cron is switched off by an administrator'],
    });
    expect(evidence(progress, 'Verify the site')).toMatchObject({
      kept,
      cron: 'switched off by an administrator',
      session: expect.stringMatching(/^one session on 1 nodes/),
    });
    expect(await front()).toBe(503);
    expect(
      await site.query(
        `SELECT value FROM mdl_config WHERE name IN ('maintenance_enabled', 'cron_enabled') ORDER BY name`,
      ),
    ).toEqual([{ value: '0' }, { value: '1' }]);
    expect(await site.query(`SELECT 1 FROM mdl_user WHERE username = 'moodle-lifecycle'`)).toEqual([]);
  });

  it('gets one node more by an install, with all three: a node does not refuse to serve for what its pages answer', async () => {
    const progress = await site.install({ nodes: 2 });

    expect(progress.failure).toBeUndefined();
    expect(evidence(progress, 'Verify the site')).toMatchObject({
      kept,
      session: expect.stringMatching(/^one session on 2 nodes/),
    });
    expect(await front()).toBe(503);
    await set({ maintenance_enabled: '0', cron_enabled: '1' });
  });

  it('takes maintenance that begins during an update for what it is, and leaves it on', async () => {
    updated.directory.offer(codeOnly(2));
    const executionArn = await site.startUpdate({});
    let switched: Promise<void> | undefined;

    const progress = await site.follow(executionArn, ({ phases }) => {
      const rolling = phases.find(({ title }) => title === 'Roll nodes');
      if (rolling?.status === 'running' || rolling?.status === 'succeeded')
        switched ??= set({ maintenance_enabled: '1' });
    });
    await switched;

    expect(switched).toBeDefined();
    expect(progress.failure).toBeUndefined();
    expect(await front()).toBe(503);
    await set({ maintenance_enabled: '0' });
  });

  it('is left alone in command-line maintenance, in which nothing could be proved afterwards', async () => {
    const page = join(dataFolder(site), 'climaintenance.html');
    writeFileSync(page, '<p>Back at eight.</p>');
    const before = await site.state();

    const progress = await site.update();

    expect(progress.outcome).toBe('refused');
    expect(progress.failure).toMatchObject({
      phase: 'Check the site',
      error: 'SiteNotVerifiable',
      cause: expect.stringContaining('Nothing was changed. End it'),
    });
    expect(await site.state()).toEqual(before);
    expect(existsSync(page)).toBe(true);
    rmSync(page);
  });
});
