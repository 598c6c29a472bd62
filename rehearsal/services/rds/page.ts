import { AwsError } from '../../endpoint/service.ts';

export interface PageInput {
  readonly MaxRecords?: string;
  readonly Marker?: string;
}

const DEFAULT_PAGE = 100;

/** A part of a list, and the marker of the next part. @throws AwsError InvalidParameterValue */
export function page<Item>(
  all: readonly Item[],
  { MaxRecords, Marker }: PageInput,
): { items: readonly Item[]; Marker: string | undefined } {
  const size = Number(MaxRecords ?? DEFAULT_PAGE);
  const start = Number(Marker ?? 0);
  if (!Number.isInteger(size) || size < 20 || size > 100) {
    throw new AwsError(
      'InvalidParameterValue',
      `Invalid value ${MaxRecords} for MaxRecords. Must be between 20 and 100.`,
    );
  }
  if (!Number.isInteger(start) || start < 0) throw new AwsError('InvalidParameterValue', `Invalid marker ${Marker}.`);
  const end = start + size;
  return { items: all.slice(start, end), Marker: end < all.length ? String(end) : undefined };
}
