import { describe, expect, it } from 'vitest';
import { tested } from '../real-moodle/document.ts';
import { type Row, resultsOf, withRun } from '../real-moodle/results.ts';
import { readDocument } from './markdown.ts';

const on: Omit<Row, 'files'> = {
  moodle: '5.1.3 (Build: 20260216)',
  php: '8.4.27',
  database: 'PostgreSQL 18.4',
  caches: 'Redis 8.0.2, Memcached 1.6.38',
  system: 'Debian GNU/Linux 13 (trixie)',
};
const passed = { date: '2026-11-28', passed: 3, failed: 0, skipped: 1, seconds: 60 };

it('docs/tested.md is what docs/tested.json says', () => {
  expect(readDocument('docs/tested.md')).toBe(tested(JSON.parse(readDocument('docs/tested.json'))));
});

describe('a run on a real Moodle', () => {
  it('is a row, and files that are run later on the same join it', () => {
    const first = withRun([], { ...on, files: { 'test/b.test.ts': passed } });
    const second = withRun(first, { ...on, files: { 'test/a.test.ts': { ...passed, failed: 1 } } });
    expect(second).toEqual([
      { ...on, files: { 'test/a.test.ts': { ...passed, failed: 1 }, 'test/b.test.ts': passed } },
    ]);
    expect(tested(second)).toContain(
      '| 5.1.3 (Build: 20260216) | 8.4.27 | PostgreSQL 18.4 | Redis 8.0.2, Memcached 1.6.38 | ' +
        'Debian GNU/Linux 13 (trixie) | 7 run, 2 left out | **1 failed** | 2026-11-28 |',
    );
  });

  it('on a newer PHP of the same kind takes the place of the older, with nothing of its results', () => {
    const older = withRun([], { ...on, php: '8.4.26', files: { 'test/b.test.ts': passed } });
    const newer = { ...on, files: { 'test/a.test.ts': passed } };
    const other = { ...on, php: '8.2.36', files: { 'test/a.test.ts': passed } };
    expect(withRun(withRun(older, newer), other)).toEqual([other, newer]);
  });

  it('that ran nothing leaves no row', () => {
    expect(withRun([], { ...on, files: {} })).toEqual([]);
    const none = { name: '/clone/test/none.test.ts', status: 'passed', startTime: 0, endTime: 1 } as const;
    const skipped = { ...none, assertionResults: [{ status: 'skipped' }] };
    expect(resultsOf({ testResults: [skipped] }, (path) => path, '2026-11-28')).toEqual({});
  });

  it('counts a file that did not come to its tests as failed', () => {
    const file = { name: '/clone/test/x.test.ts', status: 'failed', startTime: 1_000, endTime: 3_400 } as const;
    const reports = [
      { ...file, assertionResults: [] },
      { ...file, name: '/clone/test/y.test.ts', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
    ];
    expect(resultsOf({ testResults: reports }, (path) => path.slice('/clone/'.length), '2026-11-28')).toEqual({
      'test/x.test.ts': { date: '2026-11-28', passed: 0, failed: 1, skipped: 0, seconds: 2 },
      'test/y.test.ts': { date: '2026-11-28', passed: 1, failed: 1, skipped: 0, seconds: 2 },
    });
  });
});
