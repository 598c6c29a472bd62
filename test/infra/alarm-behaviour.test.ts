import { describe, expect, it } from 'vitest';
import { goesOff, type Measured } from '../support/alarms.ts';
import { metricMath } from '../support/metric-math.ts';
import { type contexts, synthesised, synthesisedFrom } from './synthesised.ts';

type Values = Readonly<Record<string, number | ((secondsAgo: number) => number | undefined)>>;

const minute = 60;
const hour = 3600;

/** A site that works, per minute or, for the two last, per period of their alarms. */
const well: Values = {
  RequestCount: 600,
  TargetResponseTime: 0.2,
  HealthyHostCount: 2,
  UnHealthyHostCount: 0,
  CPUUtilization: 40,
  ACUUtilization: 30,
  DatabaseConnections: 20,
  FreeStorageSpace: 50 * 1024 ** 3,
  EngineCPUUtilization: 10,
  DatabaseMemoryUsagePercentage: 30,
  Evictions: 0,
  PercentIOLimit: 5,
  CronRuns: 18,
};

/** Nothing is registered, nothing connects: what the load balancer, caches and files measure by themselves. */
const withoutNodes: Values = {
  RequestCount: 0,
  HTTPCode_ELB_5XX_Count: 300,
  EngineCPUUtilization: 1,
  DatabaseMemoryUsagePercentage: 1,
  PercentIOLimit: 0,
};

function measured(values: Values): Measured {
  return (name, secondsAgo) => {
    const value = values[name];
    return typeof value === 'function' ? value(secondsAgo) : value;
  };
}

/** The alarms that go off, and, first, what is told of those that a composite stands for. */
function setOff(configuration: keyof typeof contexts, values: Values): string[] {
  const names = synthesised(configuration)
    .resources.filter(({ Type, stack }) => Type === 'AWS::CloudWatch::Alarm' && stack === 'watching')
    .filter(({ Properties }) => goesOff(Properties, measured(values)))
    .map(({ id }) => id.replace(/\w{8}$/, ''));
  const unwell = names.some((name) => name.startsWith('Visitors')) && !names.includes('RolloutAtWork');
  return [...(unwell ? ['told: SiteUnwell'] : []), ...names.sort()];
}

const scenarios: readonly (readonly [string, Values, readonly string[]])[] = [
  ['works', well, []],
  ['has had no rollout yet, and is knocked at', withoutNodes, []],
  ['is scaled to nothing, and its database pauses', { ...withoutNodes, ServerlessDatabaseCapacity: 0 }, []],
  [
    'fails every tenth request, the last minute of which is not counted yet',
    { ...well, HTTPCode_Target_5XX_Count: (ago) => (ago < minute ? undefined : 60) },
    ['told: SiteUnwell', 'VisitorsServerErrors'],
  ],
  ['fails three requests of three in a quiet night', { ...well, RequestCount: 3, HTTPCode_Target_5XX_Count: 3 }, []],
  ['failed for four minutes', { ...well, HTTPCode_Target_5XX_Count: (ago) => (ago < 4 * minute ? 300 : 0) }, []],
  [
    'has lost every node, which the load balancer answers for',
    { ...well, RequestCount: 0, HTTPCode_ELB_5XX_Count: 300, HealthyHostCount: 0, UnHealthyHostCount: 2 },
    ['told: SiteUnwell', 'VisitorsNoHealthyNode', 'VisitorsServerErrors', 'VisitorsUnhealthyNodes'],
  ],
  ['is slow', { ...well, TargetResponseTime: 4 }, ['told: SiteUnwell', 'VisitorsSlowResponses']],
  [
    'has its first node install, and answers nobody, while the rollout is at work',
    { ...well, HealthyHostCount: 0, UnHealthyHostCount: 1, RolloutSteps: (ago) => (ago < hour ? 1 : 0), CronRuns: 0 },
    ['RolloutAtWork', 'VisitorsNoHealthyNode', 'VisitorsUnhealthyNodes'],
  ],
  ['has no cron, and none that says anything', { ...well, CronRuns: () => undefined }, ['CronNotRun']],
  ['has a cron that never ends well', { ...well, CronRuns: 0 }, ['CronNotRun']],
  ['has had no cron for an hour', { ...well, CronRuns: (ago) => (ago < hour ? 0 : 18) }, []],
  [
    'has its cron stopped by a rollout that works for two hours and a half',
    { ...well, CronRuns: 0, RolloutSteps: (ago) => (ago < 2.5 * hour ? 5 : 0) },
    ['RolloutAtWork'],
  ],
  [
    'has a rollout that comes to no end',
    { ...well, RolloutSteps: (ago) => (ago < 3 * hour ? 5 : 0) },
    ['RolloutAtWork', 'RolloutStuck'],
  ],
  [
    'has an update wait for its maintenance window, and may be unwell meanwhile',
    { ...well, TargetResponseTime: 4, RolloutSteps: (ago) => (ago % (10 * minute) === 0 ? 1 : 0) },
    ['told: SiteUnwell', 'VisitorsSlowResponses'],
  ],
  [
    'has an update wait for a person, for days',
    { ...well, RolloutSteps: (ago) => (ago > 10 * hour ? 1 : undefined) },
    [],
  ],
  ['had a rollout stopped', { ...well, ExecutionsAborted: 1 }, ['RolloutFailed']],
  ['drops one session', { ...well, Evictions: (ago) => (ago < minute ? 1 : 0) }, ['CachesSessionsEvicted']],
];

