import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowed, expectedInstallSeconds } from '../../lambdas/check-site.ts';
import type { MoodleDatabase, SqlParameters } from '../../lambdas/shared/moodle-database.ts';
import { firstSiteAdmin, readSiteState, type SiteState } from '../../lambdas/shared/site-state.ts';
import { kinds, LifecycleServer } from '../support/lifecycle-database.ts';
import { type MarkerRows, type MoodleRows, makeMoodleTables, setMarker } from './moodle-tables.ts';

const later = String(Math.floor(Date.now() / 1000) + 120);
const earlier = String(Math.floor(Date.now() / 1000) - 120);

describe.each(kinds)('on %s', (kind) => {
  let server: LifecycleServer;
  beforeAll(async () => {
    server = await LifecycleServer.start(kind);
  });
  afterAll(() => server.close());

  async function stateOf(rows?: MoodleRows, marker?: MarkerRows): Promise<SiteState> {
    const database = await server.database();
    if (rows) await makeMoodleTables(database, rows);
    if (marker) await setMarker(database, marker);
    return readSiteState(database, 'campus', 'mdl_');
  }

  describe('readSiteState', () => {
    it('says absent of a database without tables, also when a marker allows an install', async () => {
      expect(await stateOf()).toMatchObject({ name: 'absent', tables: 0, marker: undefined });
      expect(await stateOf(undefined, {})).toMatchObject({ name: 'absent', marker: { started: false } });
    });

    it('does not take tables of others for Moodle’s', async () => {
      const database = await server.database();
      await database.execute('CREATE TABLE mdlxconfig (name text)');
      await database.execute('CREATE TABLE other (name text)');
      expect(await readSiteState(database, 'campus', 'mdl_')).toMatchObject({ name: 'absent' });
    });

    it('says installed only when every sign agrees', async () => {
      expect(await stateOf({})).toMatchObject({ name: 'installed', release: '5.1 (Build: 20251006)', tables: 3 });
      expect(await stateOf({}, { started: true, finished: true })).toMatchObject({ name: 'installed' });
      expect(await stateOf({ config: { upgraderunning: earlier } })).toMatchObject({ name: 'installed' });
    });

    it.each<[string, MoodleRows, MarkerRows | undefined, Partial<SiteState>]>([
      ['roles not made', { config: { rolesactive: '0' } }, { started: true }, { name: 'unfinished', ours: true }],
      ['roles not made, no marker', { config: { rolesactive: '0' } }, undefined, { name: 'unfinished', ours: false }],
      [
        'roles not made, marker of an install that ended',
        { config: { rolesactive: null } },
        { started: true, finished: true },
        { name: 'unfinished', ours: false },
      ],
      [
        'the last ten seconds, when pages work already',
        { config: { upgraderunning: later } },
        { started: true },
        { name: 'unfinished', ours: true },
      ],
      ['all signs but the marker’s end', {}, { started: true }, { name: 'unfinished', ours: true }],
      ['a marker of another site', {}, { started: true, site: 'other' }, { name: 'installed' }],
      ['an upgrade', { config: { upgraderunning: later } }, undefined, { name: 'unknown' }],
      ['no version', { config: { version: null } }, undefined, { name: 'unknown' }],
      ['no hash of versions', { config: { allversionshash: null } }, undefined, { name: 'unknown' }],
      ['no administrator', { config: { siteadmins: '' } }, undefined, { name: 'unknown' }],
      [
        'a wizard not completed',
        { config: { adminsetuppending: '1' }, adminPassword: 'adminsetuppending' },
        { started: true, finished: true, finish: 'browser' },
        { name: 'pending-administrator' },
      ],
      ['the placeholder alone', { adminPassword: 'adminsetuppending' }, undefined, { name: 'pending-administrator' }],
    ])('knows %s', async (_, rows, marker, expected) => {
      expect(await stateOf(rows, marker)).toMatchObject(expected);
    });

    it('calls tables without the two central ones unfinished', async () => {
      const database = await server.database();
      await database.execute('CREATE TABLE mdl_course (id int)');
      await setMarker(database, { started: true });
      expect(await readSiteState(database, 'campus', 'mdl_')).toMatchObject({
        name: 'unfinished',
        ours: true,
        tables: 1,
      });
    });
  });

  describe('readSiteState while a node clears an unfinished install', () => {
    it('takes a table that vanished after it was listed for what it is', async () => {
      const database = await server.database();
      await makeMoodleTables(database, { config: { rolesactive: '0' } });
      await setMarker(database, { started: true });
      const clearing = {
        dialect: database.dialect,
        query: async (sql: string, parameters?: SqlParameters) => {
          const rows = await database.query(sql, parameters);
          if (sql.includes('information_schema.tables')) await database.execute('DROP TABLE mdl_config');
          return rows;
        },
      } as MoodleDatabase;
      expect(await readSiteState(clearing, 'campus', 'mdl_')).toMatchObject({ name: 'unfinished', ours: true });
    });
  });
});

describe('firstSiteAdmin', () => {
  it('reads the first of the list, and nothing from what is no list', () => {
    expect([firstSiteAdmin('2,17'), firstSiteAdmin('17'), firstSiteAdmin(''), firstSiteAdmin(undefined)]).toEqual([
      2,
      17,
      undefined,
      undefined,
    ]);
  });
});

describe('allowed', () => {
  const state = (changes: Partial<SiteState>): SiteState => ({
    name: 'absent',
    tables: 0,
    marker: undefined,
    ours: false,
    why: 'because',
    release: undefined,
    version: undefined,
    ...changes,
  });

  it.each<[Partial<SiteState>, 'unattended' | 'browser' | 'brought here', string | undefined]>([
    [{ name: 'absent' }, 'unattended', undefined],
    [{ name: 'installed' }, 'browser', undefined],
    [{ name: 'unfinished', ours: true }, 'unattended', undefined],
    [{ name: 'unfinished', ours: false }, 'unattended', 'UnfinishedInstall'],
    [{ name: 'pending-administrator' }, 'browser', undefined],
    [{ name: 'pending-administrator' }, 'unattended', 'UnfinishedInstall'],
    [{ name: 'unknown' }, 'unattended', 'SiteStateUnknown'],
    [{ name: 'installed' }, 'brought here', undefined],
    [{ name: 'absent' }, 'brought here', 'ExistingSiteMissing'],
    [{ name: 'unfinished', ours: true }, 'brought here', 'ExistingSiteMissing'],
    [{ name: 'pending-administrator' }, 'brought here', 'ExistingSiteMissing'],
  ])('%o, %s: %s', (changes, how, refusal) => {
    let thrown: unknown;
    try {
      allowed(state(changes), {
        finish: how === 'browser' ? how : 'unattended',
        existingSite: how === 'brought here',
      });
    } catch (error) {
      thrown = error;
    }
    if (refusal === undefined) expect(thrown).toBeUndefined();
    else expect(thrown).toMatchObject({ name: refusal, message: expect.stringContaining('Nothing was changed') });
  });
});

describe('expectedInstallSeconds', () => {
  it('counts the work and fifty thousand round trips', () => {
    expect([expectedInstallSeconds(0), expectedInstallSeconds(1)]).toEqual([40, 90]);
  });
});
