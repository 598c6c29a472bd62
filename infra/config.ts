import type { Option } from './option-kinds.ts';
import { halves, oneOf, oneOfNumbers, optionalList, optionalText, text, wholeNumber, yesNo } from './option-kinds.ts';

/** Every option of the app, once. Given as CDK context: `-c <name>=<value>`. */
export const options = {
  config: oneOf(['dev', 'prod'], {
    doc: 'Which of the two sets of defaults applies.',
    dev: 'dev',
    prod: 'prod',
  }),
  site: text(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/, '2 to 20 lower-case letters, digits and hyphens, a letter first', {
    doc: 'The name of the site; it starts the names of its stacks and of its settings.',
    dev: 'demo',
    prod: 'moodle',
  }),
  region: text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region, for example eu-west-1', {
    doc: 'The AWS region of the site.',
    dev: 'eu-west-1',
    prod: 'eu-west-1',
  }),
  availabilityZones: optionalList(
    /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/,
    'two or three zones of the region, for example eu-west-1a,eu-west-1b',
    'The availability zones of the site; left out: zones a and b of its region.',
  ),
  natGateways: wholeNumber(1, 3, {
    doc: 'How many NAT gateways let the nodes reach the internet; one per zone survives the loss of a zone.',
    dev: 1,
    prod: 2,
  }),
  // The image has PHP 8.4, which Moodle 5.0 is the first to support; Aurora PostgreSQL 17 serves up to 5.3.
  moodleVersion: text(/^5\.[0-3](\.\d{1,2})?$/, 'a release from 5.0 to 5.3, for example 5.3 or 5.3.1', {
    doc: 'The Moodle release that the image is built with.',
    dev: '5.3',
    prod: '5.3',
  }),
  moodleChecksum: optionalText(
    /^[0-9a-f]{64}$/,
    'the SHA-256 of the release archive, 64 lower-case hexadecimal digits',
    'The checksum that the Moodle archive must have; left out: the one that moodle.org publishes beside it.',
  ),
  architecture: oneOf(['arm64', 'x86_64'], {
    doc: 'The processor of the nodes, and of the computer that builds their image.',
    dev: 'arm64',
    prod: 'arm64',
  }),
  domainName: optionalText(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    'a host name in lower case, for example moodle.example.org',
    'The name that the site is reached under; your DNS points it at the load balancer.',
  ),
  certificateArn: optionalText(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
    'the ARN of an ACM certificate in the region of the site',
    'The certificate of domainName; with it the site is served over HTTPS alone.',
  ),
  allowHttp: yesNo({
    doc: 'Whether the site may be served without HTTPS when it has no certificate.',
    dev: true,
    prod: false,
  }),
  defaultNodes: wholeNumber(1, 50, {
    doc: 'How many nodes a rollout scales out to when its input names no number.',
    dev: 2,
    prod: 2,
  }),
  maximumNodes: wholeNumber(1, 50, {
    doc: 'How many nodes a rollout may ask for, and automatic scaling may reach.',
    dev: 10,
    prod: 10,
  }),
  taskCpu: oneOfNumbers([256, 512, 1024, 2048, 4096, 8192, 16384], {
    doc: 'CPU units of one node; 1024 is one virtual processor.',
    dev: 1024,
    prod: 2048,
  }),
  taskMemory: wholeNumber(512, 122_880, {
    doc: 'Memory of one node in MiB.',
    dev: 2048,
    prod: 4096,
  }),
  cpuTargetPercent: wholeNumber(10, 90, {
    doc: 'The average CPU use that automatic scaling aims at.',
    dev: 50,
    prod: 50,
  }),
  healthGraceSeconds: wholeNumber(30, 1800, {
    doc: 'How long a new node may take before its health checks count.',
    dev: 120,
    prod: 120,
  }),
  installHealthGraceSeconds: wholeNumber(300, 7200, {
    doc: 'The same while a node installs Moodle, which takes minutes before it serves.',
    dev: 1800,
    prod: 1800,
  }),
  deregistrationDelaySeconds: wholeNumber(10, 119, {
    doc: 'How long a node that leaves may finish its requests; below the 120 s after which Fargate ends it.',
    dev: 30,
    prod: 90,
  }),
  databaseDriver: oneOf(['data-api', 'pg'], {
    doc: 'How the phase functions reach the database: the RDS Data API, or PostgreSQL from inside the network.',
    dev: 'data-api',
    prod: 'data-api',
  }),
  databaseMinCapacity: halves(0, 256, {
    doc: 'The least capacity of the database in Aurora capacity units; 0 pauses it while nothing connects.',
    dev: 0,
    prod: 0.5,
  }),
  databaseMaxCapacity: halves(1, 256, {
    doc: 'The most capacity of the database in Aurora capacity units.',
    dev: 4,
    prod: 16,
  }),
  databaseBackupDays: wholeNumber(1, 35, {
    doc: 'How many days the automatic backups of the database are kept.',
    dev: 1,
    prod: 14,
  }),
  sessionStore: oneOf(['redis', 'memcached'], {
    doc: 'Where the install moves the sessions once the site stands.',
    dev: 'redis',
    prod: 'redis',
  }),
  cacheNodeType: text(/^cache\.[a-z0-9]+\.[a-z0-9]+$/, 'an ElastiCache node type, for example cache.t4g.micro', {
    doc: 'The node type of the session store and of the application store.',
    dev: 'cache.t4g.micro',
    prod: 'cache.t4g.small',
  }),
  cacheReplicas: wholeNumber(0, 2, {
    doc: 'How many standby copies each Redis store has in other zones.',
    dev: 0,
    prod: 1,
  }),
  adminUser: text(/^[a-z0-9][a-z0-9_.-]{0,49}$/, '1 to 50 of a-z, 0-9, _, . and -', {
    doc: "The user name of Moodle's first administrator.",
    dev: 'admin',
    prod: 'admin',
  }),
  adminEmail: text(/^[^\s@,"']+@[^\s@,"']+\.[a-z]{2,63}$/i, 'an e-mail address', {
    doc: "The e-mail address of Moodle's first administrator.",
    dev: 'admin@example.com',
    prod: 'admin@example.com',
  }),
  siteFullName: text(/^[^\p{Cc}<>]{1,254}$/u, '1 to 254 characters without < and >', {
    doc: 'The full name of the site.',
    dev: 'Moodle',
    prod: 'Moodle',
  }),
  siteShortName: text(/^[^\p{Cc}<>]{1,100}$/u, '1 to 100 characters without < and >', {
    doc: 'The short name of the site.',
    dev: 'Moodle',
    prod: 'Moodle',
  }),
  language: text(/^[a-z]{2,3}(_[a-z0-9]+)*$/, 'a Moodle language code, for example en or pt_br', {
    doc: 'The language that Moodle is installed in.',
    dev: 'en',
    prod: 'en',
  }),
  notificationEmail: optionalText(
    /^[^\s@,"']+@[^\s@,"']+\.[a-z]{2,63}$/i,
    'an e-mail address',
    'Who is told when a rollout fails; the address confirms its subscription once.',
  ),
  // The values that CloudWatch Logs accepts, without those below a day or beyond two years.
  logRetentionDays: oneOfNumbers([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], {
    doc: 'How many days logs are kept.',
    dev: 14,
    prod: 90,
  }),
  keepData: yesNo({
    doc: 'Whether files and images outlive their stack, and the database is protected and leaves a final snapshot.',
    dev: false,
    prod: true,
  }),
} as const;

