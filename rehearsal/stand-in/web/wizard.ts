import { unsetConfig } from '../database.ts';
import { hashPassword, PENDING_PASSWORD } from '../password.ts';
import { html, type PageAnswer, redirect } from './exchange.ts';
import { recordLogin } from './login.ts';
import { administratorPage, page } from './pages.ts';
import type { PageContext } from './site.ts';

/** Moodle's default password policy asks for at least so many characters. */
const SHORTEST_PASSWORD = 8;

interface Administrator {
  readonly id: number;
  readonly password: string;
  readonly lastip: string;
}

/** Moodle's admin/index.php: the end of an install that a browser finishes, with its gate on `lastip`. */
export async function adminIndex(context: PageContext): Promise<PageAnswer> {
  const { config, request, session } = context;
  if (config.get('adminsetuppending') !== '1') {
    const isAdmin = siteAdmins(config).includes(session.data.userId);
    return isAdmin ? html(page('Site administration', 'page-admin-index', '')) : redirect('/login/index.php');
  }
  if (!request.query.get('sessionstarted')) return redirect('/admin/index.php?sessionstarted=1');
  if (!request.query.get('sessionverify')) {
    session.data.sessionVerify = true;
    return redirect('/admin/index.php?sessionstarted=1&sessionverify=1');
  }
  if (!session.data.sessionVerify) {
    return html(page('Error', 'page-error', '<p>The browser keeps no cookies, or the session was lost.</p>'), 404);
  }
  const admin = await firstAdministrator(context);
  if (admin?.password === PENDING_PASSWORD) {
    if (admin.lastip !== request.address) {
      const words = 'Installation must be finished from the original IP address, sorry.';
      return html(page('Error', 'page-error', `<p class="errormessage">${words}</p>`), 404);
    }
    context.session = await context.sessions.logIn(session, admin.id, request.address);
    context.session.data.newAdminUser = true;
    await recordLogin(context, admin.id);
    return redirect(`/user/editadvanced.php?id=${admin.id}`);
  }
  await finishSetup(context);
  return redirect('/admin/index.php');
}

/** Moodle's user/editadvanced.php, for the administrator who finishes an install only. */
export async function administrator(context: PageContext): Promise<PageAnswer> {
  const { config, database, request, session } = context;
  const { data } = session;
  if (!data.newAdminUser || !siteAdmins(config).includes(data.userId)) return redirect('/login/index.php');
  if (request.method === 'GET') return html(administratorPage(data.userId, data.sesskey, undefined));
  const password = request.form.get('newpassword') ?? '';
  const email = request.form.get('email') ?? '';
  const again = (error: string) => html(administratorPage(data.userId, data.sesskey, error));
  if (request.form.get('sesskey') !== data.sesskey) return again('Incorrect sesskey submitted, form not accepted!');
  if (password.length < SHORTEST_PASSWORD)
    return again(`Passwords must be at least ${SHORTEST_PASSWORD} characters long.`);
  if (!email.includes('@')) return again('Invalid email address');
  await database.query(`UPDATE ${database.prefix}user SET password = $2, email = $3, timemodified = $4 WHERE id = $1`, [
    data.userId,
    hashPassword(password),
    email,
    Math.floor(Date.now() / 1000),
  ]);
  delete data.newAdminUser;
  await finishSetup(context);
  return redirect('/admin/index.php');
}

async function finishSetup({ database, configCache }: PageContext): Promise<void> {
  await unsetConfig(database, 'adminsetuppending');
  await configCache.purge();
}

async function firstAdministrator({ config, database }: PageContext): Promise<Administrator | undefined> {
  const { rows } = await database.query<Administrator>(
    `SELECT id, password, lastip FROM ${database.prefix}user WHERE id = $1`,
    [siteAdmins(config)[0]],
  );
  return rows[0];
}

function siteAdmins(config: ReadonlyMap<string, string>): number[] {
  return (config.get('siteadmins') ?? '').split(',').map(Number);
}