describe.each(['dev', 'prod', 'MariaDB with a standby'] as const)('a site, %s, that', (configuration) => {
  it.each(scenarios)('%s', (_, values, expected) => {
    expect(setOff(configuration, values)).toEqual(expected);
  });
});

it('tells of a database at each of its limits', () => {
  const limits: Values = {
    ...well,
    CPUUtilization: 95,
    ACUUtilization: 95,
    DatabaseConnections: 5000,
    FreeStorageSpace: 1,
  };

  expect(setOff('dev', limits)).toEqual(['DatabaseCapacity', 'DatabaseConnections', 'DatabaseCpu']);
  expect(setOff('MariaDB with a standby', limits)).toEqual(['DatabaseConnections', 'DatabaseCpu', 'DatabaseStorage']);
});

it('tells of files at the throughput that was bought', () => {
  const perSecond = 32 * 1024 ** 2;
  const busy = { ...well, PermittedThroughput: perSecond, MeteredIOBytes: 0.95 * perSecond * 300 };

  expect(setOff('provisioned Aurora MySQL', busy)).toEqual(['FilesThroughput']);
  expect(setOff('provisioned Aurora MySQL', { ...busy, MeteredIOBytes: 0.5 * perSecond * 300 })).toEqual([]);
});

describe('CloudFront', () => {
  const { edgeWatching } = synthesised('CloudFront and a zone');
  const [alarm] = Object.values(edgeWatching?.findResources('AWS::CloudWatch::Alarm') ?? {});

  it.each([
    ['answers', { Requests: 3000, '5xxErrorRate': 1 }, false],
    ['does not reach the load balancer', { Requests: 3000, '5xxErrorRate': 40 }, true],
    ['fails one visitor of two in a quiet night', { Requests: 2, '5xxErrorRate': 50 }, false],
    [
      'failed for ten minutes',
      { Requests: 3000, '5xxErrorRate': (ago: number) => (ago < 10 * minute ? 40 : 0) },
      false,
    ],
    ['is asked for nothing', {}, false],
  ])('%s', (_, values, expected) => {
    expect(goesOff(alarm?.Properties, measured(values))).toBe(expected);
  });

  it('is told of where the alarm is, and in us-east-1 among the others', () => {
    const [topic] = Object.keys(edgeWatching?.findResources('AWS::SNS::Topic') ?? {});
    expect(alarm?.Properties.AlarmActions).toEqual([{ Ref: topic }]);
    expect(synthesised('dev').edgeWatching).toBeUndefined();

    const there = synthesisedFrom({ cloudFront: 'true', region: 'us-east-1' });
    expect(there.edgeWatching).toBeUndefined();
    expect(there.resources.filter(({ id }) => id.startsWith('CloudFrontErrors')).map(({ stack }) => stack)).toEqual([
      'watching',
    ]);
  });
});

describe('metric math', () => {
  const series = new Map([
    ['a', [1, undefined, 3]],
    ['b', [undefined, undefined, 2]],
  ]);
  it.each([
    ['a + b', [undefined, undefined, 5]],
    ['FILL(a, 0) + FILL(b, 7)', [8, 7, 5]],
    ['a >= 1 AND b >= 1', [undefined, undefined, 1]],
    ['IF(a >= 2, b, 9)', [9, undefined, 2]],
    ['SUM(METRICS())', [1, undefined, 5]],
    ['100 * (a / PERIOD(a)) / 2', [50 / 60, undefined, 150 / 60]],
  ])('%s', (expression, expected) => {
    expect(metricMath(expression, series, 60, 3)).toEqual(expected);
  });

  it('refuses what it does not know', () => {
    expect(() => metricMath('RATE(a)', series, 60, 3)).toThrow('RATE');
    expect(() => metricMath('a % 2', series, 60, 3)).toThrow('Not to be read');
    expect(() => metricMath('c', series, 60, 3)).toThrow('There is no c');
  });
});
