import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { killServer, spoil } from './faults.ts';
import { Site } from './site.ts';

/** What the way back says in the end, and the notification too. */
function told(progress: Progress): string {
  return String((progress.wayBack[0]?.evidence as { cause?: string } | undefined)?.cause);
}

describe('a password that the cache does not accept', () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it.each([
    { secret: 'StoresApplication', phase: 'Configure cache stores', error: 'CacheStoreUnreachable' },
    { secret: 'StoresSession', phase: 'Enable session caching', error: 'SessionStoreUnreachable' },
  ])('of the $secret ends in $error before anything moves', async ({ secret, phase, error }) => {
    const mend = spoil(site, secret);
    const progress = await site.install({ nodes: 2 });
    mend();
    expect(progress.failure?.error).toBe(error);
    expect(told(progress)).toContain(`“${phase}” failed`);
    expect(told(progress)).toMatch(/start-execution/);
    expect(JSON.stringify(progress)).not.toContain('another-password');
    expect(await site.query('SELECT * FROM moodle_lifecycle.rollout_hold')).toEqual([]);
    expect(await site.query('SELECT * FROM moodle_lifecycle.session_migration WHERE closed_at IS NULL')).toEqual([]);
  });

  it('is forgotten once mended', async () => {
    const progress = await site.install({ nodes: 2 });
    expect(progress.failure).toBeUndefined();
  });
});

describe('a database that is not what it should be', () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it('with somebody’s Moodle, half there and not ours, is refused and left as it is', async () => {
    await site.query('CREATE TABLE mdl_config (id int, name text, value text)');
    await site.query("INSERT INTO mdl_config VALUES (1, 'version', '2023112400')");
    const progress = await site.install();
    expect(progress.failure?.error).toBe('UnfinishedInstall');
    expect(await site.query('SELECT value FROM mdl_config')).toEqual([{ value: '2023112400' }]);
    await site.query('DROP TABLE mdl_config');
  });

  it('that refuses the password ends in a named error, without the password', async () => {
    const mend = spoil(site, `"engine":"${site.database.fields.engine}"`, (text) =>
      JSON.stringify({ ...JSON.parse(text), password: 'wrong-password' }),
    );
    const progress = await site.install();
    mend();
    expect(progress.failure?.error).toBe('DatabaseLoginRefused');
    expect(progress.failure?.cause).not.toContain('wrong-password');
    expect(told(progress)).toMatch(/Next:/);
  });

  it('that does not answer ends in a named error, and a next step', async () => {
    killServer(site, site.database.isPostgres ? 'postgres' : 'mariadbd');
    const progress = await site.install();
    expect(progress.failure?.error).toBe('DatabaseUnreachable');
    expect(progress.failure?.cause).toMatch(/security group/);
  });
});
