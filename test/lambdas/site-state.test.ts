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

    /** Names as Moodle's own lib/db/install.xml has them. */
    const asMoodle = async (database: MoodleDatabase, prefix: string) => {
      const quote = kind === 'mysql' ? '`' : '"';
      for (const table of ['config', 'config_plugins', 'user', 'course', 'course_modules', 'tool_dataprivacy_config']) {
        await database.execute(`CREATE TABLE ${prefix.replace(/[^.]*$/, `${quote}$&`)}${table}${quote} (id int)`);
      }
    };

    it.each(['mood_', ''])('finds the Moodle that is there with the prefix “%s”', async (prefix) => {
      const database = await server.database();
      await asMoodle(database, prefix);
      const expected = { others: [{ prefix }] };
      expect(await readSiteState(database, 'campus', 'mdl_')).toMatchObject({ name: 'absent', ...expected });
      await makeMoodleTables(database);
      expect(await readSiteState(database, 'campus', 'mdl_')).toMatchObject({ name: 'installed', ...expected });
    });

    it('finds no Moodle in what is none', async () => {
      const database = await server.database();
      for (const table of ['wp_config', 'wp_user', 'wp_course', 'config']) {
        await database.execute(`CREATE TABLE ${table} (id int)`);
      }
      expect(await readSiteState(database, 'campus', 'mdl_')).toMatchObject({ name: 'absent', others: [] });
    });

    it.skipIf(kind === 'mysql')('finds the Moodle that is in another schema of the database', async () => {
      const database = await server.database();
      await database.execute('CREATE SCHEMA school');
      await asMoodle(database, 'school.mdl_');
      expect(await readSiteState(database, 'campus', 'mdl_')).toMatchObject({
        name: 'absent',
        others: [{ prefix: 'mdl_', schema: 'school' }],
      });
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
    others: [],
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
      allowed(
        state(changes),
        {
          finish: how === 'browser' ? how : 'unattended',
          existingSite: how === 'brought here',
        },
        'mdl_',
      );
    } catch (error) {
      thrown = error;
    }
    if (refusal === undefined) expect(thrown).toBeUndefined();
    else expect(thrown).toMatchObject({ name: refusal, message: expect.stringContaining('Nothing was changed') });
  });

  const besides: Partial<SiteState>[] = [
    { name: 'absent' },
    { name: 'unfinished', ours: true },
    { name: 'pending-administrator' },
  ];
  it.each(besides.flatMap((changes) => [true, false].map((existingSite) => ({ changes, existingSite }))))(
    'nobody is told to install beside a site that is there: %o',
    ({ changes, existingSite }) => {
      const found = state({ ...changes, others: [{ prefix: 'mood_' }] });
      let thrown: unknown;
      try {
        allowed(found, { finish: 'browser', existingSite }, 'mdl_');
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ name: 'TablePrefixDiffers' });
      expect(String(thrown)).toContain('tables that begin with mood_');
      expect(String(thrown)).toContain('-c tablePrefix=mood_');
      expect(String(thrown)).not.toContain('without existingSite');
    },
  );

  it('a site that is here itself does not care what else is in its database', () => {
    const found = state({ name: 'installed', others: [{ prefix: 'mood_' }] });
    expect(allowed(found, { finish: 'unattended', existingSite: true }, 'mdl_')).toMatchObject({ name: 'installed' });
  });

  it.each([
    [{ prefix: '' }, 'tables without a prefix', 'rename its tables'],
    [{ prefix: 'MDL_' }, 'tables that begin with MDL_', 'rename its tables'],
    [{ prefix: 'department_of_' }, 'tables that begin with department_of_', 'rename its tables'],
    [{ prefix: 'mdl_', schema: 'moodle' }, 'in the schema moodle', 'Bring its tables into the schema'],
  ])('what cannot be an option is to be renamed: %o', (other, where, what) => {
    const refuse = () => allowed(state({ others: [other] }), { finish: 'unattended', existingSite: true }, 'mdl_');
    expect(refuse).toThrow(where);
    expect(refuse).toThrow(what);
  });
});

describe('expectedInstallSeconds', () => {
  it('counts the work and fifty thousand round trips', () => {
    expect([expectedInstallSeconds(0), expectedInstallSeconds(1)]).toEqual([40, 90]);
  });
});
