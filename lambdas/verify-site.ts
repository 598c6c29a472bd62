import { ECSClient } from '@aws-sdk/client-ecs';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { readServing, type Serving } from './shared/acknowledgements.ts';
import {
  readCacheConfiguration,
  readCacheConfigurationHash,
  sameCacheConfiguration,
  wantedCacheConfiguration,
} from './shared/cache-configuration.ts';
import { CronNotYetRun, NodesNotYetHealthy, VerificationFailed } from './shared/errors.ts';
import { makeHandler } from './shared/handler.ts';
import { assertHeld, type Rollout } from './shared/hold.ts';
import { type MoodleDatabase, textOrNull } from './shared/moodle-database.ts';
import { nodeId, runningNodes } from './shared/nodes.ts';
import { openDatabase } from './shared/open-database.ts';
import { readParameters } from './shared/parameters.ts';
import type { Plan } from './shared/plan.ts';
import { readSecret } from './shared/secrets.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';
import { readSiteState } from './shared/site-state.ts';
import { runTask } from './shared/tasks.ts';
import { type Page, Visitor } from './shared/visitor.ts';

export interface VerifySiteClients {
  readonly database: MoodleDatabase;
  readonly ecs: ECSClient;
  readonly ssm: SSMClient;
  readonly secrets: SecretsManagerClient;
  readonly settings: Settings;
}

export interface SiteToVerify extends Rollout {
  readonly plan: Pick<Plan, 'nodes' | 'install' | 'finish'> & Partial<Pick<Plan, 'existingSite'>>;
  /**
   * Seconds since 1970 from which on cron has to have begun a run; null: the site has no cron. Left out: since this
   * rollout began.
   */
  readonly cronSince?: number | null;
}

export interface VerifiedSite {
  readonly login: string;
  readonly session: string;
  readonly stores: string;
  readonly version: string;
  readonly cron: string;
  /** Of a site that was brought here: how many of its files were looked for. */
  readonly files?: string;
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
  { site, execution, plan, cronSince }: SiteToVerify,
): Promise<VerifiedSite> {
  const { database, ecs, settings } = clients;
  const { since } = await assertHeld(database, { site, execution });
  const nodes = (await runningNodes(ecs, settings)).map(nodeId);
  const serving = await readServing(database, site, nodes);
  if (nodes.length < plan.nodes || serving.size < nodes.length) {
    throw new NodesNotYetHealthy(`${serving.size} of ${Math.max(nodes.length, plan.nodes)} nodes serve.`);
  }
  const { stores, version } = await verifyAcknowledgements(clients, site, serving);
  const cron = cronSince === null ? 'none, as before' : await cronRun(clients, cronSince ?? since - cronRunSeconds);
  const files = plan.existingSite ? { files: await checkFiles(clients, { site, execution }) } : {};
  const visited = await visit(clients, nodes, plan.install && plan.finish === 'unattended');
  return { ...visited, stores, version, cron, ...files };
}

/** Database and files of a site that was brought here travelled apart: a task compares them. */
async function checkFiles(clients: VerifySiteClients, rollout: Rollout): Promise<string> {
  const report = await runTask(clients, rollout, 'check files', ['check-files']);
  if (!report.ok) {
    throw new VerificationFailed(
      `The files do not fit the database: ${report.problem}. Copy what is missing, as docs/migration.md says, and start the ` +
        'rollout again.',
    );
  }
  return `${report.looked} of ${report.files} looked for, all there with their sizes`;
}

