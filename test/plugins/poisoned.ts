import { entriesOf, type PluginRelease, releaseOf, type Said } from '../../rehearsal/plugin-directory/release.ts';
import { type ZipEntry, zip } from '../../rehearsal/plugin-directory/zip.ts';
import { makeTable, type PluginSource, pluginFiles, savepoint } from './make-plugin.ts';

export const POISONED = 'local_poisoned';
const FIRST = 2026010101;
const SECOND = 2026010102;

/** Version 1, which is in order and installed, and has a table and rows. */
export const beforePoison: PluginRelease = releaseOf(
  pluginFiles({ component: POISONED, version: FIRST, tables: { [POISONED]: ['amount'] }, upgrade: '' }),
);

/**
 * Where an update with a poisoned plugin ends at the latest: `add` and `check` are steps of the build; `plan` is the
 * task that asks Moodle; `upgrade` is Moodle's upgrade itself; `pages` is the look at pages after it.
 */
export type StoppedIn = 'add' | 'check' | 'plan' | 'upgrade' | 'pages';

export interface Poison {
  readonly name: string;
  readonly stoppedIn: StoppedIn;
  /** What is said, in the line that names the plugin. */
  readonly words: RegExp;
  /** Version 2 of the plugin. */
  readonly release: PluginRelease;
  /** What a manifest says of the release where the archive is something else. */
  readonly pinned?: Partial<{ readonly version: number; readonly sha256: string }>;
  /** Whether Moodle would go without maintenance for it. */
  readonly withoutMaintenance?: true;
}

const files = (source: Partial<PluginSource> = {}) =>
  pluginFiles({ component: POISONED, version: SECOND, tables: { [POISONED]: ['amount'] }, upgrade: '', ...source });
const release = (source: Partial<PluginSource> = {}, said?: Said) => releaseOf(files(source), said);
const inUpgrade = (...lines: string[]) =>
  release({ upgrade: [`if ($oldversion < ${SECOND}) {`, ...lines, savepoint(POISONED, SECOND), '}'].join('\n') });
/** An archive with something beside what belongs in it. */
const packedWith = (...more: ZipEntry[]) => release({}, { archive: zip([...entriesOf(POISONED, files()), ...more]) });
/** A function that Moodle calls by its name, with code that `php -l` has nothing against. */
const callback = (name: string, returns: string, ...lines: string[]) =>
  [
    '<?php',
    `function ${POISONED}_${name}() {`,
    ...lines.map((line) => `    ${line}`),
    `    return ${returns};`,
    '}',
    '',
  ].join('\n');
const afterUpgrade = (code: string) => `if (get_config('${POISONED}', 'version') >= ${SECOND}) { ${code} }`;

