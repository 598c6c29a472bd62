import { arn, type World } from '../world.ts';

export interface ParameterVersion {
  readonly version: number;
  readonly value: string;
  readonly type: string;
  /** ISO 8601. */
  readonly lastModified: string;
}

export interface StoredParameter {
  /** Oldest first; AWS keeps the last 100. */
  readonly versions: readonly ParameterVersion[];
  readonly description?: string;
  /** What the template gave it last, so that a deploy of the same template leaves what a rollout set. */
  readonly deployedValue?: string;
}

const VERSIONS_KEPT = 100;

export function parametersOf(world: Pick<World, 'state'>) {
  return world.state.collection<StoredParameter>('ssm-parameters');
}

export function parameterArn(world: World, name: string): string {
  return arn(world, 'ssm', `parameter${name.startsWith('/') ? '' : '/'}${name}`);
}

/** The name in an ARN, or the name itself, without a selector. */
export function parameterName(nameOrArn: string): { name: string; selector?: string } {
  const [, path] = /^arn:[^:]+:ssm:[^:]*:[^:]*:parameter(\/.*)$/.exec(nameOrArn) ?? [];
  const [name = '', selector] = (path ?? nameOrArn).split(':');
  return { name, ...(selector === undefined ? {} : { selector }) };
}

export interface FoundParameter extends ParameterVersion {
  readonly name: string;
}

/** @param nameOrArn may end in `:<version>` */
export function readParameter(world: World, nameOrArn: string): FoundParameter | undefined {
  const { name, selector } = parameterName(nameOrArn);
  const parameters = parametersOf(world);
  // The ARN of a parameter whose name has no slash cannot be told from that of `/name`.
  const found = [name, name.replace(/^\//, '')].find((candidate) => parameters.get(candidate) !== undefined);
  if (found === undefined) return undefined;
  const versions = parameters.get(found)?.versions ?? [];
  const version = selector === undefined ? versions.at(-1) : versions.find((one) => String(one.version) === selector);
  return version ? { name: found, ...version } : undefined;
}

/** Adds a version. The caller has made sure that it may overwrite. */
export function writeParameter(
  world: World,
  name: string,
  value: string,
  more: { type?: string; description?: string; deployedValue?: string } = {},
): ParameterVersion {
  const parameters = parametersOf(world);
  const known = parameters.get(name);
  const last = known?.versions.at(-1);
  const made: ParameterVersion = {
    version: (last?.version ?? 0) + 1,
    value,
    type: more.type ?? last?.type ?? 'String',
    lastModified: new Date().toISOString(),
  };
  const description = more.description ?? known?.description;
  const deployedValue = more.deployedValue ?? known?.deployedValue;
  parameters.set(name, {
    versions: [...(known?.versions ?? []), made].slice(-VERSIONS_KEPT),
    ...(description === undefined ? {} : { description }),
    ...(deployedValue === undefined ? {} : { deployedValue }),
  });
  return made;
}
