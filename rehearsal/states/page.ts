import { AwsError } from '../endpoint/service.ts';
import type { StoredEvent } from './execution-store.ts';

const DEFAULT_PAGE = 100;
const LARGEST_PAGE = 1000;

/**
 * A part of a list, and the token for the next part.
 *
 * @throws AwsError InvalidToken for a token that was not given out here
 */
export function page<Item>(
  all: readonly Item[],
  maxResults: number | undefined,
  nextToken: string | undefined,
): { items: readonly Item[]; next: string | undefined } {
  const start = nextToken === undefined ? 0 : Number(nextToken);
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidToken', `Invalid Token: '${nextToken}'`);
  // Step Functions takes 0 as “the default”.
  const size = Math.min(maxResults || DEFAULT_PAGE, LARGEST_PAGE);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : undefined };
}

/**
 * A part of a history. Its token is the event that the next part begins with, so that events which come meanwhile shift
 * nothing.
 *
 * @throws AwsError InvalidToken for a token that was not given out here
 */
export function pageOfEvents(
  events: readonly StoredEvent[],
  reverseOrder: boolean,
  maxResults: number | undefined,
  nextToken: string | undefined,
): { items: readonly StoredEvent[]; next: string | undefined } {
  const count = events.length;
  const start = nextToken === undefined ? (reverseOrder ? count : 1) : Number(nextToken);
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidToken', `Invalid Token: '${nextToken}'`);
  const size = Math.min(maxResults || DEFAULT_PAGE, LARGEST_PAGE);
  const step = reverseOrder ? -1 : 1;
  const items = Array.from({ length: size }, (_, index) => events[start - 1 + index * step]).filter(
    (event) => event !== undefined,
  );
  const next = start + size * step;
  return { items, next: events[next - 1] ? String(next) : undefined };
}