async function verifyAcknowledgements(
  { database, ssm, settings }: VerifySiteClients,
  site: string,
  serving: ReadonlyMap<string, Serving>,
): Promise<{ stores: string; version: string }> {
  const hash = await readCacheConfigurationHash(database, site);
  const { 'session-store': sessionStore } = await readParameters(ssm, settings);
  const state = await readSiteState(database, site, settings.databasePrefix);
  if (!sameCacheConfiguration(await readCacheConfiguration(database, site), wantedCacheConfiguration(settings))) {
    throw failed('the rows of the cache stores are not the wanted ones');
  }
  if (sessionStore !== settings.sessionStoreType) throw failed(`the parameter session-store says ${sessionStore}`);
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

/** Moodle writes the time of every cron run into its own settings. */
async function cronRun({ database, settings }: VerifySiteClients, since: number): Promise<string> {
  const [row] = await database.query(
    `SELECT value FROM ${settings.databasePrefix}config_plugins WHERE plugin = 'tool_task' AND name = 'lastcronstart'`,
  );
  const last = Number(textOrNull(row, 'value') ?? 0);
  if (last >= Math.floor(since)) return `ran ${new Date(last * 1000).toISOString()}`;
  const ever = last > 0 ? `last at ${new Date(last * 1000).toISOString()}` : 'never';
  throw new CronNotYetRun(`Moodle’s cron has not begun a run since this rollout began, nor shortly before (${ever}).`);
}

/**
 * One session through the load balancer until every node has answered it.
 *
 * @param mustLogIn whether the password of the secret is certainly the administrator's
 */
async function visit(
  { database, secrets, settings }: VerifySiteClients,
  nodes: readonly string[],
  mustLogIn: boolean,
): Promise<{ login: string; session: string }> {
  const front = await open(new Visitor(settings.siteUrl), '/', settings);
  if (front.status >= 400) throw failed(`the front page answered ${front.status}`);
  const visitor = new Visitor(settings.siteUrl);
  const form = await open(visitor, '/login/index.php', settings);
  const token = loginToken(form);
  if (form.status !== 200 || !token) throw failed(`the login page answered ${form.status} without a login form`);

  const { username = settings.adminUser, password = '' } = await readSecret(secrets, settings.adminSecretArn);
  const fields = { username, password, logintoken: token, anchor: '' };
  assertNoError('/login/index.php', await open(visitor, '/login/index.php', settings, fields), username);
  const path = await homeOfUsers(database, settings);
  const home = await open(visitor, path, settings);
  assertNoError(path, home, username);
  if (isLoggedIn(home)) {
    const requests = await follow(visitor, settings, nodes, path, isLoggedIn);
    return {
      login: `${username}, by the password of the secret`,
      session: `same login on ${nodes.length} nodes (${requests} requests)`,
    };
  }
  if (mustLogIn) {
    throw failed(
      `${username} cannot log in with the password of the secret (page ${home.status} from ${home.node.slice(0, 8)})`,
    );
  }
  const anonymous = new Visitor(settings.siteUrl);
  const same = loginToken(await open(anonymous, '/login/index.php', settings));
  const requests = await follow(anonymous, settings, nodes, '/login/index.php', (page) => loginToken(page) === same);
  return {
    login: `not tried further: the password of ${username} is not (or no longer) that of the secret`,
    session: `same anonymous session on ${nodes.length} nodes (${requests} requests)`,
  };
}

/** Somebody whose password is refused is led to the login page. An error is the site's own, which all who sign in meet. */
function assertNoError(path: string, { status, node }: Page, username: string): void {
  if (status < 400) return;
  throw failed(`${path} answered ${status} on node ${node.slice(0, 8)} when ${username} signed in`);
}

/** A page that every signed-in user has. Where the dashboard is turned off, Moodle answers it with an error. */
async function homeOfUsers(database: MoodleDatabase, { databasePrefix }: Settings): Promise<string> {
  const [row] = await database.query(`SELECT value FROM ${databasePrefix}config WHERE name = 'enabledashboard'`);
  return textOrNull(row, 'value') === '0' ? '/user/preferences.php' : '/my/';
}

/** @returns how many requests it took; random choice among n nodes meets all within this bound almost certainly */
async function follow(
  visitor: Visitor,
  settings: Settings,
  nodes: readonly string[],
  path: string,
  holds: (page: Page) => boolean,
): Promise<number> {
  const unseen = new Set(nodes);
  const bound = 20 + 12 * nodes.length;
  for (let request = 1; request <= bound; request++) {
    const page = await open(visitor, path, settings);
    if (!holds(page)) {
      throw failed(`the session does not hold on node ${page.node.slice(0, 8)}: ${path} answered ${page.status}`);
    }
    unseen.delete(page.node);
    if (unseen.size === 0) return request;
  }
  const names = [...unseen].map((node) => node.slice(0, 8)).join(', ');
  throw failed(`the load balancer never led to ${names} in ${bound} requests`);
}

/**
 * A page, or with a form its answer.
 *
 * @throws NodesNotYetHealthy when nobody answers, or the load balancer alone: a node may just be coming or going
 */
async function open(
  visitor: Visitor,
  path: string,
  settings: Settings,
  form?: Readonly<Record<string, string>>,
): Promise<Page> {
  let page: Page;
  try {
    page = await (form ? visitor.post(path, form) : visitor.get(path));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const words = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new NodesNotYetHealthy(`${settings.siteUrl}${path} does not answer: ${words}.`);
  }
  if (page.status >= 502 && page.status <= 504) {
    throw new NodesNotYetHealthy(`${settings.siteUrl}${path} answered ${page.status}: no node took the request.`);
  }
  return page;
}

function loginToken({ body }: Page): string | undefined {
  const [input = ''] = /<input[^>]*name="logintoken"[^>]*>/.exec(body) ?? [];
  return /value="([^"]+)"/.exec(input)?.[1];
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
