import type { Page } from './visitor.ts';

/** How a page of the site answers whoever asks for it. What follows a redirect is the site's own business. */
export interface Answer {
  readonly kind: 'page' | 'redirect' | 'maintenance' | 'error';
  readonly status: number;
  /** Where a redirect leads: origin and path, because a query can hold a ticket of an identity provider. */
  readonly leadsTo?: string;
  /** Whose maintenance it is. */
  readonly by?: MaintenanceBy;
}

/** A page of maintenance that a rollout began bears a mark (image/scripts/lib/maintenance.php). */
export type MaintenanceBy = 'a rollout' | 'somebody else';

const markOfRollouts = '<!-- moodle-lifecycle -->';

/** @param page answered by a node, see `isOfMoodle` */
export function answerOf({ status, location, body, retryAfter }: Page): Answer {
  if (status === 503 && retryAfter) {
    return { kind: 'maintenance', status, by: body.includes(markOfRollouts) ? 'a rollout' : 'somebody else' };
  }
  if (status >= 300 && status < 400 && location !== undefined) {
    return { kind: 'redirect', status, leadsTo: withoutQuery(location) };
  }
  return { kind: status < 400 ? 'page' : 'error', status };
}

/**
 * Whether Moodle answered, and not the load balancer, or nginx in PHP's place: those pass by themselves. Moodle's own
 * maintenance is HTTP 503 with Retry-After (its lib/setup.php and `print_maintenance_message`).
 */
export function isOfMoodle({ status, node, retryAfter }: Page): boolean {
  return status < 502 || status > 504 || (status === 503 && retryAfter && node !== '');
}

function withoutQuery(location: string): string {
  if (!URL.canParse(location)) return location.split(/[?#]/)[0] ?? '';
  const { origin, pathname } = new URL(location);
  return `${origin}${pathname}`;
}
