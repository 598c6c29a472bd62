import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const engines = ['aurora-postgresql', 'aurora-mysql', 'postgresql', 'mysql', 'mariadb'] as const;

const rollouts = ['install', 'plugin-update'] as const;

/** Those that say how the app is synthesised. */
const synthesisWords = [
  'plugins',
  'other-moodle',
  'by-schedule',
  'cache',
  'database-engine',
  'database-access',
  'context',
] as const;

/** What the person at the keyboard asked of one rehearsal. */
export interface RehearsalOptions {
  /** What is rehearsed; a plugin update on a site that is not installed yet comes after the install. */
  readonly rollout: (typeof rollouts)[number];
  /** Input of the plugin update. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Folder of plugins that stand in the place of Moodle's plugin directory; absent: that is asked. Absolute. */
  readonly plugins?: string;
  /** Whether the deployed schedule starts the plugin update, with its own role and input. */
  readonly bySchedule: boolean;
  /** Folders of other Moodle releases, which the directory offers and images are built with. Absolute. */
  readonly otherMoodles: readonly string[];
  /** A Moodle directory, a Moodle version, or `stand-in`; absent: the default described in the help text. */
  readonly moodle?: string;
  /** Folder that keeps the site's data from one rehearsal to the next; absent: a temporary one, removed at the end. */
  readonly data?: string;
  readonly nodes: number;
  readonly cache: 'redis' | 'memcached';
  readonly databaseEngine: (typeof engines)[number];
  readonly databaseAccess: 'data-api' | 'network';
  readonly finish: 'unattended' | 'browser';
  readonly adminIp: string;
  /** Options of the app besides those that have a word of their own here: CDK context. */
  readonly context: Readonly<Record<string, string>>;
  /** Folder that `cdk synth` has written, rehearsed as it is; absent: the app is synthesised. Absolute. */
  readonly cloudAssembly?: string;
  /** How many times faster than on AWS its waits pass; absent: the default of the Moodle that runs. */
  readonly pace?: number;
  /** Whether the site stays up after the rollout until Ctrl-C. */
  readonly keep: boolean;
  readonly help: boolean;
}

/** A command line that cannot be obeyed. The message says which word, and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const help = `Rehearses a rollout of a Moodle site on this computer, with the templates, state machines and functions that
would be deployed to AWS. Needs no AWS account and no Docker.

  npm start                              rehearse a fresh install
  npm start -- --moodle /srv/moodle      … of the Moodle in this directory
  npm start -- --data ./site --keep      … keep its data, and stay up until Ctrl-C
  npm start -- plugin-update --plugins ./plugins
                                         install, then update to the plugins in that folder
  npm start -- -c cloudFront=true        … with an option of the app, here behind CloudFront

Rollouts
  install                 the default
  plugin-update           on a site that is not installed yet, after an install

While it is up, npx lifecycle and the AWS CLI work on it: npx lifecycle start plugin-update --input '{"approval": true}'

Options of plugin-update
  --plugins DIRECTORY     what Moodle's plugin directory offers: each folder in it, at whatever depth, that has a
                          version.php is one version of one plugin. Default: the real directory is asked
  --other-moodle DIRECTORY
                          another release of Moodle, for '{"what": ["core"]}'; any number of them. The directory then
                          offers it, and no other plugins than those of --plugins. Needs a real Moodle of its branch
  --input JSON            the rollout's input, for example '{"add": [{"component": "mod_attendance"}]}'
  --by-schedule           the deployed schedule starts it, once and at once, with its own role and input

Options
  --moodle DIRECTORY | VERSION | stand-in
                          which Moodle the nodes run. Default: $MOODLE_DIR; else the pinned version, from the cache or
                          downloaded; where it cannot be reached, the stand-in: a small server in Moodle's place
  --data DIRECTORY        keep the site's data there, and go on from what is there already
  --nodes N               nodes to scale out to (default 3)
  --cache redis|memcached
                          session store (default redis); the application cache is in Redis either way
  --database-engine ENGINE
                          aurora-postgresql (default), aurora-mysql, postgresql, mysql or mariadb; behind the first and
                          the third is a PostgreSQL, behind the others the MariaDB of this computer
  --database-access data-api|network
                          how the functions reach the database (default: data-api for Aurora, which alone has it)
  --finish unattended|browser
                          browser: you finish Moodle's own installation wizard (default unattended)
  -c NAME=VALUE           an option of the app (docs/configuration.md), as cdk deploy takes it; any number of them
  --cloud-assembly DIRECTORY
                          rehearse what cdk synth has written there, as it is: none of the options above that say how
                          the app is synthesised goes with it
  --admin-ip ADDRESS      with --finish browser: the address your browser comes from (default 127.0.0.1)
  --pace N                AWS's waits (health checks, draining, retries) pass N times faster (default 10, with a real
                          Moodle 5, with --finish browser 1: as on AWS)
  --keep, --no-keep       stay up after the rollout until Ctrl-C (default: only on an interactive terminal)
  --help                  this text

Exit code: 0 the rollout succeeded; 1 it failed, and the site was put back; 2 the command line is wrong.
`;

/**
 * @param interactive whether a person is watching: the default of `--keep`
 * @throws UsageError for an unknown option, a missing value or a value out of range
 */
