import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { reservePort } from '../../rehearsal/machines/ports.ts';
import { makeWorld } from '../machines/make-world.ts';
import { LifecycleServer } from '../support/lifecycle-database.ts';
import { MoodleNode } from './moodle-bench.ts';
import { image, run } from './run.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');

/** SHA-1 of nothing: the content of an alias that was never fetched. */
const NOTHING = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const lostContent = 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334';

let world: Awaited<ReturnType<typeof makeWorld>>;
let server: LifecycleServer;
let database: MoodleDatabase;
let environment: Record<string, string>;

/** A new site on MariaDB, which the tests then give a past. */
beforeAll(async () => {
  world = await makeWorld();
  server = await LifecycleServer.start('mysql');
  const { name, database: opened } = await server.emptyDatabase();
  database = opened;
  const { host, port, credentials } = server.connection(name);
  const { user, password } = await credentials(false);
  const node = join(world.directory, 'node');
  const code = join(world.directory, 'code');
  const authorities = join(world.directory, 'authorities.pem');
  cpSync(image, node, { recursive: true });
  mkdirSync(join(world.directory, 'dataroot'));
  writeFileSync(authorities, server.certificateAuthority);
  const link = statSync(moodle).dev === statSync(world.directory).dev ? ['--link'] : [];
  expect(run(join(node, 'assemble-code'), [...link, moodle, code])).toMatchObject({ status: 0 });
  environment = {
    PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/bin`,
    MOODLE_SITE: 'brought',
    MOODLE_WWWROOT: 'http://moodle.test',
    MOODLE_DATABASE_TYPE: 'mariadb',
    MOODLE_DATABASE_HOST: host,
    MOODLE_DATABASE_PORT: String(port),
    MOODLE_DATABASE_NAME: name,
    MOODLE_DATABASE_SSLMODE: 'verify-full',
    MOODLE_DATABASE_USER: user,
    MOODLE_DATABASE_PASSWORD: password,
    MOODLE_DATABASE_WAIT_SECONDS: '5',
    MOODLE_DATAROOT: join(world.directory, 'dataroot'),
    MOODLE_DIRROOT: code,
    MOODLE_NODE_SCRIPTS: node,
    MOODLE_LOCAL: join(world.directory, 'local'),
    MOODLE_PHP_WORKERS: '2',
    MOODLE_UPGRADE_KEY: 'upgrade-secret',
    MOODLE_ADMIN_USER: 'operator',
    MOODLE_ADMIN_PASSWORD: 'Administrator-secret-1',
    MOODLE_ADMIN_EMAIL: 'operator@example.org',
    MOODLE_SITE_FULLNAME: 'Tested site',
    MOODLE_SITE_SHORTNAME: 'tested',
    SSL_CERT_FILE: authorities,
  };
});
afterAll(async () => {
  await server?.close();
  await world?.close();
});

async function start(role: string[], changes: Record<string, string> = {}): Promise<MoodleNode> {
  const { port } = await reservePort();
  const entrypoint = { command: join(environment.MOODLE_NODE_SCRIPTS ?? '', 'entrypoint'), args: role };
  return new MoodleNode('node', port, entrypoint, {
    ...environment,
    MOODLE_LISTEN: `127.0.0.1:${port}`,
    ...changes,
  });
}

/** What a one-off role answers. */
async function ask(...role: string[]) {
  const node = await start(role);
  const exitCode = await node.exited;
  const answer = /^\{"ok".*\}$/m.exec(node.log)?.[0];
  if (answer === undefined) throw new Error(node.log);
  return { exitCode, ...JSON.parse(answer) };
}

/** Output of a program that loads Moodle, on a node that is prepared for it. */
async function inMoodle(program: string): Promise<string> {
  const file = join(world.directory, 'program.php');
  writeFileSync(
    file,
    `<?php define('CLI_SCRIPT', true); require(getenv('MOODLE_DIRROOT') . '/config.php'); ${program}`,
  );
  const words = ['-c', join(environment.MOODLE_NODE_SCRIPTS ?? '', 'php.ini'), file];
  const php = new MoodleNode('program', 0, { command: 'php', args: words }, environment);
  await php.exited;
  return php.log;
}

const collation = () =>
  run('php', [join(image, 'scripts/database-collation.php')], { ...environment, MOODLE_NODE_SCRIPTS: image }).stdout;

const allowInstall = (site: string) =>
  database.execute(
    `INSERT INTO moodle_lifecycle.install_marker (site, execution, finish, allowed_at)
     VALUES (:site, 'test', 'unattended', UTC_TIMESTAMP(6))`,
    { site },
  );

describe('a new site on MariaDB', () => {
  test('does not take a collation that Moodle would refuse', async () => {
    // RDS makes a database so without our parameters, and MariaDB from 11.5 on.
    expect(collation()).toBe('utf8mb4_unicode_ci');
    const newest = await database.query("SHOW COLLATION WHERE Collation LIKE '%uca1400_ai_ci'");
    if (newest.length === 0) return;
    const listed = await database.query(
      "SHOW COLLATION WHERE Charset = 'utf8mb4' AND Collation = 'utf8mb4_uca1400_ai_ci'",
    );
    expect(listed).toEqual([]);
    await database.execute(
      `ALTER DATABASE ${environment.MOODLE_DATABASE_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci`,
    );
    expect(collation()).toBe('utf8mb4_unicode_ci');
  });

  test('has that of its database in all of its tables', async () => {
    await database.execute(
      `ALTER DATABASE ${environment.MOODLE_DATABASE_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci`,
    );
    await createLifecycleSchema(database);
    await allowInstall('brought');
    const node = await start(['web']);
    await node.serving();
    await node.kill();
    const used = await database.query(
      `SELECT DISTINCT collation_name AS name FROM information_schema.columns
        WHERE table_schema = DATABASE() AND LEFT(table_name, 4) = 'mdl_' AND collation_name IS NOT NULL`,
    );
    // Moodle itself compares some columns letter for letter.
    expect(used.map(({ name }) => name).filter((name) => name !== 'utf8mb4_bin')).toEqual(['utf8mb4_unicode_520_ci']);
  });
});

describe('a site with a past', () => {
  test('its temporary tables are joined with its users, as in the synchronisation with LDAP', async () => {
    await database.execute('ALTER TABLE mdl_user CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci');
    const joined = `
      require_once("$CFG->libdir/ddllib.php");
      $table = new xmldb_table('tmp_extuser');
      $table->add_field('id', XMLDB_TYPE_INTEGER, '10', null, XMLDB_NOTNULL, XMLDB_SEQUENCE);
      $table->add_field('username', XMLDB_TYPE_CHAR, '100', null, XMLDB_NOTNULL);
      $table->add_key('primary', XMLDB_KEY_PRIMARY, ['id']);
      $DB->get_manager()->create_temp_table($table);
      $DB->insert_record('tmp_extuser', ['username' => 'operator']);
      try {
        echo 'found ', implode(',', $DB->get_fieldset_sql(
          'SELECT u.username FROM {user} u JOIN {tmp_extuser} e ON u.username = e.username'));
      } catch (Throwable $problem) {
        echo get_class($problem), ' ', $problem->error ?? $problem->getMessage();
      }
      $DB->get_manager()->drop_table($table);`;
    expect(await ask('purge-caches')).toMatchObject({ ok: true });
    const kept = join(environment.MOODLE_LOCAL ?? '', 'run/database-collation');
    expect(readFileSync(kept, 'utf8')).toBe('utf8mb4_general_ci');
    expect(await inMoodle(joined)).toBe('found operator');

    writeFileSync(kept, 'utf8mb4_unicode_520_ci');
    expect(await inMoodle(joined)).toContain('Illegal mix of collations');

    // As in a shell that no node was prepared for: Moodle looks at `config`.
    rmSync(kept);
    await database.execute('ALTER TABLE mdl_config CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci');
    expect(await inMoodle(joined)).toBe('found operator');
  });

  test('the paths of programs are those of this computer, whatever its database says', async () => {
    for (const name of ['pathtogs', 'pathtopdftoppm', 'aspellpath']) {
      await database.execute('DELETE FROM mdl_config WHERE name = :name', { name });
      await database.execute("INSERT INTO mdl_config (name, value) VALUES (:name, '/opt/old/bin/program')", { name });
    }
    await database.execute("DELETE FROM mdl_config_plugins WHERE plugin = 'filter_tex' AND name LIKE 'path%'");
    await database.execute(
      "INSERT INTO mdl_config_plugins (plugin, name, value) VALUES ('filter_tex', 'pathlatex', '/opt/old/bin/latex')",
    );
    expect(await ask('purge-caches')).toMatchObject({ ok: true });
    const found = JSON.parse(
      await inMoodle(`
        require_once("$CFG->libdir/adminlib.php");
        \\core\\session\\manager::set_user(get_admin());
        $setting = new admin_setting_configexecutable('pathtogs', 'gs', '', '');
        $setting->write_setting('/opt/old/bin/program');
        echo json_encode([
          'ghostscript' => \\assignfeedback_editpdf\\pdf::test_gs_path()->status,
          'gs' => get_config('core', 'pathtogs'),
          'pdftoppm' => $CFG->pathtopdftoppm,
          'aspell' => $CFG->aspellpath,
          'latex' => get_config('filter_tex', 'pathlatex'),
        ]);`),
    );
    const here = (program: string) =>
      ['/usr/local/bin', '/usr/bin'].map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? '';
    expect(found).toEqual({
      ghostscript: here('gs') === '' ? 'empty' : 'ok',
      gs: here('gs'),
      pdftoppm: here('pdftoppm'),
      aspell: here('aspell'),
      latex: here('latex'),
    });
  });

  test('aliases and drafts are not looked for in filedir; what is not there is counted and named', async () => {
    const before = await ask('check-files');
    expect(before).toMatchObject({ exitCode: 0, ok: true, missing: 0, wrongSize: 0, newest: null, examples: [] });
    expect(before.looked).toBeGreaterThan(0);
    let id = 900_000;
    const file = async (row: {
      hash: string;
      component?: string;
      area?: string;
      reference?: number;
      size?: number;
    }) => {
      id += 1;
      await database.execute(
        `INSERT INTO mdl_files (id, contenthash, pathnamehash, contextid, component, filearea, itemid, filepath, filename,
                                filesize, timecreated, timemodified, referencefileid)
         VALUES (:id, :hash, :path, 1, :component, :area, 0, '/', 'old.pdf', :size, 1393718400, 1393718400, :reference)`,
        {
          id,
          hash: row.hash,
          path: `${id}`.padStart(40, '0'),
          component: row.component ?? 'mod_resource',
          area: row.area ?? 'content',
          size: row.size ?? 48_213,
          reference: row.reference ?? null,
        },
      );
    };
    await file({ hash: NOTHING, reference: 7 });
    await file({ hash: lostContent, reference: 8 });
    await file({ hash: lostContent, component: 'user', area: 'draft' });
    expect(await ask('check-files')).toEqual({ ...before, aliases: before.aliases + 2 });

    await file({ hash: lostContent });
    // Twice the same content, as in a copy of a course.
    await file({ hash: lostContent, component: 'mod_folder' });
    const [there] = await database.query(
      "SELECT contenthash AS hash FROM mdl_files WHERE filesize > 0 AND component <> 'mod_resource' ORDER BY id LIMIT 1",
    );
    const damaged = String(there?.hash);
    await database.execute('UPDATE mdl_files SET filesize = filesize + 1 WHERE contenthash = :damaged', { damaged });
    expect(await ask('check-files')).toMatchObject({
      exitCode: 0,
      ok: true,
      files: before.files + 1,
      missing: 1,
      wrongSize: 1,
      examples: [
        {
          contenthash: lostContent,
          problem: 'missing',
          component: 'mod_resource',
          filearea: 'content',
          since: '2014-03-02',
        },
        { contenthash: damaged, problem: 'wrong size' },
      ],
    });
  });

  test('the key of its encrypted settings is asked for', async () => {
    expect(await ask('check-files')).toMatchObject({ encryptionKey: 'not needed' });
    const encrypted = await inMoodle(`set_config('tested', \\core\\encryption::encrypt('word')); echo 'kept';`);
    expect(encrypted).toBe('kept');
    expect(await ask('check-files')).toMatchObject({ encryptionKey: 'there' });
    rmSync(join(environment.MOODLE_DATAROOT ?? '', 'secret'), { recursive: true });
    expect(await ask('check-files')).toMatchObject({ encryptionKey: 'missing' });
  });

  test('a node for another prefix installs nothing beside it, whatever a rollout allows', async () => {
    await allowInstall('beside');
    const node = await start(['web'], { MOODLE_SITE: 'beside', MOODLE_DATABASE_PREFIX: 'mood_' });
    expect(await node.exited).toBe(1);
    expect(node.log).toContain('The database holds a Moodle with tables that begin with mdl_');
    const [marker] = await database.query("SELECT refused FROM moodle_lifecycle.install_marker WHERE site = 'beside'");
    expect(marker?.refused).toContain('installs none beside it');
    expect(await database.query("SELECT 1 FROM information_schema.tables WHERE LEFT(table_name, 5) = 'mood_'")).toEqual(
      [],
    );
  });
});
