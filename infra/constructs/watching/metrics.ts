import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { PlatformStack } from '../../stacks/platform-stack.ts';
import type { Database } from '../database.ts';
import type { Files } from '../files.ts';
import type { SiteDistribution } from '../site-distribution.ts';
import type { Store } from '../store.ts';

/** The metrics of the site's parts, for alarms and dashboard alike. Where no statistic is given, it is the average. */

/** The namespace of what the site counts itself: one per site, because a metric filter gives no dimension of its own. */
export function siteNamespace(site: string): string {
  return `MoodleLifecycle/${site}`;
}

export function visitorMetrics({ loadBalancer }: PlatformStack) {
  const { alb, targetGroup } = loadBalancer;
  const balancer = { LoadBalancer: alb.loadBalancerFullName };
  const nodes = { ...balancer, TargetGroup: targetGroup.targetGroupFullName };
  const metric = (metricName: string, dimensionsMap: Record<string, string>, statistic: string) =>
    new Metric({ namespace: 'AWS/ApplicationELB', metricName, dimensionsMap, statistic, period: minutes(1) });
  return {
    /** Those that reached a node. */
    requests: metric('RequestCount', balancer, Stats.SUM),
    /** Answered with 5xx by a node. */
    nodeErrors: metric('HTTPCode_Target_5XX_Count', nodes, Stats.SUM),
    /** Answered with 5xx by the load balancer itself, for want of a node or of its answer. */
    balancerErrors: metric('HTTPCode_ELB_5XX_Count', balancer, Stats.SUM),
    responseTime: (percentile: number) => metric('TargetResponseTime', nodes, Stats.percentile(percentile)),
    /** Both are reported only while there are nodes registered: not before the first rollout. */
    healthyNodes: metric('HealthyHostCount', nodes, Stats.MAXIMUM),
    unhealthyNodes: metric('UnHealthyHostCount', nodes, Stats.MAXIMUM),
  };
}

/** Of CloudFront, which measures in us-east-1. */
export function cloudFrontMetrics({ distribution }: SiteDistribution) {
  const metric = (metricName: string, statistic: string) =>
    new Metric({
      namespace: 'AWS/CloudFront',
      metricName,
      dimensionsMap: { DistributionId: distribution.distributionId, Region: 'Global' },
      region: 'us-east-1',
      statistic,
    });
  return {
    requests: metric('Requests', Stats.SUM),
    /** Percent. */
    errors: metric('5xxErrorRate', Stats.AVERAGE),
  };
}

export function nodeMetrics({ nodes, web, cron }: PlatformStack) {
  const metric = (metricName: string, serviceName: string, label: string) =>
    new Metric({
      namespace: 'AWS/ECS',
      metricName,
      dimensionsMap: { ClusterName: nodes.cluster.clusterName, ServiceName: serviceName },
      label,
    });
  return {
    cpu: [
      metric('CPUUtilization', web.service.serviceName, 'web'),
      metric('CPUUtilization', cron.service.serviceName, 'cron'),
    ],
    memory: [
      metric('MemoryUtilization', web.service.serviceName, 'web'),
      metric('MemoryUtilization', cron.service.serviceName, 'cron'),
    ],
  };
}

/** @param options for example a label; without more, the average over five minutes */
export function databaseMetric(database: Database, metricName: string, options: MetricOptions = {}): Metric {
  const dimension = database.kind === 'cluster' ? 'DBClusterIdentifier' : 'DBInstanceIdentifier';
  return new Metric({
    namespace: 'AWS/RDS',
    metricName,
    dimensionsMap: { [dimension]: database.identifier },
    ...options,
  });
}

/** One metric per server of a store: ElastiCache numbers the members of a replication group from 001. */
export function storeMetrics(store: Store, metricName: string, replicas: number, options: MetricOptions = {}) {
  const members =
    store.type === 'memcached'
      ? [store.id]
      : Array.from({ length: 1 + replicas }, (_, index) => `${store.id}-${String(index + 1).padStart(3, '0')}`);
  return members.map(
    (id) => new Metric({ namespace: 'AWS/ElastiCache', metricName, dimensionsMap: { CacheClusterId: id }, ...options }),
  );
}

/** @param dimensions beside the file system */
export function filesMetric(
  { fileSystem }: Files,
  metricName: string,
  options: MetricOptions = {},
  dimensions: Readonly<Record<string, string>> = {},
): Metric {
  return new Metric({
    namespace: 'AWS/EFS',
    metricName,
    dimensionsMap: { FileSystemId: fileSystem.fileSystemId, ...dimensions },
    ...options,
  });
}

/** What the site counts itself, by metric filters on its logs. */
export function ownMetrics(site: string) {
  const metric = (metricName: string) =>
    new Metric({ namespace: siteNamespace(site), metricName, statistic: Stats.SUM });
  return {
    /** Runs of Moodle's cron that came to their end. */
    cronRuns: metric('CronRuns'),
    /** Attempts of phases, of all rollouts. */
    rolloutSteps: metric('RolloutSteps'),
  };
}

function minutes(count: number): Duration {
  return Duration.minutes(count);
}
