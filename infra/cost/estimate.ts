import type { Config } from '../config.ts';
import { firewallRules } from '../constructs/firewall-rules.ts';
import { databaseEngines } from '../database-engines.ts';
import { nodeZonesOf, zonesOf } from '../options/network.ts';
import prices from './prices.json' with { type: 'json' };
import { hoursOfMonth, type Usage, usualUsage } from './usage.ts';

export interface CostLine {
  readonly what: string;
  /** US dollars a month. */
  readonly monthly: number;
}

export interface CostEstimate {
  readonly lines: readonly CostLine[];
  /** US dollars a month. */
  readonly monthly: number;
  /** What a price was wanted for that the table does not have. */
  readonly unknown: readonly string[];
  readonly usage: Usage;
}

/**
 * What a site costs about in a month: the options' running parts by the price table, at a usual use. No taxes, free
 * tiers, support or savings plans.
 */
export function estimateCost(config: Config, usage: Usage = usualUsage(config)): CostEstimate {
  const unknown: string[] = [];
  const lookUp = (table: Readonly<Record<string, number>>, name: string): number => {
    const price = table[name];
    if (price === undefined) unknown.push(name);
    return price ?? 0;
  };
  const lines = [
    { what: nodesAre(config, usage), monthly: nodes(config, usage, lookUp) },
    { what: `database (${config.databaseEngine})`, monthly: database(config, usage, lookUp) },
    { what: 'caches', monthly: caches(config, lookUp) },
    { what: 'shared files', monthly: files(config, usage) },
    {
      what: 'backups',
      monthly: config.backups ? (usage.filesGB + usage.databaseStorageGB) * perMonth['backup GB'] * 1.5 : 0,
    },
    { what: 'load balancer and addresses', monthly: loadBalancer(config, usage) },
    { what: 'way out (NAT, endpoints)', monthly: wayOut(config, usage) },
    { what: 'firewall and DNS', monthly: edge(config, usage) },
    {
      what: 'traffic to visitors',
      monthly:
        usage.trafficOutGB * (config.cloudFront ? each['GB out through CloudFront'] : each['GB out to the internet']),
    },
    { what: 'logs, alarms, dashboard, keys, secrets', monthly: watching(config, usage) },
  ].filter(({ monthly }) => monthly >= 0.5);
  return { lines, monthly: lines.reduce((sum, { monthly }) => sum + monthly, 0), unknown, usage };
}

const { perHour, perMonth, each } = prices;

const firewallRuleCount = firewallRules(0).length;

type LookUp = (table: Readonly<Record<string, number>>, name: string) => number;

/** One cron node beside the web nodes. */
const cronNodes = 1;

function nodesAre({ defaultNodes, maximumNodes, compute }: Config, usage: Usage): string {
  return `nodes (${defaultNodes} to ${maximumNodes} on ${compute}, ${usage.nodes.toFixed(1)} on average, and cron)`;
}

function nodes(config: Config, usage: Usage, lookUp: LookUp): number {
  const all = usage.nodes + cronNodes;
  if (config.compute === 'ec2') return all * lookUp(prices.ec2InstancePerHour, config.instanceType) * hoursOfMonth;
  const { architecture, taskCpu, taskMemory, onDemandBase, onDemandWeight, spotWeight } = config;
  const oneHour =
    (taskCpu / 1024) * perHour[`fargate vCPU ${architecture}`] +
    (taskMemory / 1024) * perHour[`fargate GB ${architecture}`];
  const beyond = Math.max(0, usage.nodes - onDemandBase);
  const spot = beyond * (spotWeight / (spotWeight + onDemandWeight));
  return (all - spot * (1 - prices.fargateSpotShare)) * oneHour * hoursOfMonth;
}

function database(config: Config, usage: Usage, lookUp: LookUp): number {
  const copies = 1 + Number(config.databaseReader);
  if (databaseEngines[config.databaseEngine].kind === 'cluster') {
    const instance =
      config.databaseCapacity === 'serverless'
        ? usage.databaseCapacityUnits * perHour['aurora capacity unit']
        : lookUp(prices.auroraInstancePerHour, config.databaseInstanceType);
    return (
      copies * instance * hoursOfMonth +
      usage.databaseStorageGB * perMonth['aurora storage GB'] +
      usage.databaseMillionRequests * each['million aurora requests']
    );
  }
  const zones = config.databaseMultiAz ? 2 : 1;
  const storage = perMonth[config.databaseMultiAz ? 'rds gp3 storage GB Multi-AZ' : 'rds gp3 storage GB'];
  return (
    zones * lookUp(prices.rdsInstancePerHour, config.databaseInstanceType) * hoursOfMonth +
    config.databaseStorageGiB * storage
  );
}

