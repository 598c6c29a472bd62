import { STAND_IN } from '../say.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** @param body HTML; @param id as Moodle's body element has it, for example `page-login-index` */
export function page(title: string, id: string, body: string): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)} (${STAND_IN})</title></head>
<body id="${id}"><p role="note">This is the ${STAND_IN}.</p><main><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>
`;
}

/** Moodle's form for the login. */
export function loginPage(siteName: string, loginToken: string, error: string | undefined): string {
  return page(
    `Log in to ${siteName}`,
    'page-login-index',
    `${error ? `<div class="loginerrors" role="alert">${escapeHtml(error)}</div>` : ''}
<form id="login" action="/login/index.php" method="post">
<input type="hidden" name="logintoken" value="${loginToken}">
<label>Username <input name="username" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button type="submit" id="loginbtn">Log in</button>
</form>`,
  );
}

export function dashboardPage(user: { id: number; name: string }, sesskey: string, node: string): string {
  return page(
    'Dashboard',
    'page-my-index',
    `<p>You are logged in as <span class="usertext" data-userid="${user.id}">${escapeHtml(user.name)}</span>
on the node ${escapeHtml(node)}.</p>
<a href="/login/logout.php?sesskey=${sesskey}">Log out</a>
<script>var M = {}; M.cfg = {"sesskey":"${sesskey}","userId":${user.id}};</script>`,
  );
}

/** Moodle's form by which the administrator of a new site gets a password and an e-mail address. */
export function administratorPage(id: number, sesskey: string, error: string | undefined): string {
  return page(
    'Installation: the administrator',
    'page-user-editadvanced',
    `${error ? `<div class="error" role="alert">${escapeHtml(error)}</div>` : ''}
<form action="/user/editadvanced.php" method="post">
<input type="hidden" name="id" value="${id}"><input type="hidden" name="sesskey" value="${sesskey}">
<input type="hidden" name="_qf__user_editadvanced_form" value="1">
<label>New password <input name="newpassword" type="password" autocomplete="new-password"></label>
<label>Email address <input name="email" type="email"></label>
<button type="submit" name="submitbutton" value="Update profile">Update profile</button>
</form>`,
  );
}
