import { Ajv, type ErrorObject } from 'ajv';
import { InputInvalid } from './errors.ts';
import { minutesOf } from './maintenance-window.ts';
import schema from './plugin-update-input.schema.json' with { type: 'json' };

export type UpdateTopic = 'plugins' | 'core' | 'image';

/** From the least to the most. */
export const risks = ['patch', 'minor', 'core'] as const;
export type Risk = (typeof risks)[number];

export interface AddedPlugin {
  readonly component: string;
  readonly version?: number;
  readonly url?: string;
  readonly sha256?: string;
}

/** Daily, in the wall-clock time of the zone; `end` before `start` is on the next day. */
export interface MaintenanceWindow {
  /** `HH:MM` */
  readonly start: string;
  readonly end: string;
  /** IANA name. */
  readonly timeZone: string;
}

/** The input with its defaults: what *Find updates* works from. */
export interface UpdateRequest {
  readonly what: readonly UpdateTopic[];
  /** Null: all. */
  readonly plugins: readonly string[] | null;
  readonly add: readonly AddedPlugin[];
  readonly remove: readonly string[];
  readonly deleteData: readonly string[];
  readonly dryRun: boolean;
  readonly approval: boolean;
  readonly approvalHours: number;
  readonly maximumRisk: Risk;
  readonly maintenanceWindow: MaintenanceWindow | null;
  readonly snapshotRetentionDays: number;
  readonly reason: string;
}

type GivenInput = Partial<Omit<UpdateRequest, 'plugins' | 'maintenanceWindow'>> & {
  readonly plugins?: readonly string[];
  readonly maintenanceWindow?: MaintenanceWindow;
};

const ajv = new Ajv({ allErrors: true, verbose: true });
ajv.addFormat('time-zone', isTimeZone);
const valid = ajv.compile<GivenInput>(schema);

/** @throws InputInvalid naming every member that is wrong and what it may be */
export function readPluginUpdateInput(input: unknown): UpdateRequest {
  const given = input ?? {};
  if (!valid(given)) throw refused((valid.errors ?? []).map(words).filter(Boolean));
  const what = given.what ?? ['plugins'];
  const request = {
    what,
    plugins: given.plugins ?? null,
    add: given.add ?? [],
    remove: given.remove ?? [],
    deleteData: given.deleteData ?? [],
    dryRun: given.dryRun ?? false,
    approval: given.approval ?? false,
    approvalHours: given.approvalHours ?? 24,
    maximumRisk: given.maximumRisk ?? (what.includes('core') ? ('core' as const) : ('minor' as const)),
    maintenanceWindow: given.maintenanceWindow ?? null,
    snapshotRetentionDays: given.snapshotRetentionDays ?? 14,
    reason: given.reason || 'plugin update',
  };
  const problems = contradictions(request);
  if (problems.length > 0) throw refused(problems);
  return request;
}

/** The rollout looks every ten minutes whether the window is open. */
const leastMinutes = 15;

function contradictions({ what, plugins, add, remove, deleteData, maximumRisk, maintenanceWindow }: UpdateRequest) {
  const added = add.map(({ component }) => component);
  const both = (some: readonly string[], others: readonly string[]) => some.filter((one) => others.includes(one));
  return [
    ...deleteData
      .filter((component) => !remove.includes(component))
      .map((component) => `deleteData names ${component}, which remove does not`),
    ...both(added, remove).map((component) => `add and remove both name ${component}`),
    ...both(plugins ?? [], remove).map((component) => `plugins and remove both name ${component}`),
    ...added.filter((one, index) => added.indexOf(one) !== index).map((one) => `add names ${one} twice`),
    ...(plugins && !what.includes('plugins') ? ['plugins is given, but what does not have plugins'] : []),
    ...(what.includes('core') && maximumRisk !== 'core'
      ? [`what has core, which maximumRisk ${maximumRisk} does not allow`]
      : []),
    ...(maximumRisk === 'patch' && (add.length > 0 || remove.length > 0)
      ? ['add and remove are of the risk minor, which maximumRisk patch does not allow']
      : []),
    ...(maximumRisk === 'patch' && what.includes('image')
      ? ['what has image, whose plugins are of the risk minor, which maximumRisk patch does not allow']
      : []),
    ...(maintenanceWindow && minutesOf(maintenanceWindow) < leastMinutes
      ? [`maintenanceWindow has ${minutesOf(maintenanceWindow)} minutes, and needs ${leastMinutes}`]
      : []),
  ];
}

function isTimeZone(name: string): boolean {
  try {
    // An offset such as +02:00 is taken by Intl too, but knows no summer time.
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

function refused(problems: readonly string[]): InputInvalid {
  return new InputInvalid(
    `The execution’s input is not valid: ${[...new Set(problems)].join('; ')}. Nothing was touched. Start it again, for ` +
      'example with {} or {"dryRun": true} or {"what": ["plugins", "core"], "approval": true}.',
  );
}

function words({ instancePath, keyword, params, message, data }: ErrorObject): string {
  const where = instancePath.slice(1).replaceAll('/', '.') || 'the input';
  switch (keyword) {
    case 'additionalProperties':
      return `${where === 'the input' ? '' : `${where}.`}${params.additionalProperty} is not known`;
    case 'enum':
      return `${where} is ${JSON.stringify(data)}, not ${params.allowedValues.join(' or ')}`;
    case 'format':
      return `${where} is ${JSON.stringify(data)}, not the name of a time zone such as Europe/Berlin`;
    case 'pattern':
      return `${where} is ${JSON.stringify(data)}, which it cannot be`;
    case 'required':
      return `${where} lacks ${params.missingProperty}`;
    case 'dependencies':
      return `${where} has ${params.property}, and needs ${params.missingProperty} with it`;
    default:
      return `${where} ${message}`;
  }
}
