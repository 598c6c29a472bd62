import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { image, leftOut, run } from './run.ts';

const noPhp = leftOut('the checks of config.php', 'php');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  cpSync(join(image, 'config.php'), join(folder, 'config.php'));
  tellsSettings('lib');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In the place of Moodle's setup: says what it was given, and which folder it is in. */
function tellsSettings(libraries: string): void {
  mkdirSync(join(folder, libraries), { recursive: true });
  const program = `<?php echo json_encode((array) $CFG + ['setup' => '${libraries}', 'authorities' => getenv('PGSSLROOTCERT')]);`;
  writeFileSync(join(folder, libraries, 'setup.php'), program);
}

const environment = {
  MOODLE_SITE: 'north',
  MOODLE_WWWROOT: 'https://North-LB-123.elb.example.org',
  MOODLE_DATABASE_TYPE: 'pgsql',
  MOODLE_DATABASE_HOST: 'database.test',
  MOODLE_DATABASE_PORT: '5433',
  MOODLE_DATABASE_NAME: 'moodle',
  MOODLE_DATABASE_USER: 'user',
  MOODLE_DATABASE_PASSWORD: 'database-secret',
  MOODLE_DATAROOT: '/mnt/moodle',
  MOODLE_REVERSEPROXYIGNORE: '10.0.0.0/16',
  MOODLE_UPGRADE_KEY: 'upgrade-secret',
  MOODLE_SESSION_STORE_ENDPOINT: 'sessions.test:6379',
  MOODLE_SESSION_STORE_PASSWORD: 'session-secret',
  MOODLE_NODE_SCRIPTS: image,
  MOODLE_LOCAL: '/local',
};

function start(changes: Record<string, string> = {}) {
  return run('php', ['-d', 'log_errors=1', join(folder, 'config.php')], { ...environment, ...changes });
}
function settings(changes: Record<string, string> = {}): Record<string, unknown> {
  const { status, stdout, stderr } = start(changes);
  if (status !== 0) throw new Error(stdout + stderr);
  return JSON.parse(stdout);
}

