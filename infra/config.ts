import { cacheContradictions, cacheOptions } from './options/cache.ts';
import { computeContradictions, computeOptions } from './options/compute.ts';
import { databaseContradictions, databaseOptions } from './options/database.ts';
import { edgeContradictions, edgeOptions } from './options/edge.ts';
import { filesContradictions, filesOptions } from './options/files.ts';
import { networkContradictions, networkOptions } from './options/network.ts';
import type { Option } from './options/option-kinds.ts';
import { siteContradictions, siteOptions } from './options/site.ts';
import { updateContradictions, updateOptions } from './options/updates.ts';
import { watchingContradictions, watchingOptions } from './options/watching.ts';
import { profiles } from './profiles.ts';

/** The options by what they are about, in the order in which the documentation has them. */
export const optionGroups = {
  Site: { options: siteOptions, contradictions: siteContradictions },
  Network: { options: networkOptions, contradictions: networkContradictions },
  Database: { options: databaseOptions, contradictions: databaseContradictions },
  Cache: { options: cacheOptions, contradictions: cacheContradictions },
  Files: { options: filesOptions, contradictions: filesContradictions },
  Compute: { options: computeOptions, contradictions: computeContradictions },
  Edge: { options: edgeOptions, contradictions: edgeContradictions },
  Updates: { options: updateOptions, contradictions: updateContradictions },
  Watching: { options: watchingOptions, contradictions: watchingContradictions },
} as const;

/** Every option of the app, once. Given as CDK context: `-c <name>=<value>`. */
export const options = {
  ...siteOptions,
  ...networkOptions,
  ...databaseOptions,
  ...cacheOptions,
  ...filesOptions,
  ...computeOptions,
  ...edgeOptions,
  ...updateOptions,
  ...watchingOptions,
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
  const profile = valueGiven('profile', options.profile, given, set);
  const chosen = profile === 'none' ? given : new Map([...Object.entries(profiles[profile]), ...given]);
  const values = Object.entries(options).map(([name, option]) => [
    name,
    valueGiven<unknown>(name, option as Option<unknown>, chosen, set),
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

function refuseContradictions(config: Config): void {
  for (const { contradictions } of Object.values(optionGroups)) {
    for (const contradiction of contradictions) {
      const message = contradiction(config);
      if (message !== undefined) throw new ConfigError(message);
    }
  }
}
