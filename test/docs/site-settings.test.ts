import { expect, it } from 'vitest';
import { allSettings, siteSettingsDocument } from '../image/site-settings.ts';
import { readDocument } from './markdown.ts';

it('docs/site-settings.md is what the list says that the test on a real Moodle goes through; npm run docs writes it', () => {
  expect(readDocument('docs/site-settings.md')).toBe(siteSettingsDocument());
});

it.each(['README.md', 'docs/plugin-updates.md'])('%s leads there', (page) => {
  expect(readDocument(page)).toContain('site-settings.md)');
});

it('no setting is made twice, with one value or with two', () => {
  const names = allSettings.flatMap(({ values = [] }) => values.map(([name, , component]) => `${component}/${name}`));
  expect(names).toEqual([...new Set(names)]);
});
