import { describe, expect, it } from 'vitest';
import { type contexts, synthesised } from './synthesised.ts';

describe.each(['dev', 'prod'] as const satisfies (keyof typeof contexts)[])('%s', (configuration) => {
  const stacks = synthesised(configuration);

  it.each(['settings', 'platform', 'lifecycle', 'watching'] as const)('the %s stack is as it was', (stack) => {
    expect(withoutContent(stacks[stack].toJSON())).toMatchSnapshot();
  });
});

/** Without what follows from the content of `image/`, `lambdas/` and `statemachines/`, whose own tests look at it. */
function withoutContent(template: unknown): unknown {
  const text = JSON.stringify(template, (key, value) =>
    key === 'DefinitionString' ? 'statemachines/*.asl.json' : value,
  );
  return JSON.parse(
    text.replace(/[0-9a-f]{64}/g, '<asset>').replace(/("IMAGE_TAG":"[\d.]+-)[0-9a-f]{16}/g, '$1<content>'),
  );
}
