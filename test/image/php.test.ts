import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { image, leftOut, run } from './run.ts';

const noPhp = leftOut('the checks of the node’s PHP scripts', 'php');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-scripts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scripts = readdirSync(image, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.php'));

/** What an expression is, with a script's functions at hand. */
function evaluate(script: string, expression: string, env: Record<string, string> = {}): unknown {
  const code = `namespace moodle_lifecycle; require '${image}/scripts/${script}'; echo json_encode(${expression});`;
  const { status, stdout, stderr } = run('php', ['-r', code], env);
  if (status !== 0) throw new Error(stderr + stdout);
  return JSON.parse(stdout);
}

function moodle(name: string, dirroot: string, version: string): { MOODLE_DIRROOT: string } {
  const root = join(folder, name);
  mkdirSync(join(root, dirroot, 'mod/x/db'), { recursive: true });
  mkdirSync(join(root, dirroot, 'mod/x/tests/fixtures/db'), { recursive: true });
  writeFileSync(join(root, dirroot, 'version.php'), version);
  writeFileSync(join(root, dirroot, 'mod/x/db/install.xml'), '<TABLE NAME="a"><TABLE NAME="b">');
  writeFileSync(join(root, dirroot, 'mod/x/tests/fixtures/db/install.xml'), '<TABLE NAME="not-installed">');
  return { MOODLE_DIRROOT: root };
}

describe.skipIf(noPhp)('the node’s PHP scripts', () => {
  test.each(scripts)('%s is valid PHP', (script) => {
    expect(run('php', ['-l', join(image, script)])).toMatchObject({ status: 0 });
  });

  test.each(['', 'public'])('version and tables of a code tree whose web root is “%s”', (dirroot) => {
    const version = `<?php\n$version  = 2026100500.01;  // x\n$release  = '5.3 (Build: 20261005)';\n$branch   = '503';\n`;
    const env = moodle(`layout-${dirroot}`, dirroot, version);
    expect(evaluate('lib/node.php', 'code_version()', env)).toEqual({
      version: 2026100500.01,
      release: '5.3 (Build: 20261005)',
      branch: 503,
    });
    expect(evaluate('lib/node.php', 'expected_tables()', env)).toBe(2);
  });

  test('a folder without a version is not taken for Moodle', () => {
    const env = moodle('nothing', '', '<?php');
    expect(() => evaluate('lib/node.php', 'code_version()', env)).toThrow(/There is no Moodle in MOODLE_DIRROOT/);
  });

  test('TLS options always name trusted authorities, because a missing file means “do not verify”', () => {
    const expected = { verify_peer: true, verify_peer_name: true };
    expect(evaluate('lib/trust.php', 'tls_options()')).toEqual({
      cafile: '/etc/ssl/certs/ca-certificates.crt',
      ...expected,
    });
    expect(evaluate('lib/trust.php', 'tls_options()', { SSL_CERT_FILE: '/a/ca.pem' })).toEqual({
      cafile: '/a/ca.pem',
      ...expected,
    });
  });

  test.each([
    ['WRONGPASS invalid username-password pair', 'the password was refused (WRONGPASS).'],
    ['NOAUTH Authentication required.', 'a password is needed and none was given (NOAUTH).'],
    [
      'error:0A000086:SSL routines::certificate verify failed',
      'its certificate is not trusted (certificate verify failed).',
    ],
    ['Connection refused', 'nobody listens there (connection refused).'],
    ['something\n else.', 'something else.'],
  ])('says “%s” in plain words', (reason, words) => {
    const quoted = JSON.stringify(reason);
    expect(evaluate('lib/redis_connection.php', `in_plain_words(${quoted})`)).toBe(words);
  });

  test.each([
    ['an unknown marker allows no install', 'null', /no rollout allows an install/],
    ['a lost site is not replaced by an empty one', "['allows' => 0, 'finished_at' => 'then']", /its tables were lost/],
  ])('%s', (_, marker, reason) => {
    expect(evaluate('lib/install_marker.php', `why_not_install(${marker})`)).toMatch(reason);
  });

  test('a marker that allows the install allows it', () => {
    expect(evaluate('lib/install_marker.php', "why_not_install(['allows' => 1])")).toBeNull();
  });

  test('the node id is the last part of the task’s ARN, and the host’s name outside ECS', () => {
    const { stdout } = run('php', [join(image, 'scripts/node-id.php')]);
    expect(stdout.trim()).toBe(run('hostname', []).stdout.trim());
  });

  test('config.php says which setting is missing', () => {
    const { status, stderr } = run('php', ['-d', 'log_errors=1', join(image, 'config.php')], { MOODLE_LOCAL: '/x' });
    expect(status).toBe(1);
    expect(stderr).toContain('the environment variable MOODLE_NODE_SCRIPTS is missing');
  });
});