export function parseOptions(words: readonly string[], interactive: boolean): RehearsalOptions {
  const { values, positionals } = parseWords(words);
  const databaseEngine = oneOf('--database-engine', values['database-engine'] ?? 'aurora-postgresql', engines);
  const usualAccess = databaseEngine.startsWith('aurora-') ? 'data-api' : 'network';
  const rollout = oneOf('The rollout', positionals[0] ?? 'install', rollouts);
  if (positionals.length > 1) throw new UsageError(`One rollout is rehearsed, not “${positionals.join(' ')}”.`);
  const ofUpdate = (['plugins', 'other-moodle', 'input', 'by-schedule'] as const).find(
    (name) => values[name] !== undefined,
  );
  if (rollout !== 'plugin-update' && ofUpdate) throw new UsageError(`--${ofUpdate} is an option of plugin-update.`);
  if (values.input !== undefined && values['by-schedule']) {
    throw new UsageError('--by-schedule takes the input from the schedule: leave --input out.');
  }
  const ofSynthesis = synthesisWords.find((name) => values[name] !== undefined);
  if (values['cloud-assembly'] !== undefined && ofSynthesis) {
    throw new UsageError(`--cloud-assembly is rehearsed as it was synthesised: leave --${ofSynthesis} out.`);
  }
  return {
    rollout,
    input: values.input === undefined ? {} : jsonObject('--input', values.input),
    ...(values.plugins === undefined ? {} : { plugins: resolve(values.plugins) }),
    otherMoodles: (values['other-moodle'] ?? []).map((folder) => resolve(folder)),
    bySchedule: values['by-schedule'] ?? false,
    ...(values.moodle === undefined ? {} : { moodle: values.moodle }),
    ...(values.data === undefined ? {} : { data: resolve(values.data) }),
    nodes: wholeNumber('--nodes', values.nodes ?? '3', 1),
    cache: oneOf('--cache', values.cache ?? 'redis', ['redis', 'memcached']),
    databaseEngine,
    databaseAccess: oneOf('--database-access', values['database-access'] ?? usualAccess, ['data-api', 'network']),
    finish: oneOf('--finish', values.finish ?? 'unattended', ['unattended', 'browser']),
    adminIp: values['admin-ip'] ?? '127.0.0.1',
    context: Object.fromEntries((values.context ?? []).map(nameAndValue)),
    ...(values['cloud-assembly'] === undefined ? {} : { cloudAssembly: resolve(values['cloud-assembly']) }),
    ...(values.pace === undefined ? {} : { pace: wholeNumber('--pace', values.pace, 1) }),
    keep: values.keep ?? interactive,
    help: values.help ?? false,
  };
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowNegative: true,
      allowPositionals: true,
      options: {
        plugins: { type: 'string' },
        'other-moodle': { type: 'string', multiple: true },
        input: { type: 'string' },
        'by-schedule': { type: 'boolean' },
        moodle: { type: 'string' },
        data: { type: 'string' },
        nodes: { type: 'string' },
        cache: { type: 'string' },
        'database-engine': { type: 'string' },
        'database-access': { type: 'string' },
        finish: { type: 'string' },
        'admin-ip': { type: 'string' },
        context: { type: 'string', short: 'c', multiple: true },
        'cloud-assembly': { type: 'string' },
        pace: { type: 'string' },
        keep: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function jsonObject(option: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The same words for both.
  }
  throw new UsageError(`${option} takes a JSON object, not “${text}”.`);
}

/** Options of the app that have another word here, or that a rehearsal decides. */
const otherwise: Readonly<Record<string, string>> = {
  site: 'is always demo in a rehearsal',
  sessionStore: 'is --cache here',
  databaseEngine: 'is --database-engine here',
  databaseAccess: 'is --database-access here',
  pluginDirectoryUrl: 'is --plugins here',
  updateSchedule: 'is --by-schedule here',
};

function nameAndValue(word: string): [string, string] {
  const at = word.indexOf('=');
  if (at < 1) throw new UsageError(`-c takes NAME=VALUE, not “${word}”.`);
  const name = word.slice(0, at);
  if (Object.hasOwn(otherwise, name)) throw new UsageError(`-c ${name} ${otherwise[name]}.`);
  return [name, word.slice(at + 1)];
}

function wholeNumber(option: string, text: string, minimum: number): number {
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number < minimum) {
    throw new UsageError(`${option} takes a whole number from ${minimum}, not “${text}”.`);
  }
  return number;
}

function oneOf<Word extends string>(option: string, text: string, allowed: readonly Word[]): Word {
  const word = allowed.find((candidate) => candidate === text);
  if (word === undefined) throw new UsageError(`${option} takes ${allowed.join(' or ')}, not “${text}”.`);
  return word;
}
