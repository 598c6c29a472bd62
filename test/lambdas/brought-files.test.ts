import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeFiles, refuseFilesElsewhere } from '../../lambdas/shared/brought-files.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { kinds, LifecycleServer } from '../support/lifecycle-database.ts';
import { makeMoodleTables } from './moodle-tables.ts';

const lost = {
  contenthash: 'a1b2000000000000000000000000000000000000',
  problem: 'missing',
  component: 'mod_resource',
  filearea: 'content',
  since: '2014-03-02',
};
const right = { ok: true, files: 50_000, looked: 20_000, missing: 0, wrongSize: 0, newest: null, aliases: 12 };
const wrong = { ...right, missing: 3, wrongSize: 1, newest: '2014-05-01', examples: [lost] };

describe('judgeFiles', () => {
  const refused = (report: Parameters<typeof judgeFiles>[0], accept = false) => {
    try {
      judgeFiles(report, accept);
    } catch (error) {
      return error;
    }
    throw new Error('nothing was refused');
  };

  it('has the figures beside the words', () => {
    const { ok: _, ...filesFound } = right;
    expect(judgeFiles(right, false)).toEqual({
      files: '20000 of 50000 looked for, all there with their sizes',
      filesFound,
    });
  });

  it('names some of what is not there, since when, and the word by which the rollout goes on', () => {
    const said = refused(wrong);
    expect(said).toMatchObject({ name: 'VerificationFailed' });
    const words = String(said);
    expect(words).toContain('of 20000 that were looked for, 3 are not in filedir, and 1 have another size');
    expect(words).toContain('a1b2000000000000000000000000000000000000 (mod_resource/content, 2014-03-02)');
    expect(words).toContain('the newest of all came on 2014-05-01');
    expect(words).toContain('{"existingSite": true, "acceptMissingFiles": true}');
    expect(words).toContain('$CFG->alternative_file_system_class');
  });

  it('goes on without files that the operator says were lost before, counted and named', () => {
    expect(judgeFiles({ ...wrong, encryptionKey: 'missing' }, true)).toMatchObject({
      files: '20000 of 50000 looked for: 3 not in filedir and 1 of another size, accepted as lost before',
      filesFound: { missing: 3, wrongSize: 1, encryptionKey: 'missing', examples: [lost] },
    });
  });

  it('refuses a data folder without the key of encrypted settings', () => {
    expect(refused({ ...right, encryptionKey: 'missing' })).toMatchObject({
      message: expect.stringContaining('no secret/key'),
    });
    expect(judgeFiles({ ...right, encryptionKey: 'there' }, false)).toMatchObject({ filesFound: { missing: 0 } });
  });

  it('says why a task could not look, whatever is accepted', () => {
    expect(refused({ ok: false, problem: 'Moodle cannot be started' }, true)).toMatchObject({
      message: expect.stringContaining('Moodle cannot be started. Copy'),
    });
  });

  it('understands an image that calls the same a problem', () => {
    expect(judgeFiles({ ...wrong, ok: false, problem: '3 of …' }, true)).toMatchObject({ filesFound: { missing: 3 } });
  });
});

/** Tables and values as the plugins have them: the repositories are named where these are read. */
describe.each(kinds)('a site whose files are in an object storage, on %s', (kind) => {
  let server: LifecycleServer;
  let database: MoodleDatabase;
  beforeAll(async () => {
    server = await LifecycleServer.start(kind);
    database = await server.database();
    await makeMoodleTables(database);
  });
  afterAll(() => server.close());

  it('is not one that has no such plugin', async () => {
    await expect(refuseFilesElsewhere(database, 'mdl_')).resolves.toBeUndefined();
  });

  it('is one where tool_objectfs has files outside alone, and not where filedir has them as well', async () => {
    await database.execute('CREATE TABLE mdl_files (contenthash varchar(40))');
    await database.execute('CREATE TABLE mdl_tool_objectfs_objects (contenthash varchar(40), location int)');
    await database.execute("INSERT INTO mdl_files VALUES ('local'), ('both'), ('both')");
    await database.execute(
      "INSERT INTO mdl_tool_objectfs_objects VALUES ('local', 0), ('both', 1), ('of a file that was deleted', 2)",
    );
    await expect(refuseFilesElsewhere(database, 'mdl_')).resolves.toBeUndefined();

    await database.execute("UPDATE mdl_tool_objectfs_objects SET location = 2 WHERE contenthash = 'both'");
    await expect(refuseFilesElsewhere(database, 'mdl_')).rejects.toMatchObject({
      name: 'FilesElsewhere',
      message: expect.stringContaining('tool_objectfs has 1 of them in its object storage alone'),
    });
    await database.execute('DROP TABLE mdl_tool_objectfs_objects');
  });

  it('is one where local_alternative_file_system names a storage', async () => {
    const set = (value: string) =>
      database.execute(
        "INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('local_alternative_file_system', 'settings_destino', :value)",
        { value },
      );
    await set('local');
    await expect(refuseFilesElsewhere(database, 'mdl_')).resolves.toBeUndefined();
    await database.execute("DELETE FROM mdl_config_plugins WHERE plugin = 'local_alternative_file_system'");
    await set('gcs');
    await expect(refuseFilesElsewhere(database, 'mdl_')).rejects.toMatchObject({
      name: 'FilesElsewhere',
      message: expect.stringContaining('local_alternative_file_system has them in “gcs”'),
    });
  });
});
