import { describe, expect, it } from 'vitest';
import { readConfig } from '../../infra/config.ts';
import { describeCost, estimateCost } from '../../infra/cost/estimate.ts';
import { type ProfileName, profiles } from '../../infra/profiles.ts';

const https = {
  domainName: 'moodle.example.org',
  certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555',
};
const estimateOf = (context: Readonly<Record<string, string>>) => estimateCost(readConfig({ ...https, ...context }));

describe('estimateCost', () => {
  it.each(Object.keys(profiles) as ProfileName[])('knows every price of the profile %s', (profile) => {
    const { unknown, lines, monthly } = estimateOf({ config: 'prod', profile });

    expect(unknown).toEqual([]);
    expect(monthly).toBeCloseTo(lines.reduce((sum, line) => sum + line.monthly, 0));
  });

  it('grows from profile to profile', () => {
    const months = Object.keys(profiles).map((profile) => estimateOf({ config: 'prod', profile }).monthly);

    expect(months).toEqual([...months].sort((one, other) => one - other));
  });

  it('counts one Fargate node and cron by hand', () => {
    const { lines } = estimateOf({ defaultNodes: '1', maximumNodes: '1', taskCpu: '1024', taskMemory: '2048' });

    // Two tasks of one processor (0.03238) and 2 GB (0.00356 each), 730 hours.
    expect(lines[0]?.monthly).toBeCloseTo(2 * (0.03238 + 2 * 0.00356) * 730);
  });

  it('takes Spot capacity for what it costs', () => {
    const nodes = (spotWeight: string) =>
      estimateOf({ defaultNodes: '5', maximumNodes: '5', onDemandBase: '1', onDemandWeight: '1', spotWeight }).lines[0]
        ?.monthly ?? 0;

    expect(nodes('3')).toBeLessThan(nodes('0'));
  });

  it('says which price it does not have, and does not hide it in the sum', () => {
    const { unknown } = estimateOf({ cacheNodeType: 'cache.x9g.huge' });

    expect(unknown).toEqual(['cache.x9g.huge']);
    expect(describeCost(readConfig({ ...https, cacheNodeType: 'cache.x9g.huge' }))).toMatch(
      /does not have cache\.x9g\.huge: not counted/,
    );
  });

  it('names date and region of its prices', () => {
    expect(describeCost(readConfig(https))).toMatch(/at the prices of us-east-1; eu-west-1 .*prices of 2026-03-31/);
  });
});
