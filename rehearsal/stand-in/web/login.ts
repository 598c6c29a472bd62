import { randomBytes } from 'node:crypto';
import { passwordMatches } from '../password.ts';
import { html, type PageAnswer, redirect } from './exchange.ts';
import { loginPage } from './pages.ts';
import type { PageContext } from './site.ts';

export async function loginForm(context: PageContext): Promise<PageAnswer> {
  const { data } = context.session;
  // Moodle's `testsession` comes back here once, to see that the browser kept the cookie.
  if (data.userId > 0) return redirect('/my/');
  data.loginToken ??= randomBytes(16).toString('hex');
  const error = data.loginError;
  delete data.loginError;
  return html(loginPage(context.settings.fullName, data.loginToken, error));
}

export async function login(context: PageContext): Promise<PageAnswer> {
  const { database, request, sessions } = context;
  const { data } = context.session;
  if (!data.loginToken || request.form.get('logintoken') !== data.loginToken) {
    return refused(context, 'Your session has timed out. Please log in again.');
  }
  const { rows } = await database.query<{ id: number; password: string }>(
    `SELECT id, password FROM ${database.prefix}user WHERE username = $1 AND deleted = 0 AND suspended = 0`,
    [request.form.get('username')?.trim().toLowerCase()],
  );
  const [user] = rows;
  if (!user || !passwordMatches(request.form.get('password') ?? '', user.password)) {
    return refused(context, 'Invalid login, please try again');
  }
  context.session = await sessions.logIn(context.session, user.id, request.address);
  await recordLogin(context, user.id);
  return redirect(`/login/index.php?testsession=${user.id}`);
}

/** The times and the address that Moodle keeps of a login. */
export async function recordLogin({ database, request }: PageContext, userId: number): Promise<void> {
  await database.query(
    `UPDATE ${database.prefix}user SET lastlogin = currentlogin, currentlogin = $2, lastaccess = $2, lastip = $3
     WHERE id = $1`,
    [userId, Math.floor(Date.now() / 1000), request.address],
  );
}

export async function logout(context: PageContext): Promise<PageAnswer> {
  const { session, sessions, request } = context;
  if (request.query.get('sesskey') !== session.data.sesskey) return redirect('/my/');
  context.session = await sessions.logIn(session, 0, request.address);
  return redirect('/');
}

function refused({ session }: PageContext, words: string): PageAnswer {
  session.data.loginError = words;
  delete session.data.loginToken;
  return redirect('/login/index.php');
}
