import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { image, leftOut, run } from './run.ts';

const noPhp = leftOut('the checks of the scripts that upgrade a database', 'php', 'setpriv');

let folder: string;
let environment: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'upgrade-scripts-'));
  const write = (path: string, content: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  };
  const plugins = { local: { one: 'local/one', one_more: 'local/one_more' }, tool: { two: 'admin/tool/two' } };
  const cache = Object.entries(plugins).map(
    ([type, names]) =>
      `'${type}' => [${Object.entries(names).map(([name, path]) => `'${name}' => '${folder}/code/${path}'`)}]`,
  );
  write('local/component-cache/core_component.php', `<?php $cache = ['plugins' => [${cache}]];`);
  write('code/version.php', `<?php\n$version  = 2024100706.00;\n$release  = '4.5.6';\n$branch   = '405';\n`);
  write('code/local/one/version.php', `<?php defined('MOODLE_INTERNAL') || die(); $plugin->version = 2026010102;`);
  write('code/local/one/db/upgrade.php', '<?php if ($oldversion < 2026010102) {} if ($oldversion < 2026010105) {}');
  write(
    'code/admin/tool/two/version.php',
    '<?php $plugin->version = 2025010100.01; $plugin->maturity = MATURITY_STABLE;',
  );
  mkdirSync(join(folder, 'shared'));
  environment = {
    MOODLE_LOCAL: join(folder, 'local'),
    MOODLE_DIRROOT: join(folder, 'code'),
    MOODLE_DATAROOT: join(folder, 'shared'),
    MOODLE_NODE_SCRIPTS: image,
    MOODLE_UPLOAD_MAX: '1M',
    MOODLE_DATABASE_PASSWORD: 'the-secret-of-the-database',
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What an expression is, with a script's functions at hand. */
function evaluate(script: string, expression: string): unknown {
  const code = `namespace moodle_lifecycle; require '${image}/scripts/lib/${script}'; echo json_encode(${expression});`;
  const { status, stdout, stderr } = run('php', ['-r', code], environment);
  if (status !== 0) throw new Error(stderr + stdout);
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1));
}

const php = (lines: readonly string[]) => `json_decode(${quoted(JSON.stringify(lines))}, true)`;
const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

describe.skipIf(noPhp)('what Moodle says', () => {
  test.each([
    [
      'an exception in a plugin, with what developers are told',
      [
        '-->local_one',
        '!!! error/error !!!',
        '!! the table is cursed',
        'Error code: error !!',
        '!! Stack trace: * line 8 !!',
      ],
      'error/error: the table is cursed',
    ],
    [
      'an exception without more',
      ['!!! Table "user" already exists !!!', '!! Stack trace: * x !!'],
      'Table "user" already exists',
    ],
    [
      'a fatal error of PHP, with its file below the code',
      ['PHP Fatal error:  Allowed memory size of 1 bytes exhausted in {code}/local/one/db/upgrade.php:8'],
      'Allowed memory size of 1 bytes exhausted in local/one/db/upgrade.php:8',
    ],
    ['an error before there is a page', ['Default exception handler: it broke Debug: '], 'it broke'],
    ['nothing of the kind', ['-->local_one', '++ Success ++'], null],
  ])('%s', (_, lines, line) => {
    const real = lines.map((one) => one.replace('{code}', environment.MOODLE_DIRROOT ?? ''));
    expect(evaluate('moodle_output.php', `error_line(${php(real)})`)).toBe(line);
  });

  test('an answer of our own scripts is found among what plugins and PHP print around it, also at the end', () => {
    const said = [
      '{"not": "ours"}',
      '++ a message for developers ++',
      '',
      '{"pending": true}',
      '++ another ++',
      '{it',
      '',
    ];
    const json = `json_decode(${quoted(JSON.stringify(said.join('\n')))})`;
    expect(evaluate('moodle_facts.php', `last_json(${json})`)).toEqual({ pending: true });
    expect(evaluate('moodle_facts.php', `last_json('[1] no object')`)).toBeNull();
  });

  test('the plugin that was being upgraded is the last that was named', () => {
    const lines = ['-->System', '++ Success ++', '-->local_one', '++ Success ++', '-->local_one_more', 'words'];
    expect(evaluate('moodle_output.php', `current_component(${php(lines)})`)).toBe('local_one_more');
    expect(evaluate('moodle_output.php', `current_component(${php(['-->System'])})`)).toBe('core');
    expect(evaluate('moodle_output.php', 'current_component([])')).toBeNull();
  });

  test.each([
    ['Call to undefined function local_one_nowhere()', 'local_one'],
    ['it broke in local/one_more/lib.php:3', 'local_one_more'],
    ['it broke in admin/tool/two/lib.php:3', 'tool_two'],
    ['it broke in lib/moodlelib.php:3', null],
  ])('“%s” is of %s', (line, component) => {
    expect(evaluate('moodle_facts.php', `component_in(${quoted(line)})`)).toBe(component);
  });

  // After the last plugin Moodle reads the settings.php of all (admin_apply_default_settings(), seen on 4.5.6 and 5.1.3).
  test.each([
    [
      'the one whose file failed, not the one that Moodle named last',
      'Call to undefined function nowhere() in {code}/local/one/settings.php:5',
      'local_one',
    ],
    [
      'the one that Moodle named last, where the file is none of a plugin',
      'Call to undefined function local_one_nowhere() in {code}/lib/adminlib.php:5',
      'tool_two',
    ],
  ])('the plugin to blame is %s', (_, error, component) => {
    const fatal = `PHP Fatal error:  Uncaught Error: ${error.replace('{code}', environment.MOODLE_DIRROOT ?? '')}`;
    const lines = php(['-->local_one', '++ Success ++', '-->tool_two', '++ Success ++', fatal]);
    const problem = `moodle_problem('It failed', new ended_process(255, 0, false, 1.0, ${lines}, ''))`;
    expect(evaluate('moodle_facts.php', `${problem}->details['plugin']`)).toBe(component);
    expect(evaluate('moodle_facts.php', `${problem}->getMessage()`)).toContain(
      `It failed, in ${component}: Uncaught Error`,
    );
  });
});

