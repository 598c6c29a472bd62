import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isOlder, requiredPhp } from '../../rehearsal/moodle/php-version.ts';

describe('the PHP that a Moodle requires', () => {
  const directory = mkdtempSync(join(tmpdir(), 'moodle-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'admin'));
  const element = (version: string, php: string) =>
    `<MOODLE version="${version}" requires="4.1"><PHP version="${php}" level="required"></PHP></MOODLE>`;
  writeFileSync(
    join(directory, 'admin', 'environment.xml'),
    `<COMPATIBILITY_MATRIX>${element('4.4', '8.1.0')}${element('5.3', '8.3.0')}</COMPATIBILITY_MATRIX>`,
  );
  const moodle = (release: string) => ({ kind: 'real', directory, release, branch: 0 }) as const;

  it('is read of its own version, whatever versions to come the file knows', () => {
    expect(requiredPhp(moodle('4.4dev (Build: 20231124)'))).toBe('8.1.0');
    expect(requiredPhp(moodle('5.3.1 (Build: 20261201)'))).toBe('8.3.0');
  });

  it('is not guessed for a version that the file does not have', () => {
    expect(requiredPhp(moodle('9.9'))).toBeUndefined();
  });

  it.each([
    ['8.2.32', '8.3.0', true],
    ['8.3.0', '8.3.0', false],
    ['8.10.1', '8.3.0', false],
    ['8.2.32-1~deb12u1', '8.2.32', false],
  ])('%s before %s: %s', (a, b, older) => {
    expect(isOlder(a, b)).toBe(older);
  });
});
