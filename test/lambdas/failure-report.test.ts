import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { failureReport } from '../../lambdas/shared/failure-report.ts';

const execution = 'arn:aws:states:eu-west-1:111122223333:execution:update:first';

it.each([
  [undefined, {}],
  [{ reason: "it's time, $HOME `id`" }, { reason: "it's time, $HOME `id`" }],
])('tells a command that starts it again with the input %j, whatever is in that', (input, expected) => {
  const { cause } = failureReport({ title: 'update', phases: [] }, { site: 'campus', execution, input }, {}, []);
  const [, command = ''] = /^Or: aws (.*)$/m.exec(cause) ?? [];
  const printed = execFileSync('sh', ['-c', `printf '%s\n' ${command}`], { encoding: 'utf8' });
  const words = printed.trimEnd().split('\n');
  expect(JSON.parse(words[words.indexOf('--input') + 1] ?? '')).toEqual(expected);
});
