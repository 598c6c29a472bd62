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
    { taskCpu: '1024', taskMemory: '2048', instanceType: 't3.medium' },
    { taskCpu: '16384', taskMemory: '32768', instanceType: 'm7g.4xlarge' },
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
  readonly index: number;
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
  const values = factors
    .flatMap((contexts, factor) => contexts.map((context) => ({ factor, context })))
    .map((value, index): Value => ({ ...value, index }));
  const open = new OpenPairs(values);
  const accepted: Context[] = [];
  const refused: Context[] = [];
  for (let pair = open.next(); pair !== undefined; pair = open.next()) {
    const begun = begin(pair, values);
    if (begun === undefined) refused.push(contextOf(pair));
    else {
      const row = fill(begun, values, open);
      open.close(row);
      accepted.push(contextOf(row));
    }
    open.close(pair);
  }
  return { accepted, refused };
}

/** The pairs that stand in no combination yet. */
class OpenPairs {
  readonly #values: readonly Value[];
  /** By the index of either value; how many pairs of a value are open at its own. */
  readonly #open: readonly boolean[][];
  readonly #left: number[];

  constructor(values: readonly Value[]) {
    this.#values = values;
    this.#open = values.map((one) => values.map((other) => one.factor !== other.factor));
    this.#left = this.#open.map((pairs) => pairs.filter(Boolean).length);
  }

  /** Of the value with most open pairs, with such a one: those that are left to the end would need a row each. */
  next(): readonly Value[] | undefined {
    const one = this.#mostLeft(this.#values);
    if (one === undefined || this.left(one) === 0) return undefined;
    const other = this.#mostLeft(this.#values.filter((value) => this.has(one, value)));
    return other && [one, other];
  }

  has(one: Value, other: Value): boolean {
    return this.#open[one.index]?.[other.index] ?? false;
  }

  left({ index }: Value): number {
    return this.#left[index] ?? 0;
  }

  close(row: readonly Value[]): void {
    for (const one of row) for (const other of row) if (this.has(one, other)) this.#close(one.index, other.index);
  }

  #close(one: number, other: number): void {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      (this.#open[from] as boolean[])[to] = false;
      this.#left[from] = (this.#left[from] ?? 0) - 1;
    }
  }

  #mostLeft(values: readonly Value[]): Value | undefined {
    return values.reduce<Value | undefined>(
      (most, value) => (most && this.left(most) >= this.left(value) ? most : value),
      undefined,
    );
  }
}

function valuesOf([name, { extremes }]: [string, Option<unknown>]): (readonly Context[])[] {
  if (extremes.length === 0 || inBundles.has(name)) return [];
  const few = extremes.length <= 5 ? extremes : [extremes[0] ?? '', extremes.at(-1) ?? ''];
  return [few.map((value) => ({ [name]: value }))];
}

/** The pair, with up to five more values, of options that the refusal names, where it is refused without. */
function begin(row: readonly Value[], values: readonly Value[], more = 5): readonly Value[] | undefined {
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

/**
 * Gives the further factors, those with most open pairs first, the value that closes most; one that no value of is
 * accepted keeps its default.
 */
function fill(begun: readonly Value[], values: readonly Value[], open: OpenPairs): readonly Value[] {
  const row = [...begun];
  const byFactor = Map.groupBy(
    values.filter(({ factor }) => begun.every((value) => value.factor !== factor)),
    ({ factor }) => factor,
  );
  const left = (candidates: readonly Value[]) => candidates.reduce((sum, value) => sum + open.left(value), 0);
  const factors = [...byFactor.values()].sort((one, other) => left(other) - left(one));
  for (const candidates of factors) {
    const gain = (value: Value) => row.filter((other) => open.has(value, other)).length;
    const best = candidates
      .map((value) => ({ value, gain: gain(value) }))
      .sort((one, other) => other.gain - one.gain || open.left(other.value) - open.left(one.value))
      .find(({ value }) => refusalOf([...row, value]) === undefined);
    if (best) row.push(best.value);
  }
  return row;
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
