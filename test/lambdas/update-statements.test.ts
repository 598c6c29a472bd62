import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp } from '../../lambdas/clean-up.ts';
import { putBackUpdate } from '../../lambdas/put-back-update.ts';
import { rollNodes } from '../../lambdas/roll-nodes.ts';
import { readHold } from '../../lambdas/shared/hold.ts';
import { fingerprintSchema } from '../../lambdas/shared/schema-fingerprint.ts';
import { readOpenRun } from '../../lambdas/shared/update-run.ts';
import { takeSnapshot } from '../../lambdas/take-snapshot.ts';
import { upgradeSite } from '../../lambdas/upgrade-site.ts';
import { kinds, LifecycleServer } from '../support/lifecycle-database.ts';
import { untilDone } from './bench.ts';
import { first, plan, second, UpdatingSite } from './updating-site.ts';

// What the phases decide is tested on one kind of database; here, that their statements run on each.
describe.each(kinds)('the statements of an update, on %s', (kind) => {
  let server: LifecycleServer;
  let site: UpdatingSite;
  beforeAll(async () => {
    server = await LifecycleServer.start(kind);
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    site = await UpdatingSite.make(await server.database());
  });

  const settings = ['mod_x colour red', 'mod_x version 2025010100', 'mod_y version 2025050500'];
  async function upgraded() {
    await site.check();
    await untilDone(site, () => takeSnapshot(site.clients, { ...first, plan }));
    return untilDone(site, () => upgradeSite(site.clients, { ...first, plan }));
  }
  const putBack = (rollout = first, state: object = {}, unfinished = false) =>
    untilDone(site, () =>
      putBackUpdate(site.clients, { ...rollout, rollout: { checked: {}, found: plan, ...state }, unfinished }),
    );

  it('bring an update to its end', async () => {
    site.maintenanceRequired = true;
    await upgraded();
    await untilDone(site, () => rollNodes(site.clients, { ...first, plan }));
    await cleanUp(site.clients, { ...first, plan });
    expect(await site.settingsOfPlugins()).toContain('mod_x version 2026010100');
    expect(await readOpenRun(site.database, 'campus')).toBeUndefined();
    expect(await readHold(site.database, 'campus')).toMatchObject({ execution: first.execution });
  });

  it('give rows back', async () => {
    await upgraded();
    await site.post('since');
    await putBack();
    expect([await site.settingsOfPlugins(), await site.posts()]).toEqual([settings, ['since']]);
  });

  it('take an update over, and go on in the restored database', async () => {
    Object.assign(site, { maintenanceRequired: true, changesSchema: true, upgradeFails: 'mod_x failed' });
    await expect(upgraded()).rejects.toThrow();
    site.stopped(first);
    await putBack(second, { checked: await site.check(second) }, true);
    expect(await site.settingsOfPlugins()).toEqual(settings);
    expect(await readHold(site.database, 'campus')).toMatchObject({ execution: second.execution });
    expect(await readOpenRun(site.database, 'campus')).toBeUndefined();
  });

  it('tells a schema that changed from one that did not', async () => {
    const { database } = site;
    const fingerprint = () => fingerprintSchema(database, 'mdl_');
    const before = await fingerprint();
    await site.post('a row');
    await database.execute('CREATE TABLE other_table (id bigint)');
    expect(await fingerprint()).toBe(before);
    const seen = new Set([before]);
    for (const statement of [
      'ALTER TABLE mdl_x ADD COLUMN colour varchar(10)',
      'CREATE INDEX mdl_x_id ON mdl_x (id)',
      'ALTER TABLE mdl_x ADD COLUMN size int DEFAULT 3 NOT NULL',
      'CREATE TABLE mdl_zoo (id bigint)',
      'DROP TABLE mdl_zoo',
    ]) {
      await database.execute(statement);
      seen.add(await fingerprint());
    }
    expect(seen.size).toBe(5);
    await database.execute('DROP TABLE other_table');
  });
});