type Options = typeof options;
export type OptionName = keyof Options;
/** One value per option, after defaults and checks. */
export type Config = { readonly [Name in OptionName]: Options[Name] extends Option<infer Value> ? Value : never };

/** Context that cannot be obeyed. The message says which option, and what it may be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * @param context CDK context; CDK's own keys are passed over
 * @throws ConfigError for an unknown option, a value that is not allowed, or options that contradict each other
 */
export function readConfig(context: Readonly<Record<string, unknown>>): Config {
  const given = new Map(Object.entries(context).filter(([key]) => !isCdkContextKey(key)));
  const unknown = [...given.keys()].filter((name) => !Object.hasOwn(options, name));
  if (unknown.length > 0) {
    throw new ConfigError(
      `There is no option ${unknown.join(', ')}. The options are: ${Object.keys(options).join(', ')}.`,
    );
  }
  const set = valueGiven('config', options.config, given, 'dev');
  const values = Object.entries(options).map(([name, option]) => [
    name,
    valueGiven<unknown>(name, option as Option<unknown>, given, set),
  ]);
  const config = Object.fromEntries(values) as Config;
  refuseContradictions(config);
  return config;
}

function valueGiven<Value>(
  name: string,
  option: Option<Value>,
  given: ReadonlyMap<string, unknown>,
  set: 'dev' | 'prod',
): Value {
  if (!given.has(name)) return option[set];
  const raw = given.get(name);
  const written = typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : raw;
  const value = typeof written === 'string' ? option.parse(written) : undefined;
  if (value === undefined) {
    throw new ConfigError(`Option ${name} cannot be ${JSON.stringify(raw)}. Allowed: ${option.allowed}.`);
  }
  return value;
}

