/** What `version.php` of a made-up plugin says, and its other files. */
export interface PluginSource {
  readonly component: string;
  readonly version: number;
  /** Lines of `version.php` after component and version, for example `$plugin->dependencies = ['mod_x' => 1];`. */
  readonly says?: readonly string[];
  /** Lowest Moodle version. Default: any that the tests run on. */
  readonly requires?: number;
  /** Tables of `db/install.xml`: columns beside the id, by name. */
  readonly tables?: Readonly<Record<string, readonly string[]>>;
  /** Body of the function of `db/upgrade.php`; `$dbman` and `$oldversion` are at hand. */
  readonly upgrade?: string;
  /** Other files, or others in the place of those that are made. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Files of a plugin, by path below its folder, as it would be written by hand. */
export function pluginFiles(source: PluginSource): Record<string, string> {
  const { component, version, says = [], requires = 2022041900, tables, upgrade, files = {} } = source;
  const [type = '', name = ''] = split(component);
  return {
    'version.php': [
      '<?php',
      "defined('MOODLE_INTERNAL') || die();",
      `$plugin->component = '${component}';`,
      `$plugin->version = ${version};`,
      `$plugin->release = 'release of ${version}';`,
      '$plugin->maturity = MATURITY_STABLE;',
      `$plugin->requires = ${requires};`,
      ...says,
      '',
    ].join('\n'),
    [`lang/en/${type === 'mod' ? name : component}.php`]: [
      '<?php',
      `$string['pluginname'] = 'Made-up ${component}';`,
      `$string['version'] = 'words of ${version}';`,
      '',
    ].join('\n'),
    'classes/facts.php': `<?php\nnamespace ${component};\n\nclass facts {\n    const VERSION = ${version};\n}\n`,
    ...(tables ? { 'db/install.xml': installXml(component, tables) } : {}),
    ...(upgrade === undefined ? {} : { 'db/upgrade.php': upgradePhp(component, upgrade) }),
    ...files,
  };
}

function split(component: string): string[] {
  const at = component.indexOf('_');
  return [component.slice(0, at), component.slice(at + 1)];
}

function upgradePhp(component: string, body: string): string {
  return [
    '<?php',
    "defined('MOODLE_INTERNAL') || die();",
    '',
    `function xmldb_${component}_upgrade($oldversion) {`,
    '    global $CFG, $DB;',
    '    $dbman = $DB->get_manager();',
    ...body.split('\n').map((line) => `    ${line}`),
    '    return true;',
    '}',
    '',
  ].join('\n');
}

/** Makes a table, if it is not there yet, inside an upgrade. */
export function makeTable(name: string): string {
  return [
    `$table = new xmldb_table('${name}');`,
    "$table->add_field('id', XMLDB_TYPE_INTEGER, '10', null, XMLDB_NOTNULL, XMLDB_SEQUENCE, null);",
    "$table->add_key('primary', XMLDB_KEY_PRIMARY, ['id']);",
    '$dbman->create_table($table);',
  ].join('\n');
}

export function savepoint(component: string, version: number): string {
  const [type, name] = split(component);
  return `upgrade_plugin_savepoint(true, ${version}, '${type}', '${name}');`;
}

function installXml(component: string, tables: Readonly<Record<string, readonly string[]>>): string {
  const [type, name] = split(component);
  const field = (column: string) =>
    `        <FIELD NAME="${column}" TYPE="int" LENGTH="10" NOTNULL="true" DEFAULT="0" SEQUENCE="false"/>`;
  const table = ([table, columns]: [string, readonly string[]]) => [
    `    <TABLE NAME="${table}" COMMENT="made up">`,
    '      <FIELDS>',
    '        <FIELD NAME="id" TYPE="int" LENGTH="10" NOTNULL="true" SEQUENCE="true"/>',
    ...columns.map(field),
    '      </FIELDS>',
    '      <KEYS>',
    '        <KEY NAME="primary" TYPE="primary" FIELDS="id"/>',
    '      </KEYS>',
    '    </TABLE>',
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8" ?>',
    `<XMLDB PATH="${type}/${name}/db" VERSION="20260101" COMMENT="made up">`,
    '  <TABLES>',
    ...Object.entries(tables).flatMap(table),
    '  </TABLES>',
    '</XMLDB>',
    '',
  ].join('\n');
}
