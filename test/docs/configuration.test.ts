import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationDocument } from '../../infra/configuration-document.ts';

it('docs/configuration.md is what the options say; npm run docs writes it', () => {
  const document = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

  expect(document).toBe(configurationDocument());
});
