import { Duration } from 'aws-cdk-lib';
import { type Alarm, MathExpression, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { PlatformStack } from '../../stacks/platform-stack.ts';
import type { Store } from '../store.ts';
import { storeMetrics } from './metrics.ts';
import { type SiteAlarmProps, siteAlarm, tell } from './site-alarm.ts';
import { thresholds } from './thresholds.ts';

/**
 * The stores at their limits. The memory of an application store of its own is not watched: it fills up and then lets go of the
 * oldest, as it should. Evictions tell when it is too small for that.
 */
export class CacheAlarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(
    scope: Construct,
    id: string,
    { platform, topic }: { readonly platform: PlatformStack; readonly topic: sns.ITopic },
  ) {
    super(scope, id);
    const { sessionStore, applicationStore, config } = platform;
    const { cacheReplicas } = config;
    const { enginePercent, sessionMemoryPercent, minutes } = thresholds.cache;
    const { applicationEvictionsPerMinute, applicationEvictionMinutes, sessionEvictionsPerMinute } = thresholds.cache;
    const lasting = {
      period: Duration.minutes(5),
      lasting: Duration.minutes(minutes),
      comparison: 'at least',
    } as const;
    const busy = (name: string, store: Store): SiteAlarmProps => ({
      ...lasting,
      title: `${name} store busy`,
      says: `The ${name} store uses ${enginePercent} percent of its processor and more, for ${minutes} minutes.`,
      metric: most(store, store.type === 'redis' ? 'EngineCPUUtilization' : 'CPUUtilization', cacheReplicas),
      threshold: enginePercent,
    });
    const evictions = (store: Store) => most(store, 'Evictions', cacheReplicas, { statistic: Stats.SUM });
    const shared = sessionStore === applicationStore;
    const wanted: Record<string, SiteAlarmProps> = { SessionStoreBusy: busy('session', sessionStore) };
    if (sessionStore.type === 'redis') {
      wanted.SessionMemory = {
        ...lasting,
        title: 'session store memory',
        says: `${sessionMemoryPercent} percent of the memory of the session store are in use, for ${minutes} minutes.`,
        metric: most(sessionStore, 'DatabaseMemoryUsagePercentage', cacheReplicas),
        threshold: sessionMemoryPercent,
      };
    }
    // One store for both evicts nothing: full, it takes nothing more.
    if (!shared) {
      wanted.SessionsEvicted = {
        title: 'sessions evicted',
        says: 'The session store is full and drops sessions: people are logged out.',
        metric: evictions(sessionStore),
        comparison: 'at least',
        threshold: sessionEvictionsPerMinute,
        period: Duration.minutes(1),
        lasting: Duration.minutes(1),
      };
      wanted.ApplicationStoreBusy = busy('application', applicationStore);
      wanted.ApplicationStoreEvictions = {
        title: 'application store too small',
        says: `The application store drops ${applicationEvictionsPerMinute} entries a minute and more, for ${applicationEvictionMinutes} minutes.`,
        metric: evictions(applicationStore),
        comparison: 'at least',
        threshold: 5 * applicationEvictionsPerMinute,
        period: Duration.minutes(5),
        lasting: Duration.minutes(applicationEvictionMinutes),
      };
    }
    this.alarms = Object.entries(wanted).map(([name, props]) => siteAlarm(this, name, props));
    for (const alarm of this.alarms) tell(alarm, topic);
  }
}

/** Of the servers of a store, the one that has most of it. */
function most(store: Store, metricName: string, replicas: number, options: MetricOptions = {}): MathExpression {
  const metrics = storeMetrics(store, metricName, replicas, options);
  return new MathExpression({
    expression: 'MAX(METRICS())',
    usingMetrics: Object.fromEntries(metrics.map((metric, index) => [`server${index + 1}`, metric])),
    label: metricName,
  });
}
