import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { atLeast, branches, leastDatabaseVersion, phpVersions } from '../../infra/moodle-requirements.ts';
import { readVersionFile } from '../../rehearsal/moodle/version-file.ts';

/** A release's environment.xml says what it and those before it ask for. Of 4.4, which can be rehearsed alone, nothing is. */
const { branch: own } = readVersionFile(process.env.MOODLE_DIR ?? '');
const known = branches.filter((branch) => numbered(branch) <= own);

/** 405 of `4.5`. */
function numbered(branch: string): number {
  const [major = 0, minor = 0] = branch.split('.').map(Number);
  return major * 100 + minor;
}

it.skipIf(known.length === 0)('what releases of Moodle ask for is what this tree’s environment.xml says', () => {
  const folder = process.env.MOODLE_DIR ?? '';
  const file = ['public/admin/environment.xml', 'admin/environment.xml']
    .map((name) => join(folder, name))
    .find(existsSync);
  const text = readFileSync(file ?? '', 'utf8');
  for (const branch of known) {
    const said = text.split(`<MOODLE version="${branch}"`)[1]?.split('</MOODLE>')[0] ?? '';
    const vendor = (name: string) => new RegExp(`<VENDOR name="${name}" version="([\\d.]+)"`).exec(said)?.[1];
    const same = (one: string, other = '') => atLeast(one, other) && atLeast(other, one);
    expect(same(phpVersions(branch)[0], /<PHP version="([\d.]+)"/.exec(said)?.[1]), branch).toBe(true);
    expect(same(leastDatabaseVersion(branch, 'postgresql'), vendor('postgres')), branch).toBe(true);
    expect(same(leastDatabaseVersion(branch, 'mysql'), vendor('mysql')), branch).toBe(true);
    expect(same(leastDatabaseVersion(branch, 'mariadb'), vendor('mariadb')), branch).toBe(true);
  }
});
