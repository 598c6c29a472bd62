import { type PluginRelease, releaseOf } from '../../rehearsal/plugin-directory/release.ts';
import { makeTable, pluginFiles, savepoint } from './make-plugin.ts';

const CODE = 'local_codeonly';
const SCHEMA = 'local_withtable';

/** A page of the plugin, which says the version of its code without signing anybody in. */
const page = (component: string, words: string) =>
  [
    '<?php',
    "define('NO_MOODLE_COOKIES', true);",
    "require('../../config.php');",
    `echo json_encode(['code' => \\${component}\\facts::VERSION, ${words}]);`,
    '',
  ].join('\n');

/** A plugin whose versions differ in code and words alone: Moodle needs no maintenance for its update. */
export function codeOnly(version: 1 | 2): PluginRelease {
  return releaseOf(
    pluginFiles({
      component: CODE,
      version: 2026010100 + version,
      tables: { [CODE]: ['amount'] },
      upgrade: '',
      files: {
        'index.php': page(CODE, `'words' => get_string('version', '${CODE}')`),
        // A setting that the new version has and the old one has not: Moodle's upgrade writes its default.
        'settings.php': [
          '<?php',
          "defined('MOODLE_INTERNAL') || die();",
          'if ($hassiteconfig) {',
          `    $page = new admin_settingpage('${CODE}', 'Made up');`,
          ...[1, 2]
            .slice(0, version)
            .map(
              (n) => `    $page->add(new admin_setting_configtext('${CODE}/setting${n}', 's', 'd', 'default ${n}'));`,
            ),
          "    $ADMIN->add('localplugins', $page);",
          '}',
          '',
        ].join('\n'),
      },
    }),
  );
}

/** What the second and the third version of the plugin with tables add: the same work, under names of their own. */
const additions = [
  { version: 2026010102, column: 'more', table: `${SCHEMA}_two` },
  { version: 2026010103, column: 'most', table: `${SCHEMA}_three` },
] as const;

/** A plugin whose every newer version has another column, another table and rows of its own. */
export function withTable(version: 1 | 2 | 3): PluginRelease {
  const added = additions.slice(0, version - 1);
  return releaseOf(
    pluginFiles({
      component: SCHEMA,
      version: 2026010100 + version,
      tables: {
        [SCHEMA]: ['amount', ...added.map(({ column }) => column)],
        ...Object.fromEntries(added.map(({ table }) => [table, ['n']])),
      },
      upgrade: added.map(upgradeStep).join('\n'),
      files: {
        'index.php': page(SCHEMA, `'tables' => array_values(preg_grep('/^${SCHEMA}/', $DB->get_tables(false)))`),
      },
    }),
  );
}

const upgradeStep = ({ version, column, table }: (typeof additions)[number]) =>
  [
    `if ($oldversion < ${version}) {`,
    `$table = new xmldb_table('${SCHEMA}');`,
    `$field = new xmldb_field('${column}', XMLDB_TYPE_INTEGER, '10', null, XMLDB_NOTNULL, null, '0');`,
    'if (!$dbman->field_exists($table, $field)) {',
    '    $dbman->add_field($table, $field);',
    '}',
    makeTable(table).replace(
      '$table->add_key',
      "$table->add_field('n', XMLDB_TYPE_INTEGER, '10', null, XMLDB_NOTNULL, null, '0');\n$table->add_key",
    ),
    `$DB->insert_record('${table}', ['n' => 7]);`,
    savepoint(SCHEMA, version),
    '}',
  ].join('\n');