describe.skipIf(noPhp)('versions', () => {
  test('of the code are those of every version.php', () => {
    expect(evaluate('versions.php', 'code_versions()')).toEqual({
      core: 2024100706,
      local_one: 2026010102,
      tool_two: 2025010100.01,
    });
  });

  test('are older, newer or missing', () => {
    const made = [
      [1, 2],
      [2, 1],
      [2, null],
      [null, 2],
    ].map((versions) => `new component_version('local_one', ${versions.map((one) => JSON.stringify(one)).join(', ')})`);
    const kind = '[$one->is_older(), $one->is_newer(), $one->is_missing()]';
    expect(evaluate('versions.php', `array_map(fn($one) => ${kind}, [${made.join(', ')}])`)).toEqual([
      [true, false, false],
      [false, true, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  test('a step between the versions needs maintenance, though its file did not change', () => {
    const from = (version: number) => `has_upgrade_step(new component_version('local_one', 2026010102, ${version}))`;
    expect(evaluate('upgrade_needs.php', from(2026010101))).toBe(true);
    expect(evaluate('upgrade_needs.php', from(2026010102))).toBe(false);
  });
});

describe.skipIf(noPhp)('maintenance', () => {
  const page = () => join(environment.MOODLE_DATAROOT ?? '', 'climaintenance.html');

  test('is begun and ended once, and that of others is left alone', () => {
    const each = (...calls: string[]) =>
      evaluate('maintenance.php', `[${calls.map((call) => `(new maintenance())->${call}`).join(', ')}]`);
    expect(each('state()', 'end()', "begin('<p>closed</p>')", "begin('again')", 'state()')).toEqual([
      'off',
      'was off',
      true,
      false,
      'ours',
    ]);
    expect(readFileSync(page(), 'utf8')).toContain('<p>closed</p>');
    expect(each('end()', 'state()')).toEqual(['ended', 'off']);
    writeFileSync(page(), 'closed by hand');
    expect(each('state()', "begin('ours')", 'end()', 'state()')).toEqual(['theirs', false, 'not ours', 'theirs']);
    expect(readFileSync(page(), 'utf8')).toBe('closed by hand');
    rmSync(page());
  });
});

describe.skipIf(noPhp)('a process', () => {
  const ran = (script: string, seconds = 20, more = '') =>
    evaluate('moodle_process.php', `run_process(['sh', '-c', ${quoted(script)}], ${seconds}${more})`) as {
      code: number;
      signal: number;
      overtime: boolean;
      seconds: number;
      lines: string[];
      output: string;
    };

  test('ends with its code and its lines, without secrets', () => {
    const ended = ran('echo one; echo two the-secret-of-the-database >&2; exit 3');
    expect(ended).toMatchObject({ code: 3, signal: 0, overtime: false, output: 'one\n' });
    expect(ended.lines.sort()).toEqual(['one', 'two •••']);
  });

  test('that does not end is killed; what it started holds nobody up', () => {
    const ended = ran('sleep 100 & sleep 100', 0.5);
    expect(ended).toMatchObject({ overtime: true, signal: 9 });
    expect(ended.seconds).toBeLessThan(10);
  });

  test('that goes on saying something is not killed, however long it takes; one that falls silent is', () => {
    const slow = ran('for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.5; done', 3, ', silent: true');
    expect(slow).toMatchObject({ code: 0, overtime: false, output: '1\n2\n3\n4\n5\n6\n7\n8\n' });
    expect(slow.seconds).toBeGreaterThan(3);
    expect(ran('echo one; sleep 100', 0.5, ', silent: true')).toMatchObject({ overtime: true, output: 'one\n' });
  });

  test('that kills itself is known by its signal', () => {
    expect(ran('kill -9 $$')).toMatchObject({ code: 0, signal: 9, overtime: false });
  });

  test('that says very much is read to its end, and its last lines are kept', () => {
    const ended = ran(
      'yes "a line" | head -n 5000; printf "no end"; head -c 200000 /dev/zero | tr "\\0" x; echo; echo last',
    );
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.lines).toHaveLength(200);
    expect(ended.lines.at(-1)).toBe('last');
  });
});

test.skipIf(noPhp)('PHP says why it ends, though a script switched that off', () => {
  writeFileSync(
    join(folder, 'fatal.php'),
    '<?php error_reporting(0); $all = []; while (true) { $all[] = str_repeat("x", 1 << 20); }',
  );
  const { stderr } = run('php', [
    ...[
      '-d',
      'display_errors=0',
      '-d',
      `auto_prepend_file=${image}/scripts/lib/say_fatal.php`,
      '-d',
      'memory_limit=32M',
    ],
    join(folder, 'fatal.php'),
  ]);
  expect(stderr).toContain('PHP Fatal error:  Allowed memory size of 33554432 bytes exhausted');
});
