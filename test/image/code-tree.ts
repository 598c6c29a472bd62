import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const moodle = (name: string, requires: number) =>
  `<?php\n$plugin->component = '${name}';\n$plugin->version = ${requires};\n$plugin->requires = ${requires};\n`;

/** What of Moodle's code the commands of a build look at, in the layout of 4.x or, with `public`, of 5.1 and newer. */
export function makeCodeTree(root: string, layout: '' | 'public' = ''): string {
  const release = layout ? ['2025100600', '5.1', 501] : ['2024100706', '4.5.6', 405];
  const files: Record<string, string> = {
    'version.php': `<?php\n$version  = ${release[0]}.00;\n$release  = '${release[1]} (Build: 1)';\n$branch   = '${release[2]}';\n`,
    'lib/components.json': JSON.stringify({
      plugintypes: { mod: 'mod', editor: 'lib/editor', tool: 'admin/tool', local: 'local', block: 'blocks' },
    }),
    'lib/plugins.json': JSON.stringify({ standard: { mod: ['assign', 'forum'], assignsubmission: ['file'] } }),
    'lib/db/install.xml': '<TABLE NAME="user" COMMENT="">',
    'mod/forum/version.php': moodle('mod_forum', 2024100700),
    'mod/forum/db/install.xml': '<TABLE NAME="forum" COMMENT="">',
    'mod/assign/version.php': moodle('mod_assign', 2024100700),
    'mod/assign/db/subplugins.json': JSON.stringify(
      layout
        ? { subplugintypes: { assignsubmission: 'submission' } }
        : { plugintypes: { assignsubmission: 'mod/assign/submission' } },
    ),
    'mod/assign/submission/file/version.php': moodle('assignsubmission_file', 2024100700),
    'local/readme.txt': '',
    'lib/editor/readme.txt': '',
    'admin/tool/readme.txt': '',
    'blocks/readme.txt': '',
  };
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, layout, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return root;
}
