import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readVersionFile } from '../../rehearsal/moodle/version-file.ts';

type Folders = Readonly<Record<string, string>>;

/** What a real release of Moodle says of its own code, kept as facts: of this the trees are made that tests run on. */
export interface MoodleTree {
  readonly release: string;
  readonly version: string;
  readonly branch: number;
  /** Folder that a web server serves, from the root. */
  readonly served: '' | 'public';
  /** Keys of lib/components.json at the root. */
  readonly components: {
    readonly plugintypes: Folders;
    readonly deprecatedplugintypes?: Folders;
    readonly subsystems: Readonly<Record<string, string | null>>;
  };
  /** `standard` of lib/plugins.json at the root. */
  readonly standard: Readonly<Record<string, readonly string[]>>;
  /** db/subplugins.json of each plugin that has one, by the plugin's folder. */
  readonly subplugins: Readonly<Record<string, object>>;
  /** What \core\component says, asked by running it. */
  readonly types: Folders;
  readonly deprecated: Folders;
  readonly parents: readonly string[];
}

const folder = fileURLToPath(new URL('./moodle-trees/', import.meta.url));
const ask = fileURLToPath(new URL('../../image/plugin-tools/ask_moodle.php', import.meta.url));

/** Releases of which facts are kept. */
export function recordedReleases(): string[] {
  return readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
}

export function recordedTree(release: string): MoodleTree {
  return JSON.parse(readFileSync(join(folder, `${release}.json`), 'utf8')) as MoodleTree;
}

/** Looks at a real Moodle, by its own tables and by running its own classes. */
export function recordTree(directory: string): MoodleTree {
  const root = resolve(directory);
  const { version, release, branch } = readVersionFile(root);
  const table = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const { plugintypes, deprecatedplugintypes, subsystems } = table('lib/components.json');
  const { types, deprecated, parents } = askMoodle(root);
  const served = existsSync(join(root, 'public/version.php')) ? 'public' : '';
  const subplugins: Record<string, object> = {};
  for (const parent of parents) {
    for (const name of readdirSync(join(root, types[parent] ?? '')).sort()) {
      const plugin = `${types[parent]}/${name}`;
      if (existsSync(join(root, plugin, 'db/subplugins.json'))) {
        subplugins[plugin] = table(`${plugin}/db/subplugins.json`);
      }
    }
  }
  return {
    release,
    version,
    branch,
    served,
    components: { plugintypes, ...(deprecatedplugintypes ? { deprecatedplugintypes } : {}), subsystems },
    standard: table('lib/plugins.json').standard,
    subplugins,
    types,
    deprecated,
    parents,
  };
}

/** What Moodle's own classes answer; the same process as check-moodle starts. */
export function askMoodle(root: string): Pick<MoodleTree, 'types' | 'deprecated' | 'parents'> & {
  readonly standard: MoodleTree['standard'];
  readonly plugins: Readonly<Record<string, { readonly folder: string; readonly problem?: string }>>;
} {
  const scratch = mkdtempSync(join(tmpdir(), 'ask-moodle-'));
  try {
    const { stdout, stderr } = spawnSync(
      'php',
      ['-d', 'display_errors=stderr', '-d', 'memory_limit=1G', ask, root, scratch],
      {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      },
    );
    const line = stdout.trimEnd().split('\n').at(-1) ?? '';
    if (!line.startsWith('{')) throw new Error(`Moodle in ${root} does not answer: ${stderr.slice(-500)}`);
    return JSON.parse(line);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

// node test/image/record-moodle-tree.ts <folder of Moodle> …
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const directory of process.argv.slice(2)) {
    const tree = recordTree(directory);
    const name = /^[\d.]+/.exec(tree.release)?.[0];
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(tree, null, 2)}\n`);
  }
}
