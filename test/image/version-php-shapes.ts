import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What Moodle's load_disk_version makes of a version.php; values that are null are left out. */
export interface DiskVersion {
  readonly version?: unknown;
  readonly requires?: unknown;
  readonly supported?: unknown;
  readonly incompatible?: unknown;
  readonly dependencies?: unknown;
  /** It throws for the form of `supported` or `incompatible`. */
  readonly refused?: unknown;
  /** PHP, or the file itself, ends Moodle. */
  readonly stops?: true;
}

/**
 * One form of version.php. Those with a name we wrote, after what people have published. The others are the forms, token by
 * token, of 2,809 different files of Moodle's own and of 575 other plugins in four public sites (Moodle 1.9 to 4.5), written
 * anew: without comments, with made-up names and words, and with their numbers. `moodle` is what Moodle 4.5.6 read.
 */
export interface Shape {
  readonly name?: string;
  readonly component: string;
  readonly php: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly moodle: DiskVersion;
}

export function shapes(): Shape[] {
  const text = readFileSync(new URL('./version-php-shapes.jsonl', import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Shape);
}

const program = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** What the build's reader makes of them, in their order. */
export function readByBuild(tree: string, all: readonly Shape[]) {
  return read(all, (folder) => [program('./read-version-files.php'), tree, folder]) as (DiskVersion & {
    readonly unreadable?: string;
    readonly problems?: readonly string[];
  })[];
}

/** What a real Moodle's own code makes of them, in their order. */
export function readByMoodle(tree: string, all: readonly Shape[]) {
  const scratch = mkdtempSync(join(tmpdir(), 'scratch-'));
  try {
    return read(all, (folder) => [program('./load-disk-version.php'), tree, scratch, folder]) as DiskVersion[];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function read(all: readonly Shape[], words: (folder: string) => string[]): unknown[] {
  const folder = mkdtempSync(join(tmpdir(), 'version-php-'));
  const placeOf = ({ component }: Shape, index: number) => `${component.split('_')[0]}/s${index}`;
  try {
    for (const [index, shape] of all.entries()) {
      for (const [name, text] of Object.entries({ 'version.php': shape.php, ...shape.files })) {
        const file = join(folder, placeOf(shape, index), name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
    const { stdout, stderr } = spawnSync('php', ['-d', 'display_errors=stderr', ...words(folder)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    if (!stdout.trimEnd().endsWith('}')) throw new Error(`PHP read nothing: ${stderr.slice(-500)}`);
    const answers = JSON.parse(stdout);
    return all.map((shape, index) => answers[placeOf(shape, index)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same values, whether null or left out. */
export function values({ version, requires, supported, incompatible, dependencies }: DiskVersion) {
  // Moodle makes a number of `incompatible`, and leaves the others as they are.
  const branch = incompatible == null ? undefined : Number(incompatible);
  const said = { version, requires, supported, incompatible: branch, dependencies };
  return Object.fromEntries(
    Object.entries(said).filter(([, value]) => value != null && !(Array.isArray(value) && value.length === 0)),
  );
}
