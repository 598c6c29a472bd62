import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { dataroot } from '../../infra/constructs/node-task.ts';
import { leftBehind, tarCommand } from './left-behind.ts';

const document = readFileSync(new URL('../../docs/migration.md', import.meta.url), 'utf8');

it('says of everything that stays on the old servers what it is', () => {
  const [, table = ''] = document.split('| left behind | is |');
  const explained = [...(table.split('\n\n')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => `./${name}`);
  expect(explained.sort()).toEqual(leftBehind);
});

it('takes the data folder by that list, and nothing by name', () => {
  expect(tarCommand).toContain('--exclude-from left-behind.txt');
  expect(tarCommand).toMatch(/ \.$/);
});

it('names the data folder as the nodes have it', () => {
  expect(document).toContain(`the new one is ${dataroot} on every node`);
});
