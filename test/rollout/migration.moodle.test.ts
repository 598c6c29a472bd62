import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, sharedFolder } from '../../rehearsal/machines/files.ts';
import { leftBehindFile, tarCommand } from '../docs/left-behind.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';
import { Browser } from './browser.ts';
import { Site } from './site.ts';

/** What docs/migration.md has an operator do, with the tools of the database. MariaDB: its clients fit its server here. */
const context = { databaseEngine: 'mariadb', databaseAccess: 'network' };
/** The old site's, which is not the one that this product gives a new site. */
const prefix = 'mood_';
const lostContent = 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334';
/** SHA-1 of nothing. */
const nothing = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

describe('an existing site comes here', () => {
  const travelling = mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'travelling-'));
  const [dump, files] = [join(travelling, 'moodle.sql'), join(travelling, 'moodledata.tar')];
  let old: { username: string; password: string };
  let site: Site;

  beforeAll(async () => {
    const before = await Site.open({ context });
    try {
      expect((await before.install({ nodes: 1 })).status).toBe('succeeded');
      old = before.administrator;
      await giveItAPast(before);
      writeFileSync(dump, client(before, 'mariadb-dump', ['--single-transaction']));
      const take = tarCommand.replace('moodledata.tar', files).replace('left-behind.txt', leftBehindFile);
      execFileSync('sh', ['-c', take.replace('/var/moodledata', dataFolder(before))]);
    } finally {
      await before.close();
    }
    site = await Site.open({ context: { ...context, tablePrefix: prefix } });
  });

  afterAll(async () => {
    await site?.close();
    rmSync(travelling, { recursive: true, force: true });
  });

  it('is refused while nothing was brought', async () => {
    const { failure, outcome } = await site.install({ existingSite: true });

    expect(outcome).toBe('refused');
    expect(failure).toMatchObject({ phase: 'Check the site', error: 'ExistingSiteMissing' });
  });

  it('is refused by the name of its prefix, where it has another than the one it was deployed for', async () => {
    client(site, 'mariadb', [], readFileSync(dump));

    for (const input of [{ existingSite: true }, {}]) {
      const { failure, outcome } = await site.install(input);

      expect(outcome).toBe('refused');
      expect(failure).toMatchObject({ phase: 'Check the site', error: 'TablePrefixDiffers' });
      expect(failure?.cause).toContain('tables that begin with mdl_');
    }
    const tables = await site.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()`,
    );
    await site.query('SET FOREIGN_KEY_CHECKS = 0');
    for (const { name } of tables) await site.query(`DROP TABLE ${name}`);
  });

  it('is put back while its files are missing, and its database stays as it was brought', async () => {
    client(site, 'mariadb', [], Buffer.from(readFileSync(dump, 'utf8').replaceAll('`mdl_', `\`${prefix}`)));
    // As the operator ends the old site's maintenance, which is in the dump.
    await site.query(`UPDATE ${prefix}config SET value = '0' WHERE name = 'maintenance_enabled'`);
    const people = `SELECT id, username, password FROM ${prefix}user ORDER BY id`;
    const users = await site.query(people);

    const { failure, outcome } = await site.install({ nodes: 2, existingSite: true });

    expect(failure).toMatchObject({ phase: 'Verify the site', error: 'VerificationFailed' });
    expect(failure?.cause).toMatch(/are not in filedir/);
    expect(outcome).toBe('put back');
    expect((await site.state()).desired).toBe(0);
    expect(await site.query(people)).toEqual(users);
  });

  it('comes up with its files, nodes and stores, but for what it lost long ago', async () => {
    const folder = dataFolder(site);
    execFileSync('tar', ['--extract', '--file', files, '--directory', folder]);
    execFileSync('chown', ['--recursive', '--reference', folder, folder]);
    expect(readFileSync(join(folder, 'saml2', 'key.pem'), 'utf8')).toBe('a key');
    expect(existsSync(join(folder, 'climaintenance.html'))).toBe(false);

    const progress = await site.install({ nodes: 2, existingSite: true, acceptMissingFiles: true });

    expect(progress.failure?.cause).toBeUndefined();
    expect(progress.status).toBe('succeeded');
    const { evidence } = progress.phases.find(({ title }) => title === 'Verify the site') ?? {};
    expect(evidence).toMatchObject({
      files: expect.stringMatching(
        /^(\d+) of \1 looked for: 1 not in filedir and 0 of another size, accepted as lost before$/,
      ),
      filesFound: {
        missing: 1,
        newest: '2014-03-02',
        examples: [{ contenthash: lostContent, component: 'mod_resource', since: '2014-03-02' }],
      },
    });
    expect(await new Browser(site.address).signIn(old.username, old.password)).toBe(true);
  });
});

/** What a site of ten years has: a lost file, an alias to one outside, keys and remains in its data folder, maintenance. */
async function giveItAPast(site: Site): Promise<void> {
  const file = (id: number, hash: string, referencefileid: string) =>
    site.query(
      `INSERT INTO mdl_files (id, contenthash, pathnamehash, contextid, component, filearea, itemid, filepath, filename,
                              filesize, timecreated, timemodified, referencefileid)
       VALUES (${id}, '${hash}', '${String(id).padStart(40, '0')}', 1, 'mod_resource', 'content', 0, '/', 'old.pdf',
               48213, 1393718400, 1393718400, ${referencefileid})`,
    );
  await file(900_001, lostContent, 'NULL');
  await file(900_002, nothing, '7');
  await site.query("DELETE FROM mdl_config WHERE name = 'maintenance_enabled'");
  await site.query("INSERT INTO mdl_config (name, value) VALUES ('maintenance_enabled', 'cli mode')");
  const folder = dataFolder(site);
  for (const [name, text] of [
    ['saml2/key.pem', 'a key'],
    ['climaintenance.html', 'in maintenance'],
    ['muc/config.php', '<?php $configuration = [];'],
  ] as const) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Moodle's data folder, as the access point shows it to the nodes. */
function dataFolder({ account: { world } }: Site): string {
  const [point] = filesOf(world).accessPoints.values();
  if (!point) throw new Error('The site has no access point.');
  return sharedFolder(world, point.fileSystemId, point.path);
}

/** One of MariaDB's own clients on the site's database. */
function client(site: Site, command: string, words: readonly string[], input?: Buffer): Buffer {
  const { host, port, user, password, database } = site.database.connection;
  const given = [`--host=${host}`, `--port=${port}`, `--user=${user}`, '--ssl', ...words, database];
  return execFileSync(command, given, {
    env: { ...process.env, MYSQL_PWD: password },
    maxBuffer: 256 * 1024 * 1024,
    ...(input && { input }),
  });
}