export const poisons: readonly Poison[] = [
  {
    name: 'syntax error',
    stoppedIn: 'check',
    words: /lib\.php does not parse: Parse error: .*unexpected/,
    release: release({ files: { 'lib.php': '<?php\nfunction broken( {\n' } }),
  },
  {
    name: 'syntax of a newer PHP',
    stoppedIn: 'check',
    words: /lib\.php does not parse: Parse error/,
    release: release({ files: { 'lib.php': "<?php\n$shout = 'quiet' |> strtoupper(...);\n" } }),
  },
  {
    name: 'newer PHP required in environment.xml',
    stoppedIn: 'check',
    words: /its environment\.xml requires PHP 99\.0/,
    release: release({
      files: {
        'environment.xml':
          '<?xml version="1.0"?><COMPATIBILITY_MATRIX><PLUGIN name="local_poisoned"><PHP version="99.0" level="required"/></PLUGIN></COMPATIBILITY_MATRIX>',
      },
    }),
  },
  {
    name: 'version.php that throws on this PHP',
    stoppedIn: 'add',
    words: /its version\.php says cannot be read: version\.php line \d+: it throws an exception here, and Moodle stops/,
    release: release({ says: ["if (PHP_VERSION_ID < 990000) { throw new Exception('needs PHP 99'); }"] }),
  },
  {
    name: 'version.php that does not end',
    stoppedIn: 'add',
    words:
      /its version\.php says cannot be read: version\.php line \d+: “while” is more than a plugin’s version is read from/,
    release: release({ says: ['while (true) { usleep(1000); }'] }),
  },
  {
    name: 'missing dependency',
    stoppedIn: 'check',
    words: /it needs local_nowhere, which is not in the image/,
    release: release({ says: ["$plugin->dependencies = ['local_nowhere' => ANY_VERSION];"] }),
  },
  {
    name: 'dependency too old',
    stoppedIn: 'check',
    words: /it needs mod_forum 2099010100 or newer; the image has \d+/,
    release: release({ says: ["$plugin->dependencies = ['mod_forum' => 2099010100];"] }),
  },
  {
    name: 'newer Moodle required',
    stoppedIn: 'check',
    words: /it requires Moodle 2099010100 or newer; this is \d+/,
    release: release({ requires: 2099010100 }),
  },
  {
    name: 'incompatible with this Moodle',
    stoppedIn: 'check',
    words: /it cannot run on Moodle \d+ \(incompatible from 401 on\)/,
    release: release({ says: ['$plugin->incompatible = 401;'] }),
  },
  {
    name: 'downgrade',
    stoppedIn: 'plan',
    words: /older/,
    release: release({ version: 2020010100 }),
  },
  {
    name: 'another version in the archive',
    stoppedIn: 'add',
    words: /its archive holds version 2020010100, not 2026010102/,
    release: release({ version: 2020010100 }, { version: SECOND }),
  },
  {
    name: 'wrong checksum',
    stoppedIn: 'add',
    words: /has the SHA-256 [0-9a-f]{64}, not 0{64}/,
    release: release({}, { md5: '0'.repeat(32) }),
    pinned: { sha256: '0'.repeat(64) },
  },
  {
    name: 'path outside its folder',
    stoppedIn: 'add',
    words: /“poisoned\/\.\.\/\.\.\/escaped\.php”, which leads out of its folder/,
    release: packedWith({ name: 'poisoned/../../escaped.php', content: '<?php' }),
  },
  {
    name: 'absolute path',
    stoppedIn: 'add',
    words: /“\/tmp\/escaped\.php”, which leads out of its folder/,
    release: packedWith({ name: '/tmp/escaped.php', content: '<?php' }),
  },
  {
    name: 'symbolic link',
    stoppedIn: 'add',
    words: /“poisoned\/link”, which is a symbolic link/,
    release: packedWith({ name: 'poisoned/link', content: '/etc/passwd', mode: 0o120777 }),
  },
  {
    name: 'two folders',
    stoppedIn: 'add',
    words: /more than one folder: poisoned and other/,
    release: packedWith({ name: 'other/version.php', content: '<?php' }),
  },
  {
    name: 'file beside its folder',
    stoppedIn: 'add',
    words: /“config\.php” beside its folder/,
    release: packedWith({ name: 'config.php', content: '<?php' }),
  },
  {
    name: 'empty archive',
    stoppedIn: 'add',
    words: /its archive is (empty|not a zip file)/,
    release: release({}, { archive: zip([]) }),
  },
  {
    name: 'no archive at all',
    stoppedIn: 'add',
    words: /its archive is not a zip file/,
    release: release({}, { archive: Buffer.from('<html>Sign in first</html>') }),
  },
  {
    name: 'another plugin in the archive',
    stoppedIn: 'add',
    words: /its archive holds local_other/,
    release: releaseOf(pluginFiles({ component: 'local_other', version: SECOND }), { component: POISONED }),
  },
  {
    name: 'table of somebody else in install.xml',
    stoppedIn: 'check',
    words: /its table forum is also one of mod_forum/,
    release: release({ tables: { [POISONED]: ['amount'], forum: ['x'] } }),
  },
  {
    name: 'exception in the upgrade',
    stoppedIn: 'upgrade',
    words: /the database of this plugin is cursed/,
    release: inUpgrade(
      "throw new moodle_exception('error', 'error', '', null, 'the database of this plugin is cursed');",
    ),
  },
  {
    name: 'half an upgrade',
    stoppedIn: 'upgrade',
    words: /stopped in the middle/,
    release: inUpgrade(
      makeTable(`${POISONED}_half`),
      `$DB->insert_record('${POISONED}', ['amount' => 666]);`,
      "throw new Exception('stopped in the middle');",
    ),
  },
  {
    name: 'table that is there already',
    stoppedIn: 'upgrade',
    words: /(already exists|ddlexecuteerror|DDL sql execution error)/i,
    release: inUpgrade(makeTable('user')),
  },
  {
    name: 'upgrade that says no',
    stoppedIn: 'upgrade',
    words: /local_poisoned/,
    release: release({ upgrade: 'return false;' }),
  },
  {
    name: 'error of PHP in the upgrade',
    stoppedIn: 'upgrade',
    words: /undefined function local_poisoned_nowhere/,
    release: inUpgrade(`$DB->set_field('${POISONED}', 'amount', 666);`, 'local_poisoned_nowhere();'),
  },
  {
    name: 'hang',
    stoppedIn: 'upgrade',
    words: /did not end within/,
    release: inUpgrade('while (true) { sleep(1); }'),
  },
  {
    name: 'memory bomb',
    stoppedIn: 'upgrade',
    words: /Allowed memory size/,
    release: inUpgrade("$all = []; while (true) { $all[] = str_repeat('x', 1 << 20); }"),
  },
  {
    name: 'end of the process that looks like success',
    stoppedIn: 'upgrade',
    words: /ended before it was done/,
    release: inUpgrade(`$DB->set_field('${POISONED}', 'amount', 666);`, 'exit(0);'),
  },
  {
    name: 'process that kills itself',
    stoppedIn: 'upgrade',
    words: /was killed by signal 9/,
    release: inUpgrade('posix_kill(getmypid(), SIGKILL);'),
  },
  {
    name: 'savepoint beyond its own version',
    stoppedIn: 'upgrade',
    words: /older than the database: local_poisoned/,
    release: inUpgrade(savepoint(POISONED, 2099010100), 'return true;'),
  },
  {
    name: 'fatal in Moodle itself',
    stoppedIn: 'plan',
    words: /Cannot (re)?declare class core_component/,
    release: release({
      files: { 'lib.php': callback('after_config', '', "eval('class core_component {}');") },
    }),
    withoutMaintenance: true,
  },
  {
    name: 'fatal on pages after the upgrade',
    stoppedIn: 'pages',
    words: /answers HTTP 500.*undefined function local_poisoned_nowhere/s,
    release: release({
      files: { 'lib.php': callback('before_http_headers', '', afterUpgrade('local_poisoned_nowhere();')) },
    }),
    withoutMaintenance: true,
  },
  {
    name: 'end of PHP on pages after the upgrade',
    stoppedIn: 'pages',
    words: /answers HTTP 500.*Allowed memory size/s,
    release: release({
      files: {
        'lib.php': callback('after_config', '', afterUpgrade("if (!CLI_SCRIPT) { str_repeat('x', 1 << 40); }")),
      },
    }),
    withoutMaintenance: true,
  },
  {
    name: 'fatal on pages after an upgrade of tables',
    stoppedIn: 'pages',
    words: /answers HTTP 500.*undefined function local_poisoned_nowhere/s,
    release: release({
      upgrade: [`if ($oldversion < ${SECOND}) {`, makeTable(`${POISONED}_two`), savepoint(POISONED, SECOND), '}'].join(
        '\n',
      ),
      files: {
        'lib.php': callback('before_standard_html_head', "''", afterUpgrade('local_poisoned_nowhere();')),
      },
    }),
  },
];
