import type { TargetGroup } from './target-group.ts';

const COOKIE = 'AWSALB';

/** The target that the client's cookie names, as `host:port`; undefined when the group is not sticky. */
export function wantedTarget(group: TargetGroup, cookieHeader: string | undefined): string | undefined {
  if (!isSticky(group)) return undefined;
  const cookie = (cookieHeader ?? '')
    .split(/;\s*/)
    .map((pair) => pair.split('='))
    .find(([name]) => name === COOKIE);
  return cookie?.[1] === undefined ? undefined : Buffer.from(cookie[1], 'base64url').toString();
}

/** `Set-Cookie` headers of an answer: a load balancer renews its cookie with each one. */
export function stickinessCookies(group: TargetGroup, target: string): string[] {
  if (!isSticky(group)) return [];
  const seconds = Number(group.attributes()['stickiness.lb_cookie.duration_seconds'] ?? 86_400);
  const value = Buffer.from(target).toString('base64url');
  const expires = new Date(Date.now() + seconds * 1_000).toUTCString();
  return [
    `${COOKIE}=${value}; Expires=${expires}; Path=/`,
    `${COOKIE}CORS=${value}; Expires=${expires}; Path=/; SameSite=None`,
  ];
}

function isSticky(group: TargetGroup): boolean {
  const attributes = group.attributes();
  return attributes['stickiness.enabled'] === 'true' && (attributes['stickiness.type'] ?? 'lb_cookie') === 'lb_cookie';
}
