import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOnly, withTable } from '../plugins/harmless.ts';
import { evidenceOf, UpdateSite } from './update-site.ts';

describe('a site in use is updated', () => {
  let updated: UpdateSite;

  beforeAll(async () => {
    updated = await UpdateSite.open({ releases: [codeOnly(1), withTable(1)] });
  });
  afterAll(async () => {
    await updated?.close();
  });

  it('ends green in seconds when there is nothing to do', async () => {
    const before = await updated.site.state();

    const progress = await updated.update();

    expect(progress.failure).toBeUndefined();
    expect(progress.ending).toBe('Nothing to update');
    expect(secondsOf(progress)).toBeLessThan(20);
    expect(await updated.site.state()).toEqual(before);
    console.log(`nothing to do: ${secondsOf(progress)} s`);
  });

  it('says in a dry run what it would do, and changes nothing', async () => {
    const before = await updated.site.state();

    const progress = await updated.update({ add: [{ component: 'local_codeonly' }], dryRun: true });

    expect(progress.failure).toBeUndefined();
    expect(progress.ending).toBe('Plan made');
    expect(evidenceOf(progress, 'Find updates')).toMatchObject({
      changes: [{ component: 'local_codeonly', from: null }],
    });
    expect(await updated.site.state()).toEqual(before);
  });

  it('adds plugins', async () => {
    const progress = await updated.update({ add: [{ component: 'local_codeonly' }, { component: 'local_withtable' }] });
    expect(progress.failure).toBeUndefined();
  });
});

const secondsOf = ({ startedAt, endedAt }: { startedAt: Date | undefined; endedAt: Date | undefined }) =>
  ((endedAt?.getTime() ?? Number.NaN) - (startedAt?.getTime() ?? Number.NaN)) / 1000;
