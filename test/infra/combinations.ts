import { ConfigError, options, readConfig } from '../../infra/config.ts';
import type { Option } from '../../infra/options/option-kinds.ts';

export type Context = Readonly<Record<string, string>>;

const domainName = 'moodle.example.org';
const certificateArn = 'arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';

/** Free texts have no extremes: what they are tried with. Options that need each other are tried together. */
const together: Readonly<Record<string, readonly Context[]>> = {
  edge: [
    { allowHttp: 'true' },
    { domainName, certificateArn },
    { domainName, hostedZoneId: 'Z0123456789ABCDEFGHIJ', hostedZoneName: 'example.org' },
    {
      domainName: 'example.org',
      hostedZoneId: 'Z0123456789ABCDEFGHIJ',
      hostedZoneName: 'example.org',
      cloudFront: 'true',
    },
    { cloudFront: 'true' },
    {
      domainName,
      certificateArn,
      cloudFront: 'true',
      cloudFrontOrigin: 'secret-header',
      cloudFrontCertificateArn: certificateArn.replace('eu-west-1', 'us-east-1'),
    },
  ],
  zones: [
    { nodeZones: '1' },
    { nodeZones: '2' },
    { availabilityZones: 'eu-west-1a,eu-west-1b,eu-west-1c', nodeZones: '3' },
    {
      availabilityZones: 'eu-west-1a,eu-west-1b',
      nodeZones: '2',
      vpcId: 'vpc-0123456789abcdef0',
      publicSubnetIds: 'subnet-0a0a0a0a,subnet-0b0b0b0b',
      nodeSubnetIds: 'subnet-1a1a1a1a,subnet-1b1b1b1b',
      dataSubnetIds: 'subnet-2a2a2a2a,subnet-2b2b2b2b',
    },
  ],
  size: [
    { taskCpu: '256', taskMemory: '512', instanceType: 't4g.medium' },
    { taskCpu: '16384', taskMemory: '32768', instanceType: 'c7g.4xlarge' },
  ],
  scaling: [
    { cpuTargetPercent: '10' },
    { cpuTargetPercent: '90', requestsPerTarget: '10' },
    { cpuTargetPercent: '0', requestsPerTarget: '100000' },
    { cpuTargetPercent: '0', scaleOutPercent: '95', scaleInPercent: '5' },
  ],
  examDay: [
    {},
    {
      examDayStart: 'cron(30 7 15 6 ? 2027)',
      examDayEnd: 'cron(0 18 15 6 ? 2027)',
      examDayNodes: '2',
      timeZone: 'Europe/Berlin',
    },
  ],
  // Memcached needs a plugin that image/plugins.json does not name: refused beside anything.
  applicationStore: [{ applicationStore: 'redis' }],
  moodle: [{}, { moodleVersion: '5.0.2' }, { moodleChecksum: 'a'.repeat(64) }],
  updates: [{}, { updateSchedule: 'cron(0 3 ? * SUN *)' }],
  told: [{}, { notificationEmail: 'operator@example.com' }],
};

const inBundles = new Set(
  Object.values(together).flatMap((bundles) => bundles.flatMap((bundle) => Object.keys(bundle))),
);

/** One value of one factor: what it puts into the context. */
interface Value {
  readonly factor: number;
  readonly context: Context;
}

export interface Combinations {
  /** Accepted by readConfig, each. */
  readonly accepted: readonly Context[];
  /** Two values that are refused beside each other, whatever is beside them. */
  readonly refused: readonly Context[];
}

/**
 * Every two values of the options stand together in an accepted combination, or are refused beside each other. Values of
 * an option: all its words, or its least and most. No library: those that know constraints want them as a predicate on
 * whole rows, and ours are refusals of an option beside defaults.
 */
export function pairwiseCombinations(): Combinations {
  const factors = [...Object.values(together), ...Object.entries<Option<unknown>>(options).flatMap(valuesOf)];
  const values: Value[] = factors.flatMap((contexts, factor) => contexts.map((context) => ({ factor, context })));
  const uncovered = new Set(
    values.flatMap((one, i) =>
      values
        .slice(i + 1)
        .filter((other) => other.factor !== one.factor)
        .map((other) => pairKey(values, one, other)),
    ),
  );
  const accepted: Context[] = [];
  const refused: Context[] = [];
  for (const key of uncovered) {
    const pair = key.split(' ').map((index) => values[Number(index)] as Value);
    const begun = begin(pair, values);
    if (begun === undefined) refused.push(contextOf(pair));
    else {
      const row = fill(begun, factors, values, uncovered);
      for (const one of row) for (const other of row) uncovered.delete(pairKey(values, one, other));
      accepted.push(contextOf(row));
    }
    uncovered.delete(key);
  }
  return { accepted, refused };
}

function valuesOf([name, { extremes }]: [string, Option<unknown>]): (readonly Context[])[] {
  if (extremes.length === 0 || inBundles.has(name)) return [];
  const few = extremes.length <= 5 ? extremes : [extremes[0] ?? '', extremes.at(-1) ?? ''];
  return [few.map((value) => ({ [name]: value }))];
}

/** The pair, with up to three more values, of options that the refusal names, where it is refused without. */
function begin(row: readonly Value[], values: readonly Value[], more = 3): readonly Value[] | undefined {
  const refusal = refusalOf(row);
  if (refusal === undefined) return row;
  if (more === 0) return undefined;
  const candidates = values.filter(
    ({ factor, context }) =>
      row.every((value) => value.factor !== factor) && Object.keys(context).some((name) => refusal.includes(name)),
  );
  for (const candidate of candidates) {
    const begun = begin([...row, candidate], values, more - 1);
    if (begun) return begun;
  }
  return undefined;
}

/** Gives each further factor the value that covers most; one that no value of is accepted keeps its default. */
function fill(
  begun: readonly Value[],
  factors: readonly (readonly Context[])[],
  values: readonly Value[],
  uncovered: ReadonlySet<string>,
): readonly Value[] {
  const row = [...begun];
  for (const factor of factors.keys()) {
    if (row.some((value) => value.factor === factor)) continue;
    const gain = (value: Value) => row.filter((other) => uncovered.has(pairKey(values, value, other))).length;
    const best = values
      .filter((value) => value.factor === factor)
      .sort((one, other) => gain(other) - gain(one))
      .find((value) => refusalOf([...row, value]) === undefined);
    if (best) row.push(best);
  }
  return row;
}

function pairKey(values: readonly Value[], one: Value, other: Value): string {
  const indices = [values.indexOf(one), values.indexOf(other)].sort((a, b) => a - b);
  return indices.join(' ');
}

function contextOf(row: readonly Value[]): Context {
  return Object.assign({}, ...row.map(({ context }) => context));
}

/** Why readConfig refuses them; `undefined` when it does not. */
function refusalOf(row: readonly Value[]): string | undefined {
  try {
    readConfig(contextOf(row));
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
