import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, sharedFolder } from '../../rehearsal/machines/files.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';
import { Browser } from './browser.ts';
import { Site } from './site.ts';

/** What docs/migration.md has an operator do, with the tools of the database. MariaDB: its clients fit its server here. */
const context = { databaseEngine: 'mariadb', databaseAccess: 'network' };

describe('an existing site comes here', () => {
  const travelling = mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'travelling-'));
  let old: { username: string; password: string };
  let site: Site;

  beforeAll(async () => {
    const before = await Site.open({ context });
    try {
      expect((await before.install({ nodes: 1 })).status).toBe('succeeded');
      old = before.administrator;
      writeFileSync(join(travelling, 'moodle.sql'), client(before, 'mariadb-dump', ['--single-transaction']));
      cpSync(join(dataFolder(before), 'filedir'), join(travelling, 'filedir'), { recursive: true });
    } finally {
      await before.close();
    }
    site = await Site.open({ context });
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

  it('is put back while its files are missing, and its database stays as it was brought', async () => {
    client(site, 'mariadb', [], readFileSync(join(travelling, 'moodle.sql')));
    const users = await site.query('SELECT id, username, password FROM mdl_user ORDER BY id');

    const { failure, outcome } = await site.install({ nodes: 2, existingSite: true });

    expect(failure).toMatchObject({ phase: 'Verify the site', error: 'VerificationFailed' });
    expect(failure?.cause).toMatch(/files that the database names are not in filedir/);
    expect(outcome).toBe('put back');
    expect((await site.state()).desired).toBe(0);
    expect(await site.query('SELECT id, username, password FROM mdl_user ORDER BY id')).toEqual(users);
  });

  it('comes up with its files, nodes and stores, and its people sign in as they always did', async () => {
    const filedir = join(dataFolder(site), 'filedir');
    cpSync(join(travelling, 'filedir'), filedir, { recursive: true });
    execFileSync('chown', ['--recursive', '--reference', dataFolder(site), filedir]);

    const progress = await site.install({ nodes: 2, existingSite: true });

    expect(progress.status).toBe('succeeded');
    const { evidence } = progress.phases.find(({ title }) => title === 'Verify the site') ?? {};
    expect(evidence).toMatchObject({ files: expect.stringMatching(/^(\d+) of \1 looked for, all there/) });
    expect(await new Browser(site.address).signIn(old.username, old.password)).toBe(true);
  });
});

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