describe.skipIf(noPhp)('config.php', () => {
  test('the authorities of the database: known in any shell, and only where they are to be asked', () => {
    const verified = { MOODLE_DATABASE_SSLMODE: 'verify-full', SSL_CERT_FILE: '/authorities.pem' };
    expect(settings(verified).authorities).toBe('/authorities.pem');
    expect(settings({ ...verified, PGSSLROOTCERT: '/others.pem' }).authorities).toBe('/others.pem');
    expect(settings({ ...verified, MOODLE_DATABASE_SSLMODE: 'require' }).authorities).toBe(false);
  });

  test('the address: lower case as browsers send it, TLS ends before the node, the client is found safely', () => {
    expect(settings()).toMatchObject({
      wwwroot: 'https://north-lb-123.elb.example.org',
      sslproxy: true,
      getremoteaddrconf: 1,
      reverseproxyignore: '10.0.0.0/16',
    });
    expect(settings()).not.toHaveProperty('reverseproxy');
    // With an http address it would redirect for ever.
    expect(settings({ MOODLE_WWWROOT: 'http://north.test' })).toMatchObject({ sslproxy: false });
  });

  test('what nodes share lies on the shared volume; what Moodle reads at every request on the node’s disk', () => {
    expect(settings()).toMatchObject({
      dataroot: '/mnt/moodle',
      tempdir: '/mnt/moodle/temp',
      cachedir: '/mnt/moodle/cache',
      localcachedir: '/local/localcache',
      altcacheconfigpath: '/local/cache-configuration',
      alternative_component_cache: '/local/component-cache/core_component.php',
    });
  });

  test('the database, with TLS where it is asked for', () => {
    expect(settings()).toMatchObject({
      dbtype: 'pgsql',
      prefix: 'mdl_',
      dboptions: { dbport: '5433', ssl: 'require' },
    });
    // Without a node that has read the collation of the tables, Moodle looks for it.
    const unprepared = settings({ MOODLE_DATABASE_TYPE: 'auroramysql' });
    expect(unprepared).toMatchObject({ dboptions: { ssl: 'require' } });
    expect(unprepared.dboptions).not.toHaveProperty('dbcollation');
    const plain = settings({ MOODLE_DATABASE_TYPE: 'mariadb', MOODLE_DATABASE_SSLMODE: 'disable' });
    expect(plain.dboptions).not.toHaveProperty('ssl');
    const verified = settings({ MOODLE_DATABASE_TYPE: 'mysqli', MOODLE_DATABASE_SSLMODE: 'verify-full' });
    expect(verified).toMatchObject({ dbtype: 'mysqli', dboptions: { dbport: '5433', ssl: 'verify-full' } });
  });

  test('the collation of the tables as this node has read it, and none on PostgreSQL', () => {
    mkdirSync(join(folder, 'run'));
    const read = (collation: string, MOODLE_DATABASE_TYPE: string) => {
      writeFileSync(join(folder, 'run', 'database-collation'), collation);
      return settings({ MOODLE_LOCAL: folder, MOODLE_DATABASE_TYPE }).dboptions;
    };
    expect(read('utf8mb4_general_ci', 'mariadb')).toMatchObject({ dbcollation: 'utf8mb4_general_ci' });
    expect(read('', 'mariadb')).not.toHaveProperty('dbcollation');
    expect(read('latin1_swedish_ci', 'mysqli')).not.toHaveProperty('dbcollation');
    expect(read('', 'pgsql')).not.toHaveProperty('dbcollation');
  });

  test('the login as this node has read it last, else as it was injected', () => {
    expect(settings()).toMatchObject({ dbuser: 'user', dbpass: 'database-secret' });
    mkdirSync(join(folder, 'run'));
    writeFileSync(join(folder, 'run', 'database-login.json'), '{"user":"other","password":"of today"}');
    expect(settings({ MOODLE_LOCAL: folder })).toMatchObject({ dbuser: 'other', dbpass: 'of today' });
  });

  test('nobody sees the upgrade pages, and code changes only by a new image', () => {
    expect(settings()).toMatchObject({ upgradekey: 'upgrade-secret', disableupdateautodeploy: true });
  });

  test('paths of programs: those of this computer that are there, and empty where none is', () => {
    const paths = settings();
    const where = (program: string) => ['/usr/local/bin', '/usr/bin'].find((bin) => existsSync(join(bin, program)));
    expect(paths.pathtophp).toBe(join(where('php') ?? '', 'php'));
    for (const [setting, program] of [
      ['pathtogs', 'gs'],
      ['pathtopdftoppm', 'pdftoppm'],
      ['aspellpath', 'aspell'],
      ['pathtosassc', 'sassc'],
    ] as const) {
      const folder = where(program);
      expect(paths[setting], setting).toBe(folder === undefined ? '' : join(folder, program));
    }
    const forced = paths.forced_plugin_settings as Record<string, Record<string, string>>;
    if (where('latex') === undefined) expect(forced.filter_tex).toMatchObject({ pathlatex: '', convertformat: 'gif' });
    // Without a path Moodle would take files unscanned; with one that is not there it tells its administrators.
    expect(forced.antivirus_clamav).toEqual({ pathtoclam: join(where('clamscan') ?? '/usr/bin', 'clamscan') });
  });

  test('sessions in the database, without a word about Redis', () => {
    const found = settings();
    expect(found.session_handler_class).toBe('\\core\\session\\database');
    expect(Object.keys(found).filter((name) => name.includes('redis'))).toEqual([]);
  });

  test('sessions in Redis: TLS by a non-empty array that verifies the server, and a prefix of the site', () => {
    expect(settings({ MOODLE_SESSION_STORE: 'redis', SSL_CERT_FILE: '/a/ca.pem' })).toMatchObject({
      session_handler_class: '\\core\\session\\redis',
      session_redis_host: 'sessions.test',
      session_redis_port: '6379',
      session_redis_auth: 'session-secret',
      session_redis_encrypt: { cafile: '/a/ca.pem', verify_peer: true, verify_peer_name: true },
      session_redis_prefix: 'north:sessions:',
      session_redis_acquire_lock_retry: 100,
    });
  });

  test('sessions in Memcached', () => {
    expect(settings({ MOODLE_SESSION_STORE: 'memcached' })).toMatchObject({
      session_handler_class: '\\core\\session\\memcached',
      session_memcached_save_path: 'sessions.test:6379',
      session_memcached_prefix: 'north:sessions:',
    });
  });

  test.each(['database', 'redis', 'memcached'])(
    'while sessions move to %s, our handler; afterwards Moodle’s',
    (store) => {
      const at = (seconds: number) =>
        settings({
          MOODLE_SESSION_STORE: store,
          MOODLE_SESSION_MIGRATION_SOURCE: 'database',
          MOODLE_SESSION_MIGRATION_UNTIL: String(Math.floor(Date.now() / 1000) + seconds),
        }).session_handler_class;
      expect(at(60)).toBe(`\\moodle_lifecycle\\session\\moving_${store}`);
      expect(at(-60)).toBe(`\\core\\session\\${store}`);
    },
  );

  test('no switch of the administration comes between a rollout’s own task and what it asks', () => {
    const switches = { allowedip: '', blockedip: '', debugdisplay: 0, maintenance_later: null };
    expect(settings({ MOODLE_TASK: 'yes' })).toMatchObject(switches);
    for (const name of Object.keys(switches)) expect(settings()).not.toHaveProperty(name);
  });

  test('takes Moodle’s libraries from public/ where they are there', () => {
    expect(settings().setup).toBe('lib');
    tellsSettings('public/lib');
    expect(settings().setup).toBe('public/lib');
  });

  test.each([
    ['MOODLE_UPGRADE_KEY', '', 'the environment variable MOODLE_UPGRADE_KEY is missing'],
    ['MOODLE_DATABASE_TYPE', 'oracle', 'MOODLE_DATABASE_TYPE is pgsql, mysqli, mariadb or auroramysql, not “oracle”'],
    ['MOODLE_SESSION_STORE', 'file', 'MOODLE_SESSION_STORE is database, redis or memcached, not “file”'],
  ])('stops with %s=“%s” and says why, without a secret', (name, value, reason) => {
    const { status, stdout, stderr } = start({ [name]: value });
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain('secret');
  });
});
