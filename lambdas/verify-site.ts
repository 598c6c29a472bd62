import { ECSClient } from '@aws-sdk/client-ecs';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { readServing, type Serving } from './shared/acknowledgements.ts';
import { answerOf } from './shared/answers.ts';
import type { BeforeRollout } from './shared/before-rollout.ts';
import { type FilesFound, judgeFiles } from './shared/brought-files.ts';
import {
  readCacheConfiguration,
  readCacheConfigurationHash,
  sameCacheConfiguration,
  wantedCacheConfiguration,
} from './shared/cache-configuration.ts';
import { keptStates, sessionInWords, worseThanBefore } from './shared/compare-looks.ts';
import { cronSince as cronSeen } from './shared/cron-run.ts';
import { NodesNotYetHealthy, VerificationFailed } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout } from './shared/hold.ts';
import type { MoodleDatabase } from './shared/moodle-database.ts';
import { nodeId, runningNodes } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters } from './shared/parameters.ts';
import type { Plan } from './shared/plan.ts';
import { readSecret } from './shared/secrets.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { isInCommandLineMaintenance, lookAtSite, open, type SiteLook } from './shared/site-look.ts';
import { readSiteState } from './shared/site-state.ts';
import { runTask, taskAge } from './shared/tasks.ts';
import { type Page, Visitor } from './shared/visitor.ts';

export interface VerifySiteClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly settings: Settings;
}

export interface SiteToVerify extends Rollout {
  readonly plan: Pick<Plan, 'nodes' | 'install' | 'finish'> &
    Partial<Pick<Plan, 'existingSite' | 'acceptMissingFiles'>>;
  /**
   * Seconds since 1970 from which on cron has to have begun a run; null: the site has no cron. Left out: since this
   * rollout began.
   */
  readonly cronSince?: number | null;
  /**
   * Whether caches and sessions are to be where this rollout found them, and not where the last deploy wants them: an
   * update does not move them, and is not to blame for what an install has still to do.
   */
  readonly asBefore?: boolean;
}

export interface VerifiedSite {
  /** After an unattended install: who signed in, and how. */
  readonly login?: string;
  readonly session: string;
  readonly stores: string;
  readonly version: string;
  readonly cron: string;
  /** Of a site that was brought here: how many of its files were looked for. */
  readonly files?: string;
  readonly filesFound?: FilesFound;
  /** States of the site's own, which the rollout left as they are. */
  readonly kept?: readonly string[];
}

/**
 * Looks at the finished site as a person would, and at what its nodes say about themselves.
 *
 * @throws NodesNotYetHealthy, CronNotYetRun, TaskStillRunning until nodes have settled, cron is known to run and files were
 *   looked for
 * @throws VerificationFailed naming what is not as it should be
 */
export async function verifySite(
  clients: VerifySiteClients,
  { site, execution, plan, cronSince, asBefore = false }: SiteToVerify,
): Promise<VerifiedSite> {
  const { database, ecs, settings } = clients;
  const { since, before } = await assertHeld(database, { site, execution });
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  const serving = await readServing(database, site, nodes);
  if (nodes.length < plan.nodes || serving.size < nodes.length) {
    throw new NodesNotYetHealthy(`${serving.size} of ${Math.max(nodes.length, plan.nodes)} nodes serve.`);
  }
  const { stores, version } = await verifyAcknowledgements(
    clients,
    site,
    serving,
    asBefore ? before : wantedBy(settings),
  );
  const cron =
    cronSince === null ? 'none, as before' : await cronNow(clients, cronSince ?? since - cronRunSeconds, before.look);
  const files = plan.existingSite
    ? await checkFiles(clients, { site, execution }, plan.acceptMissingFiles ?? false)
    : {};
  const login = plan.install && plan.finish === 'unattended' ? { login: await signIn(clients) } : {};
  const look = await lookAfter(clients, { site, execution }, nodes);
  const worse = worseThanBefore(look, before.look);
  if (worse.length > 0) throw failed(worse.join('; '));
  const kept = keptStates(look);
  return {
    ...login,
    session: sessionInWords(look.session),
    stores,
    version,
    cron,
    ...files,
    ...(kept.length > 0 ? { kept } : {}),
  };
}

/**
 * A session that is lost is followed once more with another one: somebody has just ended all sessions, or the store has
 * changed its server, and a way back restores a database.
 */
async function lookAfter(clients: VerifySiteClients, rollout: Rollout, nodes: readonly string[]): Promise<SiteLook> {
  const again = 'look once more';
  if ((await taskAge(clients.database, rollout, again)) === undefined) {
    const look = await lookAtSite(clients, rollout, nodes, 'look after');
    if (look.session.kind !== 'lost') return look;
  }
  return await lookAtSite(clients, rollout, nodes, again);
}

/** Database and files of a site that was brought here travelled apart: a task compares them. */
async function checkFiles(clients: VerifySiteClients, rollout: Rollout, acceptMissing: boolean) {
  return judgeFiles(await runTask(clients, rollout, 'check files', ['check-files']), acceptMissing);
}

