import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MoodleSource } from './source.ts';

/** The PHP of this computer is too old for the Moodle that was chosen. */
export class PhpTooOld extends Error {
  override readonly name = 'PhpTooOld';
}

/**
 * Compares the system's PHP with what this Moodle requires, before anything is started: its installer would say so only
 * in the log of a node.
 *
 * @throws PhpTooOld
 */
export function requireSuitablePhp(moodle: Extract<MoodleSource, { kind: 'real' }>): void {
  const required = requiredPhp(moodle);
  const installed = execFileSync('php', ['-r', 'echo PHP_VERSION;'], { encoding: 'utf8' });
  if (required === undefined || !isOlder(installed, required)) return;
  throw new PhpTooOld(
    `Moodle ${moodle.release} requires PHP ${required}; the PHP of this computer is ${installed}. Nothing was started. ` +
      'Install a newer PHP, or choose another Moodle by --moodle.',
  );
}

/** `admin/environment.xml` has one element per Moodle version, past and to come, with the PHP that each requires. */
export function requiredPhp({ directory, release }: Extract<MoodleSource, { kind: 'real' }>): string | undefined {
  const file = ['public/admin/environment.xml', 'admin/environment.xml']
    .map((name) => join(directory, name))
    .find((name) => existsSync(name));
  const version = release.match(/^\d+\.\d+/)?.[0];
  if (file === undefined || version === undefined) return undefined;
  const own = readFileSync(file, 'utf8').split(`<MOODLE version="${version}"`)[1]?.split('</MOODLE>')[0];
  return own?.match(/<PHP version="([\d.]+)"/)?.[1];
}

/** @returns whether version `a` comes before version `b`, number by number */
export function isOlder(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
