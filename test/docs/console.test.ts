import { describe, expect, it } from 'vitest';
import { withCommands } from '../../console/cli/document.ts';
import { executionLink } from '../../console/model/links.ts';
import { executionLink as linkOfNotifications } from '../../lambdas/shared/console-link.ts';
import { readDocument } from './markdown.ts';

describe('docs/console.md', () => {
  const document = readDocument('docs/console.md');

  it('has the commands as they are; npm run docs writes them', () => {
    expect(withCommands(document)).toBe(document);
  });

  it('names no command and no option that there is not', () => {
    const made = document.slice(document.indexOf('## Commands'));
    const named = [...document.matchAll(/npx lifecycle ([a-z]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !made.includes(`### lifecycle ${name}`))).toEqual([]);
  });
});

it.each(['aws', 'aws-cn', 'aws-us-gov'])('the views and the notifications link to the same page of %s', (partition) => {
  const execution = `arn:${partition}:states:region-1:111122223333:execution:machine:name`;
  expect(executionLink(execution)).toBe(linkOfNotifications(execution));
});
