import type { ConfigCache } from '../config-cache.ts';
import { type Database, moodleTables, readConfig } from '../database.ts';
import { answerRolloutSession, SESSION_COOKIE } from '../rollout-session.ts';
import type { Session, Sessions } from '../sessions.ts';
import type { Settings } from '../settings.ts';
import { isComplete } from '../site-state.ts';
import { MOODLE_VERSION } from '../version.ts';
import { html, type PageAnswer, type PageRequest, redirect } from './exchange.ts';
import { login, loginForm, logout } from './login.ts';
import { dashboardPage, page } from './pages.ts';
import { adminIndex, administrator } from './wizard.ts';

export interface SiteParts {
  readonly settings: Settings;
  readonly node: string;
  readonly database: Database;
  readonly sessions: Sessions;
  readonly configCache: ConfigCache;
}

/** One request to an installed site. */
export interface PageContext extends SiteParts {
  readonly request: PageRequest;
  readonly config: ReadonlyMap<string, string>;
  /** The request's session; a page may replace it by a new one. */
  session: Session;
}

/** Answers a page as Moodle would with this database, including the states in which it is not yet whole. */
export async function answer(parts: SiteParts, request: PageRequest): Promise<PageAnswer> {
  const { wwwroot } = parts.settings;
  if (request.host.toLowerCase() !== wwwroot.host) return redirect(`${wwwroot.origin}${request.path}`);
  const early = await answerUnlessInstalled(parts, request);
  if (early) return early;
  if (request.path === '/health/session') return answerRolloutSession(parts.database, parts.sessions, request);
  const config = await siteConfig(parts);
  const isWizard = request.path.startsWith('/admin/') || request.path === '/user/editadvanced.php';
  const behind = Number(config.get('version')) < Number(MOODLE_VERSION);
  if ((config.get('adminsetuppending') === '1' || behind) && !isWizard) return redirect('/admin/index.php');
  const session = await parts.sessions.open(request.cookies.get(SESSION_COOKIE), request.address);
  const context: PageContext = { ...parts, request, config, session };
  const before = JSON.stringify(session);
  const answered = await route(context);
  if (JSON.stringify(context.session) !== before) await parts.sessions.save(context.session);
  return context.session.isNew ? withCookie(answered, context.session.sid, wwwroot) : answered;
}

async function answerUnlessInstalled(parts: SiteParts, { path }: PageRequest): Promise<PageAnswer | undefined> {
  if (await parts.configCache.get()) return undefined;
  const tables = await moodleTables(parts.database);
  if (tables.length === 0) {
    if (path !== '/admin/index.php') return redirect('/admin/index.php');
    return html(page('Installation', 'page-admin-index', '<p>The database holds no site yet.</p>'));
  }
  const config = tables.includes(`${parts.database.prefix}config`) ? await readConfig(parts.database) : new Map();
  if (!isComplete(config, Date.now() / 1000)) {
    return html(page('Error', 'page-error', '<p>The site is being installed or upgraded.</p>'), 500);
  }
  return undefined;
}

/** Through the application cache, as Moodle does: a row changed by SQL is not seen until a purge. */
async function siteConfig({ database, configCache }: SiteParts): Promise<ReadonlyMap<string, string>> {
  const cached = await configCache.get();
  if (cached) return cached;
  const config = await readConfig(database);
  await configCache.set(config);
  return config;
}

function route(context: PageContext): Promise<PageAnswer> | PageAnswer {
  const { method, path } = context.request;
  switch (`${method} ${path}`) {
    case 'GET /':
      if (isInMaintenance(context)) return maintenance();
      return redirect(context.session.data.userId > 0 ? '/my/' : '/login/index.php');
    case 'GET /login/index.php': {
      // Moodle's login/index.php: single sign-on in place of its form.
      const elsewhere = context.config.get('alternateloginurl');
      return elsewhere ? redirect(elsewhere) : loginForm(context);
    }
    case 'POST /login/index.php':
      return login(context);
    case 'GET /login/logout.php':
      return logout(context);
    case 'GET /my/':
    case 'GET /my/index.php':
      return isInMaintenance(context) ? maintenance() : dashboard(context);
    case 'GET /admin/index.php':
    case 'GET /admin/':
      return adminIndex(context);
    case 'GET /user/editadvanced.php':
    case 'POST /user/editadvanced.php':
      return administrator(context);
    default:
      return html(page('Not found', 'page-error', '<p>The stand-in has no such page.</p>'), 404);
  }
}

/** The switch of Moodle's administration, which index.php and require_login() obey for all but administrators. */
function isInMaintenance({ config, session }: PageContext): boolean {
  const admins = (config.get('siteadmins') ?? '').split(',').map(Number);
  return config.get('maintenance_enabled') === '1' && !admins.includes(session.data.userId);
}

function maintenance(): PageAnswer {
  const words = '<p>This site is undergoing maintenance and is currently not available.</p>';
  return html(page('Maintenance', 'page-site-index', words), 503, { 'Retry-After': '300' });
}

async function dashboard({ database, session, node }: PageContext): Promise<PageAnswer> {
  const { rows } = await database.query<{ id: number; name: string }>(
    `SELECT id, concat(firstname, ' ', lastname) AS name FROM ${database.prefix}user WHERE id = $1 AND deleted = 0`,
    [session.data.userId],
  );
  const [user] = rows;
  return user ? html(dashboardPage(user, session.data.sesskey, node)) : redirect('/login/index.php');
}

function withCookie(answered: PageAnswer, sid: string, wwwroot: URL): PageAnswer {
  const secure = wwwroot.protocol === 'https:' ? '; Secure' : '';
  return {
    ...answered,
    headers: { ...answered.headers, 'Set-Cookie': `${SESSION_COOKIE}=${sid}; Path=/${secure}; HttpOnly` },
  };
}
