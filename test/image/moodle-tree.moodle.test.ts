import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { leastDatabaseVersion, phpVersions } from '../../infra/moodle-requirements.ts';
import { numberOf } from '../../rehearsal/moodle/version-file.ts';
import { archivedFiles, archiveForms } from '../plugins/archives.ts';
import { recordedReleases, recordedTree, recordTree } from './record-moodle-tree.ts';
import { image, run } from './run.ts';
import { readByBuild, readByMoodle, shapes, values } from './version-php-shapes.ts';

const trees = [...new Set([process.env.MOODLE_DIR, ...(process.env.MOODLE_DIRS ?? '').split(':')])].filter(
  Boolean,
) as string[];
if (trees.length === 0) throw new Error('These tests need a real Moodle: set MOODLE_DIR to the folder of its code.');

describe.each(trees)('the Moodle in %s', (tree) => {
  const release = numberOf(recordTree(tree).release);

  test('is one that the image knows', () => {
    const { status, stdout, stderr } = run(join(image, 'check-moodle'), [tree]);
    expect({ status, problems: stderr }, stdout).toEqual({ status: 0, problems: '' });
    expect(stdout.match(/^ {2}in order: /gm)).toHaveLength(9);
  });

  test('is as it was recorded, so that tests on the recording say something of it', () => {
    // Another one is judged by check-moodle alone; node test/image/record-moodle-tree.ts <folder> keeps its facts.
    expect(recordedReleases(), `There is no recording of Moodle ${release}.`).toContain(release);
    expect(recordTree(tree)).toEqual(recordedTree(release));
  });

  test('reads every form of version.php as it was recorded, and as the build does', () => {
    const all = shapes();
    const moodle = readByMoodle(tree, all);
    const ours = readByBuild(tree, all);
    let compared = 0;
    for (const [index, shape] of all.entries()) {
      const [said, read] = [moodle[index] ?? {}, ours[index] ?? {}];
      const outcome = ({ refused, stops }: typeof said) => ({ refused: refused !== undefined, stops: stops ?? false });
      expect({ ...outcome(said), ...values(said) }, shape.php).toEqual({
        ...outcome(shape.moodle),
        ...values(shape.moodle),
      });
      if (
        read.unreadable === undefined &&
        !said.stops &&
        said.refused === undefined &&
        !shape.php.includes('$module->')
      ) {
        compared += 1;
        expect(values(read), shape.php).toEqual(values(said));
      }
    }
    expect(compared).toBeGreaterThan(340);
  });

  test.each(archiveForms)(
    'its own installer, of an archive with $name: $moodle it',
    ({ archive, moodle, more = [] }) => {
      const scratch = mkdtempSync(join(tmpdir(), 'unpack-'));
      try {
        writeFileSync(join(scratch, 'plugin.zip'), archive);
        const program = fileURLToPath(new URL('./unpack-with-moodle.php', import.meta.url));
        const words = ['-d', 'display_errors=stderr', program, tree, scratch, join(scratch, 'plugin.zip'), 'sample'];
        const { stdout, stderr } = spawnSync('php', words, { encoding: 'utf8' });
        expect(stdout, stderr).toMatch(/^\{/);
        const { files, takes } = JSON.parse(stdout);
        expect(takes ? 'takes' : 'refuses').toBe(moodle);
        if (takes) {
          expect(Object.keys(files).sort()).toEqual(
            [...Object.keys(archivedFiles), ...more].map((file) => `sample/${file}`).sort(),
          );
        }
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
  );

  test.skipIf(release.startsWith('4.4'))('requires what the options of a deploy are checked against', () => {
    const { stdout } = run(join(image, 'check-moodle'), [tree]);
    const [least] = phpVersions(release);
    expect(stdout).toContain(`PHP ${least}.0 or newer`);
    const named = { postgresql: 'postgres', mysql: 'mysql', mariadb: 'mariadb' } as const;
    for (const [family, vendor] of Object.entries(named)) {
      expect(stdout).toContain(`${vendor} ${leastDatabaseVersion(release, family as keyof typeof named)},`);
    }
  });
});
