import type { TaskReport } from './acknowledgements.ts';
import { type Answer, answerOf, isOfMoodle, type MaintenanceBy } from './answers.ts';
import type { CronLook } from './cron-run.ts';
import { NodesNotYetHealthy } from './errors.ts';
import type { Rollout } from './hold.ts';
import { type MoodleDatabase, textOrNull } from './moodle-database.ts';
import { endSession, inspectSite, type SessionClients, sessionPath } from './rollout-session.ts';
import type { Settings } from './settings.ts';
import { type Page, Visitor } from './visitor.ts';

/** How a page that the node's code makes came out (image/scripts/lib/page_check.php). */
export type PageKind = 'page' | 'redirect' | 'broken';

/** What came of following one session through the load balancer. */
export type SessionLook =
  | { readonly kind: 'held'; readonly nodes: number; readonly requests: number }
  | { readonly kind: 'lost'; readonly node: string; readonly status: number }
  | { readonly kind: 'node not reached'; readonly nodes: readonly string[]; readonly requests: number }
  /** In Moodle's command-line maintenance no session is opened. */
  | { readonly kind: 'maintenance'; readonly by: MaintenanceBy }
  /** The task that opens it could not; why, in Moodle's or the store's own words. */
  | { readonly kind: 'not opened'; readonly problem: string }
  /** The image is from before there was such a session. */
  | { readonly kind: 'not tried' };

/** How the site answers: as a rollout finds it, and as it is in the end. No secret is in it. */
export interface SiteLook {
  readonly front: Answer;
  readonly login: Answer;
  /** The page that every user has after signing in; null where no session was tried. */
  readonly home: Answer | null;
  readonly session: SessionLook;
  /** Pages by who looks at them; empty where the image cannot say. */
  readonly pages: Readonly<Record<string, PageKind>>;
  /** Why a page is broken, by who looks at it. */
  readonly broken: Readonly<Record<string, string>>;
  /** Left out at the end of a rollout, which looks at cron by itself. */
  readonly cron?: CronLook;
}

/**
 * Looks at the site as people see it. A redirect is an answer: where it leads is the site's own business.
 *
 * @param nodes ids of the nodes that the load balancer should lead to
 * @param purpose names the task; one for each time that a rollout looks
 * @throws TaskStillRunning, NodesNotYetHealthy
 */
export async function lookAtSite(
  clients: SessionClients,
  rollout: Rollout,
  nodes: readonly string[],
  purpose: string,
): Promise<SiteLook> {
  const { report, visitor } = await inspectSite(clients, rollout, purpose);
  const look = await lookAs(visitor, report, clients, nodes);
  if (visitor) await endSession(clients, rollout, purpose, visitor);
  return look;
}

/** @param visitor who comes with a session of the rollout's own user, where there is one */
export async function lookAs(
  visitor: Visitor | undefined,
  report: TaskReport,
  { database, settings }: Pick<SessionClients, 'database' | 'settings'>,
  nodes: readonly string[],
): Promise<SiteLook> {
  const front = answerOf(await open(new Visitor(settings.siteUrl), '/', settings));
  const login = answerOf(await open(new Visitor(settings.siteUrl), '/login/index.php', settings));
  const session: SessionLook = visitor ? await follow(visitor, settings, nodes) : notOpened(report);
  const home = visitor && answerOf(await open(visitor, await homeOfUsers(database, settings), settings));
  return { front, login, home: home ?? null, session, ...pagesOf(report) };
}

function notOpened({ reported, problem = 'no reason given' }: TaskReport): SessionLook {
  return reported === false ? { kind: 'not tried' } : { kind: 'not opened', problem };
}

function pagesOf({ pages = {} }: TaskReport): Pick<SiteLook, 'pages' | 'broken'> {
  const all = Object.entries(pages as Readonly<Record<string, { kind: PageKind; problem?: string }>>);
  const broken = all.filter(([, { kind }]) => kind === 'broken');
  return {
    pages: Object.fromEntries(all.map(([looker, { kind }]) => [looker, kind])),
    broken: Object.fromEntries(broken.map(([looker, { problem = 'no reason given' }]) => [looker, problem])),
  };
}

/** Random choice among n nodes meets all within this bound almost certainly. */
const mostRequests = (nodes: number) => 20 + 12 * nodes;

async function follow(visitor: Visitor, settings: Settings, nodes: readonly string[]): Promise<SessionLook> {
  const unseen = new Set(nodes);
  const bound = mostRequests(nodes.length);
  for (let requests = 1; requests <= bound; requests++) {
    const page = await open(visitor, sessionPath, settings);
    const answer = answerOf(page);
    if (answer.kind === 'maintenance') return { kind: 'maintenance', by: answer.by ?? 'somebody else' };
    if (page.status !== 200) return { kind: 'lost', node: page.node, status: page.status };
    unseen.delete(page.node);
    if (unseen.size === 0) return { kind: 'held', nodes: nodes.length, requests };
  }
  return { kind: 'node not reached', nodes: [...unseen], requests: bound };
}

/** Then Moodle opens no session and runs no cron. Somebody without a session sees it too. */
export async function isInCommandLineMaintenance(settings: Settings): Promise<boolean> {
  return answerOf(await open(new Visitor(settings.siteUrl), sessionPath, settings)).kind === 'maintenance';
}

/** A page that every signed-in user has. Where the dashboard is turned off, Moodle answers it with an error. */
async function homeOfUsers(database: MoodleDatabase, { databasePrefix }: Settings): Promise<string> {
  const [row] = await database.query(`SELECT value FROM ${databasePrefix}config WHERE name = 'enabledashboard'`);
  return textOrNull(row, 'value') === '0' ? '/user/preferences.php' : '/my/';
}

/**
 * A page, or with a form its answer.
 *
 * @throws NodesNotYetHealthy when nobody answers, or something else in Moodle's place: a node may just be coming or going
 */
export async function open(
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
  if (isOfMoodle(page)) return page;
  const who = page.node === '' ? 'no node took the request' : `node ${page.node.slice(0, 8)}, without Moodle`;
  throw new NodesNotYetHealthy(`${settings.siteUrl}${path} answered ${page.status}: ${who}.`);
}
