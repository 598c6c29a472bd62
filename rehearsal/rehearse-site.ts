import { announceRehearsal } from '../console/api/rehearsals.ts';
import { openProgressView, type Screen } from '../console/terminal.ts';
import { watchRollout } from '../console/watch.ts';
import { needsMariaDb, pinnedMoodleVersion } from './assembly-facts.ts';
import { removeOldCompiledCode } from './compile-cache.ts';
import { lockFolder } from './folder-lock.ts';
import { namesOf } from './machines/names.ts';
import { keeperOf } from './machines/process-keeper.ts';
import { otherReleaseInWords } from './moodle/at-release.ts';
import { chooseMoodle } from './moodle/choose.ts';
import { downloadBar } from './moodle/download-bar.ts';
import { PhpTooOld, requireSuitablePhp } from './moodle/php-version.ts';
import type { MoodleSource } from './moodle/source.ts';
import { numberOf, readVersionFile } from './moodle/version-file.ts';
import type { RehearsalOptions } from './options.ts';
import { servePlugins } from './plugin-directory/serve-folder.ts';
import { ensurePrerequisites } from './prerequisites/ensure.ts';
import { openRehearsal, type Rehearsal } from './rehearse.ts';
import { plannedRollouts } from './rollouts.ts';
import { nextSignal } from './signals.ts';
import { synthesise } from './synthesise.ts';

const site = 'demo';
/** A real Moodle works at this computer's speed: waits that are much shorter would not shorten a rollout. */
const defaultPace = { 'stand-in': 10, real: 5 } as const;
/** Between two looks at the execution; an API call to this computer costs next to nothing. */
const lookEveryMilliseconds = 250;

/** Fires on demand in a rehearsal; the night that it names never comes. */
const scheduleOfRehearsal = 'cron(0 3 ? * SUN *)';

/**
 * One rehearsal of a site, from set-up to summary.
 *
 * @param directory where everything is written; what is there already is gone on from. Absolute
 * @returns 0 when the rollouts succeeded, 1 when one failed, 130 when the person interrupted it
 */
export async function rehearseSite(options: RehearsalOptions, directory: string, screen: Screen): Promise<number> {
  const say = (line: string) => screen.write(`${line}\n`);
  const undo: (() => Promise<void> | void)[] = [lockFolder(directory)];
  const signal = nextSignal();
  try {
    const { plugins, otherMoodles } = options;
    const served = plugins !== undefined || otherMoodles.length > 0;
    const directoryOfPlugins = served ? await servePlugins(plugins, directory, otherMoodles) : undefined;
    if (directoryOfPlugins) undo.push(() => directoryOfPlugins.close());
    removeOldCompiledCode();
    const cloudAssembly =
      options.cloudAssembly ?? (await synthesiseFor(options, directory, directoryOfPlugins?.url, say));
    const choice = {
      asked: options.moodle,
      environment: process.env.MOODLE_DIR,
      pinnedVersion: pinnedMoodleVersion(cloudAssembly),
    };
    const bar = downloadBar(screen);
    const chosen = await chooseMoodle(choice, say, bar.progress);
    bar.end();
    const mariaDb = needsMariaDb(cloudAssembly);
    await ensurePrerequisites({ realMoodle: chosen.kind === 'real', mariaDb }, say);
    const moodle = withOthers(runnable(chosen, choice.asked ?? choice.environment, say), otherMoodles);
    say(`Nodes run ${describe(moodle)}.`);
    const isNamed = (options.cloudAssembly ?? options.context.moodleVersion) !== undefined;
    const other = isNamed ? otherReleaseInWords(moodle, choice.pinnedVersion) : undefined;
    if (other) say(other);
    say(
      `Deploying to the make-believe account (${mariaDb ? 'MariaDB' : 'PostgreSQL'}, Redis with TLS, load balancer) …`,
    );
    // A person at the wizard is no faster here than on AWS.
    const pace = options.pace ?? (options.finish === 'browser' ? 1 : defaultPace[moodle.kind]);
    const rehearsal = await openRehearsal({ directory, moodle, pace, cloudAssembly });
    try {
      undo.push(
        announceRehearsal({
          endpoint: rehearsal.account.endpoint,
          region: rehearsal.account.world.region,
          directory,
          pace,
        }),
      );
      if (options.data === undefined) keeperOf(rehearsal.account.world).discardAfterDeath(directory);
      return await rollOut(rehearsal, options, directory, screen, signal);
    } finally {
      await rehearsal.close();
    }
  } finally {
    for (const work of undo.reverse()) await work();
  }
}

function synthesiseFor(
  options: RehearsalOptions,
  directory: string,
  pluginDirectoryUrl: string | undefined,
  say: (line: string) => void,
): Promise<string> {
  say('Synthesising the CDK app …');
  const { cache: sessionStore, databaseEngine, databaseAccess } = options;
  return synthesise(`${directory}/cdk.out`, {
    ...options.context,
    site,
    sessionStore,
    databaseEngine,
    databaseAccess,
    ...(pluginDirectoryUrl ? { pluginDirectoryUrl } : {}),
    ...(options.bySchedule ? { updateSchedule: scheduleOfRehearsal } : {}),
  });
}