/**
 * The CLI and the framework keep their own values in the context: `aws:cdk:…`, feature flags (`@aws-cdk/…`), results of
 * look-ups (`vpc-provider:account=…`) and the CLI's acknowledged notices.
 */
function isCdkContextKey(key: string): boolean {
  return (
    /^(aws:cdk:|aws-cdk(-private)?:|@aws-cdk(-containers)?\/|[a-z-]+:account=)/.test(key) ||
    key === 'acknowledged-issue-numbers' ||
    key === 'cli-telemetry'
  );
}

/** MiB that Fargate allows beside so many CPU units: least, most, step. */
const fargateMemory: Readonly<Record<number, readonly [number, number, number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
};

function refuseContradictions(config: Config): void {
  const [least, most, step] = fargateMemory[config.taskCpu] ?? [0, 0, 1];
  const memory = config.taskMemory;
  if (memory < least || memory > most || (memory - least) % step !== 0) {
    throw new ConfigError(
      `Option taskMemory cannot be ${memory} with taskCpu=${config.taskCpu}. ` +
        `Allowed: ${least} to ${most} in steps of ${step}.`,
    );
  }
  // Between 512 and 2048 Fargate has no 1536 for a quarter of a processor.
  if (config.taskCpu === 256 && memory === 1536) {
    throw new ConfigError('Option taskMemory cannot be 1536 with taskCpu=256. Allowed: 512, 1024 or 2048.');
  }
  if (config.defaultNodes > config.maximumNodes) {
    throw new ConfigError(
      `Option defaultNodes cannot be ${config.defaultNodes} with maximumNodes=${config.maximumNodes}. ` +
        `Allowed: at most maximumNodes.`,
    );
  }
  if (config.databaseMinCapacity > config.databaseMaxCapacity) {
    throw new ConfigError(
      `Option databaseMinCapacity cannot be ${config.databaseMinCapacity} with ` +
        `databaseMaxCapacity=${config.databaseMaxCapacity}. Allowed: at most databaseMaxCapacity.`,
    );
  }
  if (config.installHealthGraceSeconds < config.healthGraceSeconds) {
    throw new ConfigError(
      `Option installHealthGraceSeconds cannot be ${config.installHealthGraceSeconds} with ` +
        `healthGraceSeconds=${config.healthGraceSeconds}. Allowed: at least healthGraceSeconds.`,
    );
  }
  refuseZones(config);
  refuseEdge(config);
}

function refuseZones(config: Config): void {
  const zones = zonesOf(config);
  if (zones.length < 2 || zones.length > 3 || !zones.every((zone) => zone.slice(0, -1) === config.region)) {
    throw new ConfigError(
      `Option availabilityZones cannot be "${zones.join(',')}" with region=${config.region}. ` +
        `Allowed: ${options.availabilityZones.allowed}.`,
    );
  }
  if (config.natGateways > zones.length) {
    throw new ConfigError(
      `Option natGateways cannot be ${config.natGateways} with ${zones.length} availability zones. ` +
        `Allowed: at most one per zone.`,
    );
  }
}

function refuseEdge({ domainName, certificateArn, allowHttp, region }: Config): void {
  if (certificateArn !== undefined && domainName === undefined) {
    throw new ConfigError('Option certificateArn needs domainName: the name that the certificate is for.');
  }
  if (certificateArn !== undefined && certificateArn.split(':')[3] !== region) {
    throw new ConfigError(
      `Option certificateArn cannot be "${certificateArn}" with region=${region}. ` +
        `Allowed: ${options.certificateArn.allowed}.`,
    );
  }
  if (certificateArn === undefined && !allowHttp) {
    throw new ConfigError(
      'Without certificateArn the site would be served over HTTP, in the open. ' +
        'Give -c domainName=… -c certificateArn=…, or allow it with -c allowHttp=true.',
    );
  }
}

export function zonesOf({ availabilityZones, region }: Config): readonly string[] {
  return availabilityZones ?? [`${region}a`, `${region}b`];
}