function caches(config: Config, lookUp: LookUp): number {
  const stores = config.sharedCache ? 1 : 2;
  const share = config.cacheEngine === 'valkey' ? prices.valkeyShare : 1;
  const servers = stores * (1 + config.cacheReplicas);
  return servers * share * lookUp(prices.cacheNodePerHour, config.cacheNodeType) * hoursOfMonth;
}

function files(config: Config, usage: Usage): number {
  const stored = usage.filesGB * perMonth[`efs GB ${config.filesZones}`];
  const moved =
    usage.filesReadGB * each['GB read from efs elastic'] + usage.filesWrittenGB * each['GB written to efs elastic'];
  const bought = config.filesProvisionedMiBps * perMonth['efs provisioned MiB/s'];
  return stored + { elastic: moved, bursting: 0, provisioned: bought }[config.filesThroughput];
}

function loadBalancer(config: Config, usage: Usage): number {
  const units = 0.3 * usage.nodes;
  const isPublic = !config.cloudFront || config.cloudFrontOrigin === 'secret-header';
  const addresses = isPublic ? zonesOf(config).length * perHour['public IPv4 address'] : 0;
  return (
    (perHour['application load balancer'] + units * perHour['load balancer capacity unit'] + addresses) * hoursOfMonth
  );
}

/** ECR (two), Secrets Manager, CloudWatch Logs, Systems Manager (two). */
const interfaceEndpoints = 6;

function wayOut(config: Config, usage: Usage): number {
  const zones = nodeZonesOf(config).length;
  const gateways = config.vpcId ? 0 : { none: 0, one: 1, 'per-zone': zones }[config.nat];
  const nat = gateways * (perHour['NAT gateway'] + perHour['public IPv4 address']) * hoursOfMonth;
  const endpoints = config.interfaceEndpoints
    ? interfaceEndpoints * zones * perHour['interface endpoint in one zone'] * hoursOfMonth
    : 0;
  return nat + endpoints + (gateways > 0 ? usage.natGB * each['GB through NAT'] : 0);
}

function edge({ waf, hostedZoneId }: Config, usage: Usage): number {
  const firewall = waf ? perMonth['web ACL'] + firewallRuleCount * perMonth['web ACL rule'] + 0.6 * usage.nodes : 0;
  return firewall + (hostedZoneId === undefined ? 0 : perMonth['hosted zone']);
}

/** Metrics that ECS's Container Insights charges for, per service and per task, of two services. */
const insightMetrics = { off: [0, 0], on: [16, 0], enhanced: [30, 20] } as const;

const alarms = 25;
const secrets = 6;

function watching({ cloudFront, containerInsights, region }: Config, usage: Usage): number {
  const [perService, perTask] = insightMetrics[containerInsights];
  return (
    (2 * perService + usage.nodes * perTask) * perMonth['metric'] +
    usage.logsGB * each['GB of logs'] +
    alarms * perMonth.alarm +
    perMonth.dashboard +
    // The alarm of CloudFront has a topic, and so a key, of its own.
    (cloudFront && region !== 'us-east-1' ? 2 : 1) * perMonth['KMS key'] +
    secrets * perMonth.secret
  );
}

/** The estimate as it is printed at a synthesis. */
export function describeCost(config: Config): string {
  const { lines, monthly, unknown } = estimateCost(config);
  const where =
    config.region === prices.region
      ? `in ${prices.region}`
      : `at the prices of ${prices.region}; ${config.region} is mostly 0 to 30 % dearer`;
  return [
    `About ${dollars(monthly)} a month ${where} (prices of ${prices.date}, infra/cost/prices.json, no taxes or savings plans):`,
    ...lines.map(({ what, monthly: each }) => `  ${dollars(each).padStart(7)}  ${what}`),
    ...(unknown.length > 0 ? [`  The price table does not have ${unknown.join(', ')}: not counted.`] : []),
  ].join('\n');
}

function dollars(amount: number): string {
  return `$${Math.round(amount).toLocaleString('en-US')}`;
}
