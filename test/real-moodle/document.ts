import type { FileResult, Row } from './results.ts';

/** `docs/tested.md`. */
export function tested(rows: readonly Row[]): string {
  return [
    '# What was run on a real Moodle',
    '',
    'Written by `npm run test:moodle`, from `docs/tested.json`; never by hand. A row is what was run with one release, one',
    'PHP and one kind of database, and nothing else: what is not in it was not run. A test that was left out says why in the',
    'run itself. Tests in `test/image/` start the databases that they are about themselves.',
    '',
    'Moodle 4.5 cannot run on PHP 8.4: its own environment check refuses it (`restrict_php_version_84`). Moodle 4.4 is for',
    'PHP 8.1 to 8.3 as well, and does not check it.',
    '',
    ...(rows.length === 0 ? ['Nothing yet.'] : [...table(rows), ...rows.flatMap(details)]),
    '',
  ].join('\n');
}

function table(rows: readonly Row[]): string[] {
  return [
    '| Moodle | PHP | database | caches | system | tests | result | date |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map((row) => {
      const sum = total(Object.values(row.files));
      const result = sum.failed === 0 ? 'all passed' : `**${sum.failed} failed**`;
      const count = `${sum.passed + sum.failed} run${sum.skipped > 0 ? `, ${sum.skipped} left out` : ''}`;
      const cells = [row.moodle, row.php, row.database, row.caches, row.system, count, result, sum.date];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

function details({ moodle, php, database, files }: Row): string[] {
  const number = moodle.split(' ')[0];
  return [
    '',
    `## ${number}, PHP ${php}, ${database}`,
    '',
    '| tests | passed | failed | left out | seconds | date |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(files).map(
      ([name, { passed, failed, skipped, seconds, date }]) =>
        `| \`${name}\` | ${passed} | ${failed} | ${skipped} | ${seconds} | ${date} |`,
    ),
  ];
}

function total(files: readonly FileResult[]) {
  const sum = (of: 'passed' | 'failed' | 'skipped') => files.reduce((all, file) => all + file[of], 0);
  const [first = '', last = first] = [files.map(({ date }) => date).sort()].flatMap((all) => [
    all[0] ?? '',
    all.at(-1) ?? '',
  ]);
  return {
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    date: first === last ? last : `${first} to ${last}`,
  };
}
