import { randomUUID } from 'node:crypto';
import { AwsError } from '../../endpoint/service.ts';
import type { Tag } from '../../machines/rds/records.ts';
import { stableLetters } from '../../template/physical-name.ts';
import type { World } from '../../world.ts';

/** The query protocol carries no types: these read its words. */

export function isTrue(word: string | undefined): boolean {
  return word === 'true';
}

/** @throws AwsError InvalidParameterValue */
export function numberOf(member: string, word: string): number {
  const number = Number(word);
  if (Number.isFinite(number)) return number;
  throw new AwsError('InvalidParameterValue', `${member} is no number: ${word}`);
}

/** Milliseconds since 1970. @throws AwsError InvalidParameterValue */
export function momentOf(member: string, word: string): number {
  const moment = Date.parse(word);
  if (Number.isFinite(moment)) return moment;
  throw new AwsError('InvalidParameterValue', `${member} is no time in UTC: ${word}`);
}

/** @throws AwsError InvalidParameterCombination when both or neither are given */
export function restoreMoment(
  time: string | undefined,
  useLatest: string | undefined,
  member: string,
): number | 'latest' {
  if ((time === undefined) === !isTrue(useLatest)) {
    throw new AwsError('InvalidParameterCombination', `Give either ${member} or UseLatestRestorableTime.`);
  }
  return time === undefined ? 'latest' : momentOf(member, time);
}

/** @throws AwsError InvalidParameterCombination */
export function finalSnapshotOf(input: {
  readonly SkipFinalSnapshot?: string;
  readonly FinalDBSnapshotIdentifier?: string;
}): string | undefined {
  const { SkipFinalSnapshot, FinalDBSnapshotIdentifier } = input;
  if (isTrue(SkipFinalSnapshot) === (FinalDBSnapshotIdentifier !== undefined)) {
    throw new AwsError(
      'InvalidParameterCombination',
      'FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and cannot be specified with it.',
    );
  }
  return FinalDBSnapshotIdentifier;
}

/** An id that AWS makes up for what an API call makes. */
export function newResourceId(world: World, prefix: 'cluster' | 'db'): string {
  return `${prefix}-${stableLetters(world, randomUUID(), 26).toUpperCase()}`;
}

/** Keys of the request that policies can ask for. */
export function requestTags(tags: readonly Tag[] = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value]));
}

/** Keys of a resource that is there. */
export function resourceTags(resource: { readonly tags: readonly Tag[] } | undefined): Record<string, string> {
  return Object.fromEntries((resource?.tags ?? []).map(({ Key, Value }) => [`aws:ResourceTag/${Key}`, Value]));
}
