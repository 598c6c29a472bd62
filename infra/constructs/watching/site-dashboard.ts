import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Column,
  CustomWidget,
  Dashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IMetric,
  type IWidget,
  LogQueryWidget,
  type Metric,
  type MetricOptions,
  Row,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { PlatformStack } from '../../stacks/platform-stack.ts';
import type { SiteDistribution } from '../site-distribution.ts';
import {
  cloudFrontMetrics,
  databaseMetric,
  filesMetric,
  nodeMetrics,
  ownMetrics,
  storeMetrics,
  visitorMetrics,
} from './metrics.ts';
import type { RolloutWidget } from './rollout-widget.ts';
import { nodeErrors } from './saved-queries.ts';

export interface SiteDashboardProps {
  readonly platform: PlatformStack;
  readonly rollouts: RolloutWidget;
  readonly spotInterruptions: Metric | undefined;
  readonly alarms: readonly IAlarm[];
}

/** Columns of a dashboard. */
const whole = 24;

/** One page about the site: what a rollout does now and did last, beside how the site is. */
export class SiteDashboard extends Construct {
  readonly name: string;

  constructor(scope: Construct, id: string, props: SiteDashboardProps) {
    super(scope, id);
    const { platform, rollouts, alarms } = props;
    const dashboard = new Dashboard(this, 'Dashboard', { defaultInterval: Duration.hours(3) });
    dashboard.addWidgets(
      new Column(
        new TextWidget({
          markdown: `# ${platform.config.site}\n[${platform.siteUrl}](${platform.siteUrl})`,
          width: 12,
          height: 2,
        }),
        new CustomWidget({
          title: 'Rollouts',
          functionArn: rollouts.function.functionArn,
          width: 12,
          height: 16,
          updateOnResize: false,
          updateOnTimeRangeChange: false,
        }),
      ),
      new Column(
        new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 12, height: 6 }),
        ...visitors(platform),
      ),
    );
    if (platform.distribution) dashboard.addWidgets(cloudFront(platform.distribution));
    for (const row of [nodes(props), database(platform), stores(platform), files(platform)]) dashboard.addWidgets(row);
    dashboard.addWidgets(errors(platform));
    this.name = dashboard.dashboardName;
  }
}

function visitors(platform: PlatformStack): IWidget[] {
  const of = visitorMetrics(platform);
  const half = { width: whole / 2, height: 4 };
  const percentiles = [50, 95, 99].map((each) => of.responseTime(each).with({ label: `p${each}` }));
  const nodes = [of.healthyNodes.with({ label: 'healthy' }), of.unhealthyNodes.with({ label: 'unhealthy' })];
  return [
    graph('Requests and failures a minute', [of.requests], { right: [of.nodeErrors, of.balancerErrors], ...half }),
    graph('Seconds to an answer', percentiles, half),
    graph('Nodes', nodes, half),
  ];
}

function cloudFront(distribution: SiteDistribution): IWidget {
  const { requests, errors: failing } = cloudFrontMetrics(distribution);
  return graph('Requests to CloudFront, and percent that fail', [requests], { right: [failing], width: whole });
}

function nodes({ platform, spotInterruptions }: SiteDashboardProps): IWidget {
  const { cpu, memory } = nodeMetrics(platform);
  const { cronRuns, rolloutSteps } = ownMetrics(platform.config.site);
  return row(
    graph('Processor of nodes, percent', cpu),
    graph('Memory of nodes, percent', memory),
    graph('Cron runs', [cronRuns.with({ label: 'ended well' })], { period: Duration.minutes(15) }),
    graph('Attempts of rollouts; Spot interruptions', [rolloutSteps.with({ label: 'attempts' })], {
      right: spotInterruptions ? [spotInterruptions] : [],
    }),
  );
}

function database({ database: site, config }: PlatformStack): IWidget {
  const serverless = site.kind === 'cluster' && config.databaseCapacity === 'serverless';
  return row(
    graph('Processor of the database, percent', [databaseMetric(site, 'CPUUtilization')]),
    serverless
      ? graph('Capacity of the database, units', [databaseMetric(site, 'ServerlessDatabaseCapacity')])
      : graph('Free memory of the database, bytes', [databaseMetric(site, 'FreeableMemory')]),
    graph('Connections to the database', [databaseMetric(site, 'DatabaseConnections', { statistic: Stats.MAXIMUM })]),
    site.kind === 'cluster'
      ? graph('Storage of the database, bytes', [databaseMetric(site, 'VolumeBytesUsed')])
      : graph('Free storage of the database, bytes', [databaseMetric(site, 'FreeStorageSpace')]),
  );
}

function stores({ sessionStore, applicationStore, config }: PlatformStack): IWidget {
  const named =
    sessionStore === applicationStore
      ? ([['both', sessionStore]] as const)
      : ([
          ['sessions', sessionStore],
          ['application', applicationStore],
        ] as const);
  const both = (redis: string, memcached: string, options: MetricOptions = {}) =>
    named.flatMap(([label, store]) =>
      storeMetrics(store, store.type === 'redis' ? redis : memcached, config.cacheReplicas, options).map(
        (metric, index) => metric.with({ label: index === 0 ? label : `${label}, copy ${index}` }),
      ),
    );
  return row(
    graph('Processor of the stores, percent', both('EngineCPUUtilization', 'CPUUtilization')),
    graph(
      'Memory of the stores, percent (Memcached: bytes)',
      both('DatabaseMemoryUsagePercentage', 'BytesUsedForCacheItems'),
    ),
    graph('Evicted from the stores', both('Evictions', 'Evictions', { statistic: Stats.SUM })),
    graph('Connections to the stores', both('CurrConnections', 'CurrConnections', { statistic: Stats.MAXIMUM })),
  );
}

function files({ files: shared }: PlatformStack): IWidget {
  return row(
    graph('Operations on the files, percent of the limit', [filesMetric(shared, 'PercentIOLimit')]),
    graph('Bytes read and written', [filesMetric(shared, 'MeteredIOBytes', { statistic: Stats.SUM })]),
    graph('Clients of the files', [filesMetric(shared, 'ClientConnections', { statistic: Stats.SUM })]),
    graph('Size of the files, bytes', [filesMetric(shared, 'StorageBytes', {}, { StorageClass: 'Total' })]),
  );
}

function errors({ webTask, cronTask }: PlatformStack): IWidget {
  return new LogQueryWidget({
    title: 'Errors of nodes',
    logGroupNames: [webTask.logGroup.logGroupName, cronTask.logGroup.logGroupName],
    queryLines: [
      'fields @timestamp, @logStream, @message',
      `filter @message like ${nodeErrors}`,
      'sort @timestamp desc',
      'limit 50',
    ],
    width: whole,
    height: 6,
  });
}

/** Four widgets beside each other. */
function row(...widgets: readonly [IWidget, IWidget, IWidget, IWidget]): IWidget {
  return new Row(...widgets);
}

function graph(title: string, left: IMetric[], options: Partial<GraphWidgetProps> = {}): GraphWidget {
  return new GraphWidget({ title, left, width: whole / 4, height: 5, leftYAxis: { min: 0 }, ...options });
}
