import { describe, expect, it } from 'vitest';
import { pairwiseCombinations } from './combinations.ts';
import { findingsOf } from './findings.ts';

const { accepted, refused } = pairwiseCombinations();

it('there are at least 60 combinations, and few pairs that are refused', () => {
  expect(accepted.length).toBeGreaterThanOrEqual(60);
  expect(refused.length).toBeLessThan(accepted.length);
});

describe('every combination that the options allow synthesises, and neither CloudFormation nor cdk-nag objects', () => {
  it.each(accepted.map((context) => [described(context), context] as const))('%s', (_, context) => {
    expect(findingsOf(context)).toEqual([]);
  });
});

function described(context: Readonly<Record<string, string>>): string {
  return Object.entries(context)
    .map((entry) => entry.join('='))
    .join(' ');
}
