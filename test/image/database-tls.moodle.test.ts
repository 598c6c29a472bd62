import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseServer } from '../../rehearsal/machines/databases.ts';
import { startMariaDb } from '../../rehearsal/machines/mariadb.ts';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { makeWorld } from '../machines/make-world.ts';
import { image } from './run.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');

/** Connects by Moodle's own driver, set up by our config.php, and says by which cipher. */
const program = `
define('CLI_SCRIPT', true);
define('ABORT_AFTER_CONFIG', true);
require($argv[1] . '/config.php');
require_once($CFG->dirroot . '/lib/setuplib.php');
require_once($CFG->dirroot . '/lib/dmllib.php');
require_once($CFG->dirroot . '/lib/dml/moodle_database.php');
$CFG->noemailever = true;
try {
    setup_DB();
    // Past Moodle's own query functions, which want more of Moodle loaded.
    $handle = fn(string $property) => Closure::bind(fn() => $this->$property, $DB, $DB)();
    echo $DB->get_dbfamily() === 'postgres'
        ? pg_fetch_result(pg_query($handle('pgsql'), 'SELECT cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()'), 0)
        : $handle('mysqli')->query("SHOW STATUS LIKE 'Ssl_cipher'")->fetch_row()[1];
} catch (Throwable $problem) {
    echo get_class($problem), ' ', $problem->getMessage();
}`;

describe.each([
  ['pgsql', startPostgres],
  ['mariadb', startMariaDb],
] as const)('TLS of Moodle’s own driver %s', (type, startServer) => {
  let world: Awaited<ReturnType<typeof makeWorld>>;
  let server: DatabaseServer;
  let code: string;

  beforeAll(async () => {
    world = await makeWorld();
    server = await startServer(world, 'tls');
    await server.ensureOwner('moodle', 'database-secret', 'moodle');
    code = join(world.directory, 'code');
    mkdirSync(code);
    mkdirSync(join(world.directory, 'component-cache'));
    cpSync(join(image, 'config.php'), join(code, 'config.php'));
    symlinkSync(join(moodle, 'lib'), join(code, 'lib'));
  });
  afterAll(() => world?.close());

  /** @returns the cipher, or nothing and why not */
  function connect(sslmode: string, authorities: string) {
    const { stdout, stderr } = spawnSync('php', ['-r', program, code], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        MOODLE_SITE: 'tls',
        MOODLE_WWWROOT: 'http://moodle.test',
        MOODLE_DATAROOT: world.directory,
        MOODLE_LOCAL: world.directory,
        MOODLE_NODE_SCRIPTS: image,
        MOODLE_UPGRADE_KEY: 'upgrade-secret',
        MOODLE_DATABASE_TYPE: type,
        MOODLE_DATABASE_HOST: server.host,
        MOODLE_DATABASE_PORT: String(server.port),
        MOODLE_DATABASE_NAME: 'moodle',
        MOODLE_DATABASE_USER: 'moodle',
        MOODLE_DATABASE_PASSWORD: 'database-secret',
        MOODLE_DATABASE_SSLMODE: sslmode,
        SSL_CERT_FILE: authorities,
      },
    });
    return { cipher: /^(TLS_|ECDHE-)\w+/.exec(stdout)?.[0], said: stdout + stderr };
  }

  const system = '/etc/ssl/certs/ca-certificates.crt';

  test('require: encrypted, whoever signed the server’s certificate', () => {
    const { cipher, said } = connect('require', system);
    expect(cipher ?? said).toContain('TLS_');
  });

  test('verify-full: only with a certificate that an authority of SSL_CERT_FILE has signed', () => {
    const verified = connect('verify-full', world.certificateAuthorityFile);
    expect(verified.cipher ?? verified.said).toContain('TLS_');
    expect(connect('verify-full', system).cipher).toBeUndefined();
  });

  test('disable: the server refuses', () => {
    expect(connect('disable', system).cipher).toBeUndefined();
  });
});