/**
 * A Moodle that was named, and that this computer's PHP is too old for, is refused. The pinned one that nobody named
 * gives way to the stand-in.
 *
 * @throws PhpTooOld
 */
function runnable(moodle: MoodleSource, named: string | undefined, say: (line: string) => void): MoodleSource {
  if (moodle.kind === 'stand-in') return moodle;
  try {
    requireSuitablePhp(moodle);
    return moodle;
  } catch (error) {
    if (named !== undefined || !(error instanceof PhpTooOld)) throw error;
    say(
      `${error.message.replace(/ Nothing was started.*/, '')} The stand-in takes its place: a small server, not Moodle.`,
    );
    return { kind: 'stand-in' };
  }
}

function withOthers(moodle: MoodleSource, folders: readonly string[]): MoodleSource {
  if (moodle.kind === 'stand-in') return moodle;
  return { ...moodle, otherReleases: new Map(folders.map((one) => [numberOf(readVersionFile(one).release), one])) };
}

const describe = (moodle: MoodleSource) =>
  moodle.kind === 'real' ? `Moodle ${moodle.release} from ${moodle.directory}` : 'the stand-in, which is not Moodle';

async function rollOut(
  rehearsal: Rehearsal,
  options: RehearsalOptions,
  directory: string,
  screen: Screen,
  signal: Promise<NodeJS.Signals>,
): Promise<number> {
  const say = (line: string) => screen.write(`${line}\n`);
  say(
    `AWS endpoint ${rehearsal.account.endpoint}; its waits pass ${rehearsal.account.world.pace} times faster than on AWS.\n`,
  );
  const interrupted = new AbortController();
  void signal.then(() => interrupted.abort());
  let succeeded = true;
  for (const { title, start } of await plannedRollouts(rehearsal, options)) {
    if (options.rollout !== 'install') say(`Rollout ${title}`);
    const view = openProgressView(screen, process.env);
    const { status } = await watchRollout(rehearsal.stepFunctions, await start(), view, {
      everyMilliseconds: lookEveryMilliseconds,
      rehearsal: { directory, pace: rehearsal.account.world.pace },
      place: { profile: undefined, endpointUrl: rehearsal.account.endpoint },
      signal: interrupted.signal,
    });
    if (status === 'running') {
      say(`\nInterrupted. ${goOn(options)}`);
      return 130;
    }
    succeeded = status === 'succeeded';
    if (!succeeded) break;
  }
  if (options.keep) {
    for (const line of addresses(rehearsal)) say(line);
    say('\nUp until Ctrl-C.');
    await signal;
    say('Stopping …');
  } else {
    say(`\nThe rehearsal ends here, and the site with it; --keep lets it stay up. ${goOn(options)}`);
  }
  return succeeded ? 0 : 1;
}

const goOn = (options: RehearsalOptions) =>
  options.data === undefined
    ? 'Its data is removed; with --data DIRECTORY it would be kept, and the next start would go on from it.'
    : `Its data is kept: npm start -- ${options.rollout} --data ${options.data} goes on from it.`;

function addresses({ account }: Rehearsal): string[] {
  const site = account.output('SiteAddress');
  const secret = account.output('AdministratorSecretArn');
  const aws = `aws --endpoint-url ${account.endpoint} --region ${account.world.region}`;
  return [
    '',
    `  site          ${site}`,
    ...reaching(account, new URL(site)),
    `  admin user    ${account.output('AdministratorUser')}`,
    `  its password  ${aws} secretsmanager get-secret-value --secret-id ${secret} --query SecretString --output text`,
    `  AWS endpoint  ${account.endpoint}`,
    `  for example   ${aws} stepfunctions list-executions --state-machine-arn ${account.output('InstallStateMachineArn')}`,
    `  logs          ${account.world.directory}/logs`,
  ];
}

/** How a person gets to a site whose name no DNS knows, or whose certificate no browser trusts. */
function reaching({ world }: Rehearsal['account'], site: URL): string[] {
  if (site.protocol !== 'https:') return [];
  const { hostname, port } = site;
  const local = namesOf(world).localPort(hostname, Number(port || 443));
  const way = local === undefined ? '' : ` --connect-to ${hostname}:443:127.0.0.1:${local}`;
  return [
    `  reach it by   curl --cacert ${world.certificateAuthorityFile}${way} ${site.origin}/login/index.php`,
    ...(local === undefined
      ? []
      : [
          `  or            chromium --ignore-certificate-errors --host-resolver-rules="MAP ${hostname}:443 127.0.0.1:${local}"`,
        ]),
  ];
}
