import { expect, test } from 'vitest';
import { duration, plainWords, wrap } from '../../console/words.ts';

test.each([
  [0, '0 s'],
  [59_999, '59 s'],
  [65_000, '1 min 05 s'],
  [3_600_000, '1 h 00 min'],
  [-5, '0 s'],
])('%d ms is %s', (milliseconds, words) => {
  expect(duration(milliseconds)).toBe(words);
});

test.each([
  [undefined, ''],
  [{}, ''],
  ['done', 'done'],
  [{ site: 'demo', upgradePending: false }, 'site demo, upgrade pending no'],
  [{ database: { reachable: true, version: null } }, 'database reachable yes, database version none'],
  [{ nodes: ['a', 'b'], stores: [] }, 'nodes a and b, stores none'],
  [{ nodes: [{ id: 'a' }, { id: 'b' }] }, 'nodes id a; id b'],
  [{ changes: [{ component: 'mod_x', to: 2 }], left: [[1]] }, 'changes component mod_x to 2, left 1 1'],
  [{ 'arn:aws:x': 'two\n  lines\u0007' }, 'arn:aws:x two lines'],
])('%j reads "%s"', (value, words) => {
  expect(plainWords(value)).toBe(words);
});

test('wraps at spaces, cuts what has none, and says when it leaves something out', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  expect(wrap('one two three four', 7, 2)).toEqual(['one two', 'three …']);
  expect(wrap('fits', 4)).toEqual(['fits']);
});
