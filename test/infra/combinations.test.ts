import { CfnResource } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { profiles } from '../../infra/profiles.ts';
import { type Context, pairwiseCombinations } from './combinations.ts';
import { findingsOf } from './findings.ts';
import { appOf, contexts } from './synthesised.ts';

const { accepted, refused } = pairwiseCombinations();

/** As they stand, with nothing beside them: what the other tests look at, and each profile with either set of defaults. */
const asTheyStand: readonly Context[] = [
  ...Object.values(contexts),
  ...Object.keys(profiles).flatMap((profile) => [{ profile }, { ...contexts.prod, profile }]),
];

it('there are at least 60 combinations, and few pairs that are refused', () => {
  expect(accepted.length + asTheyStand.length).toBeGreaterThanOrEqual(60);
  expect(refused.length).toBeLessThan(accepted.length);
});

describe('every combination that the options allow synthesises, neither CloudFormation nor cdk-nag objects, and all is rehearsed', () => {
  it.each([...asTheyStand, ...accepted].map((context) => [described(context), context] as const))(
    '%s',
    (_, context) => {
      expect(findingsOf(context)).toEqual([]);
    },
  );

  it('would notice a property that CloudFormation does not know', () => {
    const app = appOf('dev', true);
    new CfnResource(app.settings, 'Wrong', { type: 'AWS::SNS::Topic', properties: { TopicTitle: 'x' } });

    expect(() => app.synth()).toThrow(/TopicTitle|[Vv]alidation/);
  });
});

function described(context: Context): string {
  return Object.entries(context)
    .map((entry) => entry.join('='))
    .join(' ');
}
