import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { recordedTree } from './record-moodle-tree.ts';

const plugin = (component: string, version: string) =>
  `<?php\n$plugin->component = '${component}';\n$plugin->version = ${version};\n$plugin->requires = ${version};\n`;

/** Files that the tests' trees need empty: a build looks whether they are there. */
const present = [
  'admin/cli/alternative_component_cache.php',
  'admin/cli/cron.php',
  'admin/cli/install_database.php',
  'admin/cli/uninstall_plugins.php',
  'admin/cli/upgrade.php',
  'config-dist.php',
];
const presentWhereServed = [
  'admin/index.php',
  'index.php',
  'lib/adminlib.php',
  'lib/classes/component.php',
  'lib/classes/plugin_manager.php',
  'lib/clilib.php',
  'lib/componentlib.class.php',
  'lib/environmentlib.php',
  'lib/installlib.php',
  'lib/setup.php',
  'lib/upgradelib.php',
  'login/index.php',
];

/**
 * What of Moodle's code the commands of a build look at: the tables, folders and declared subplugins of a real release, as
 * they were recorded, and of its plugins the few that tests name. It is no Moodle: nothing of it runs. That the recordings
 * are true of those releases is checked where a real one is at hand (moodle-tree.moodle.test.ts).
 */
export function makeCodeTree(root: string, release = '4.5.6'): string {
  const tree = recordedTree(release);
  const { served, components, standard, types } = tree;
  const number = Math.floor(Number(tree.version) / 100) * 100;
  const at = (type: string, name: string) => `${types[type]}/${name}`;
  const files: Record<string, string> = {
    [join(served, 'version.php')]:
      `<?php\n$version  = ${tree.version};\n$release  = '${tree.release}';\n$branch   = '${tree.branch}';\n`,
    'lib/components.json': JSON.stringify(components),
    'lib/plugins.json': JSON.stringify({ standard }),
    [join(served, 'lib/db/install.xml')]: '<TABLE NAME="user" COMMENT="">',
    [join(served, 'admin/environment.xml')]: environment(tree.release),
    ...Object.fromEntries(present.map((file) => [file, '<?php\n'])),
    ...Object.fromEntries(presentWhereServed.map((file) => [join(served, file), '<?php\n'])),
    ...(served === '' ? {} : { [join(served, 'config.php')]: '<?php\n' }),
    ...Object.fromEntries(Object.values(types).map((folder) => [`${folder}/readme.txt`, ''])),
    ...Object.fromEntries(
      Object.entries(tree.subplugins).map(([folder, said]) => [`${folder}/db/subplugins.json`, JSON.stringify(said)]),
    ),
    [`${at('mod', 'forum')}/version.php`]: plugin('mod_forum', `${number}`),
    [`${at('mod', 'forum')}/db/install.xml`]: '<TABLE NAME="forum" COMMENT="">',
    [`${at('mod', 'assign')}/version.php`]: plugin('mod_assign', `${number}`),
    [`${at('assignsubmission', 'file')}/version.php`]: plugin('assignsubmission_file', `${number}`),
  };
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return root;
}

function environment(release: string): string {
  const branch = /^\d+\.\d+/.exec(release)?.[0];
  return (
    `<?xml version="1.0"?><COMPATIBILITY_MATRIX><MOODLE version="${branch}"><DATABASE level="required">` +
    '<VENDOR name="postgres" version="13"/></DATABASE><PHP version="8.1.0" level="required"/><PHP_EXTENSIONS>' +
    '<PHP_EXTENSION name="json" level="required"/></PHP_EXTENSIONS></MOODLE></COMPATIBILITY_MATRIX>'
  );
}
