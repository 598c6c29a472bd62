import { CfnResource } from 'aws-cdk-lib';
import { expect, it } from 'vitest';
import { appOf, contexts } from './synthesised.ts';

it.each(Object.keys(contexts) as (keyof typeof contexts)[])(
  'CloudFormation takes the templates of %s',
  (configuration) => {
    expect(() => appOf(configuration, true).synth()).not.toThrow();
  },
);

it('would notice a property that CloudFormation does not know', () => {
  const app = appOf('dev', true);
  new CfnResource(app.settings, 'Wrong', { type: 'AWS::SNS::Topic', properties: { TopicTitle: 'x' } });

  expect(() => app.synth()).toThrow(/TopicTitle|[Vv]alidation/);
});
