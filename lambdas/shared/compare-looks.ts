import type { Answer } from './answers.ts';
import type { SessionLook, SiteLook } from './site-look.ts';

/** What people see of a site, by the words for it. */
const seen = { front: 'the front page', login: 'the login page', home: 'the home page of signed-in users' } as const;

/**
 * What is wrong with the site now and was not before: that alone is held against a rollout.
 *
 * @param before undefined: nothing served before, so that an error of Moodle (HTTP 500 and above) is its own
 */
export function worseThanBefore(now: SiteLook, before: SiteLook | undefined): readonly string[] {
  const worse: string[] = [];
  for (const [name, words] of Object.entries(seen) as [keyof typeof seen, string][]) {
    const [is, was] = [now[name], before?.[name]];
    if (is?.kind === 'error' && was?.kind !== 'error' && (before || is.status >= 500)) {
      worse.push(`${words} answered ${is.status}${was ? ` (before: ${inWords(was)})` : ''}`);
    }
  }
  for (const [looker, problem] of Object.entries(now.broken)) {
    if (before?.pages[looker] !== 'broken') worse.push(`a page for the ${looker} is broken: ${problem}`);
  }
  const was = before?.session.kind ?? 'held';
  if (isOurMaintenance(now)) worse.push('maintenance, which the rollout began, is still on');
  else if (isBadSession(now.session) && (was === 'held' || was === 'not tried' || was === 'maintenance')) {
    worse.push(sessionInWords(now.session));
  }
  return worse;
}

function isOurMaintenance({ front, session }: SiteLook): boolean {
  return front.by === 'a rollout' || (session.kind === 'maintenance' && session.by === 'a rollout');
}

const isBadSession = ({ kind }: SessionLook) => kind === 'lost' || kind === 'node not reached' || kind === 'not opened';

/** States of the site that a rollout leaves as they are, in words; empty for a site that has none. */
export function keptStates({ front, login, home, session, broken, cron }: SiteLook): readonly string[] {
  const kept: string[] = [];
  if (session.kind === 'maintenance') kept.push('in maintenance, by Moodle’s command line');
  else if (front.kind === 'maintenance') kept.push('in maintenance, by an administrator');
  if (login.kind === 'redirect') kept.push(`the login page leads to ${login.leadsTo}`);
  if (home?.kind === 'redirect') kept.push(`whoever signs in is led to ${home.leadsTo} first`);
  for (const [name, words] of Object.entries(seen) as [keyof typeof seen, string][]) {
    const answer = { front, login, home }[name];
    if (answer?.kind === 'error') kept.push(`${words} answers ${answer.status}`);
  }
  for (const [looker, problem] of Object.entries(broken)) kept.push(`a page for the ${looker} is broken: ${problem}`);
  if (isBadSession(session)) kept.push(sessionInWords(session));
  if (cron === 'off') kept.push('cron is switched off by an administrator');
  if (cron === 'not running') kept.push('cron does not run');
  return kept;
}

export function sessionInWords(session: SessionLook): string {
  switch (session.kind) {
    case 'held':
      return `one session on ${session.nodes} nodes (${session.requests} requests)`;
    case 'lost':
      return `the session does not hold on node ${session.node.slice(0, 8)}, which answered ${session.status}`;
    case 'node not reached':
      return `the load balancer never led to ${session.nodes.map((node) => node.slice(0, 8)).join(', ')} in ${session.requests} requests`;
    case 'maintenance':
      return 'not tried: the site is in maintenance, by Moodle’s command line';
    case 'not opened':
      return `no session could be opened: ${session.problem}`;
    case 'not tried':
      return 'not tried: the image cannot open one yet';
  }
}

function inWords({ kind, status, leadsTo }: Answer): string {
  return kind === 'redirect' ? `leads to ${leadsTo}` : kind === 'maintenance' ? 'in maintenance' : String(status);
}