function wantedBy(settings: Settings): Pick<BeforeRollout, 'cacheConfiguration' | 'sessionStore'> {
  return { cacheConfiguration: wantedCacheConfiguration(settings), sessionStore: settings.sessionStoreType };
}

async function cronNow(
  { database, settings }: VerifySiteClients,
  since: number,
  before: SiteLook | undefined,
): Promise<string> {
  if (await isInCommandLineMaintenance(settings)) {
    return 'not waited for: Moodle’s command-line maintenance keeps it from running';
  }
  return cronSeen(database, settings.databasePrefix, since, before?.cron);
}

async function verifyAcknowledgements(
  { database, ssm, settings }: VerifySiteClients,
  site: string,
  serving: ReadonlyMap<string, Serving>,
  expected: Pick<BeforeRollout, 'cacheConfiguration' | 'sessionStore'>,
): Promise<{ stores: string; version: string }> {
  const hash = await readCacheConfigurationHash(database, site);
  const { 'session-store': sessionStore } = await readParameters(ssm, settings);
  const state = await readSiteState(database, site, settings.databasePrefix);
  if (!sameCacheConfiguration(await readCacheConfiguration(database, site), expected.cacheConfiguration)) {
    throw failed('the rows of the cache stores are not the expected ones');
  }
  if (sessionStore !== expected.sessionStore) throw failed(`the parameter session-store says ${sessionStore}`);
  if (state.name !== 'installed') throw failed(`the database says ${state.name}: ${state.why}`);
  for (const [node, says] of serving) {
    const who = `node ${node.slice(0, 8)}`;
    if (says.cacheConfigurationHash !== hash) throw failed(`${who} applied other cache stores`);
    if (says.sessionStore !== sessionStore) throw failed(`${who} keeps sessions in ${says.sessionStore}`);
    if (says.upgradePending) throw failed(`${who} says that an upgrade is pending`);
    if (Number(says.moodleVersion) !== Number(state.version)) {
      throw failed(`${who} has the code of ${says.moodleVersion}, the database ${state.version}`);
    }
  }
  const [first] = serving.values();
  return {
    stores: `sessions in ${sessionStore}, cache stores ${hash.slice(0, 12)} on ${serving.size} nodes`,
    version: `${first?.moodleRelease ?? ''} (PHP ${first?.php ?? ''}), no upgrade pending`,
  };
}

/**
 * One run of admin/cli/cron.php goes on for up to --keep-alive, 180 s, and writes its time only when it begins; so a cron
 * that is at work now can have begun this long before the rollout.
 */
const cronRunSeconds = 240;

/**
 * The way in after an install that nobody else has touched: Moodle's own form, and the password of the secret. The code may
 * bring another way with it (`local/defaults.php`, an authentication plugin, a theme): the session proves the site then.
 */
async function signIn({ secrets, settings }: VerifySiteClients): Promise<string> {
  const visitor = new Visitor(settings.siteUrl);
  const form = await open(visitor, '/login/index.php', settings);
  const { kind, status, leadsTo } = answerOf(form);
  if (kind === 'redirect') return `not tried: the login page leads to ${leadsTo}`;
  if (kind !== 'page') throw failed(`the login page answered ${status}`);
  const logintoken = loginToken(form);
  if (logintoken === undefined) return 'not tried: the login page has another form than Moodle’s own';
  const { username = settings.adminUser, password = '' } = await readSecret(secrets, settings.adminSecretArn);
  const fields = { username, password, logintoken, anchor: '' };
  const pages = [await open(visitor, '/login/index.php', settings, fields), await open(visitor, '/my/', settings)];
  for (const { status, node } of pages) {
    if (status >= 400) throw failed(`node ${node.slice(0, 8)} answered ${status} when ${username} signed in`);
  }
  const [, home] = pages;
  if (home && isLoggedIn(home)) return `${username}, by the password of the secret`;
  throw failed(`${username} cannot log in with the password of the secret (page ${home?.status})`);
}

function loginToken({ body }: Page): string | undefined {
  const [input = ''] = /<input[^>]*name="logintoken"[^>]*>/.exec(body) ?? [];
  // Empty where `disablelogintoken` is set.
  return /value="([^"]*)"/.exec(input)?.[1];
}

/** Moodle's user menu links to the logout page with the session's key. */
function isLoggedIn({ status, body }: Page): boolean {
  return status === 200 && /login\/logout\.php\?sesskey=/.test(body);
}

function failed(what: string): VerificationFailed {
  return new VerificationFailed(
    `The finished site is not as it should be: ${what}. Read the nodes’ logs, mend the cause and start the rollout again.`,
  );
}

export const handler = makeHandler(
  'Verify the site',
  (): VerifySiteClients => {
    const settings = settingsFrom();
    return {
      settings,
      database: openDatabase(settings),
      ecs: new ECSClient({}),
      ssm: new SSMClient({}),
      secrets: new SecretsManagerClient({}),
    };
  },
  verifySite,
);
