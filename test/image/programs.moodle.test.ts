import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { image, run } from './run.ts';

const moodle = process.env.MOODLE_DIR;
if (moodle === undefined) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');

/** Settings for the path of a program in this Moodle's code, as its pages declare them. */
function askedFor(folder: string): string[] {
  const found = new Set<string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !file.endsWith('.php') || /\/(tests|node_modules)\//.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    for (const [, setting = ''] of text.matchAll(/new admin_setting_configexecutable\(\s*(?:name:\s*)?'([^']+)'/g)) {
      found.add(setting);
    }
  }
  return [...found].sort();
}

test('every path of a program that this Moodle asks for is the image’s', () => {
  const print = `require '${image}/scripts/lib/programs.php'; echo json_encode(array_keys(moodle_lifecycle\\PROGRAMS));`;
  const known: string[] = JSON.parse(run('php', ['-r', print]).stdout);
  const asked = askedFor(moodle);
  expect(asked).toContain('pathtogs');
  expect(asked.filter((setting) => !known.includes(setting))).toEqual([]);
});
