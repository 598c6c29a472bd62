import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareCertificates } from '../../rehearsal/machines/certificates.ts';
import { image, leftOut } from './run.ts';

const missing = leftOut('the authorities of RDS', 'curl', 'php');

let folder: string;
let bundle: string;
let system: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'database-authorities-'));
  const one = (await prepareCertificates(join(folder, 'one'))).certificateAuthorityFile;
  const other = (await prepareCertificates(join(folder, 'other'))).certificateAuthorityFile;
  bundle = join(folder, 'bundle.pem');
  writeFileSync(bundle, readFileSync(one, 'utf8') + readFileSync(other, 'utf8'));
  system = (await prepareCertificates(join(folder, 'system'))).certificateAuthorityFile;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** curl reads a file as it reads what AWS publishes. */
function add(file: string) {
  const target = join(folder, 'authorities.pem');
  rmSync(target, { force: true });
  const { status, stdout, stderr } = spawnSync(
    join(image, 'add-database-authorities'),
    [pathToFileURL(file).href, target],
    { encoding: 'utf8', env: { ...process.env, SYSTEM_AUTHORITIES: system } },
  );
  return { status, said: stdout + stderr, target };
}

describe.skipIf(missing)('add-database-authorities', () => {
  test("puts those of RDS behind the system's", () => {
    const { status, said, target } = add(bundle);

    expect(status, said).toBe(0);
    expect(said).toContain('2 authorities of');
    expect(readFileSync(target, 'utf8')).toBe(readFileSync(system, 'utf8') + readFileSync(bundle, 'utf8'));
  });

  test.each([
    ['a file that is not there', 'none.pem', undefined, /could not be fetched.*DATABASE_AUTHORITIES/],
    ['a page in its place', 'page.pem', '<html>Sign in to the network</html>', /holds no certificate/],
    [
      'a broken certificate',
      'broken.pem',
      '-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n',
      /something else than certificates/,
    ],
  ])('makes nothing of %s, and says so', (_, name, content, words) => {
    const file = join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    const { status, said, target } = add(file);

    expect(status).toBe(1);
    expect(said).toMatch(words);
    expect(() => readFileSync(target)).toThrow(/ENOENT/);
  });
});

test('the image verifies the database by that file', () => {
  const containerfile = readFileSync(join(image, 'Containerfile'), 'utf8');
  const [, file] = /add-database-authorities "\$DATABASE_AUTHORITIES" (\S+)/.exec(containerfile) ?? [];

  expect(file).toBeDefined();
  expect(containerfile).toContain(`SSL_CERT_FILE=${file}`);
  expect(containerfile).toContain('MOODLE_DATABASE_SSLMODE=verify-full');
});
