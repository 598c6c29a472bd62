import { AwsError } from '../endpoint/service.ts';

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
