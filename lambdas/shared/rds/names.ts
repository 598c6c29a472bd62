import { createHash } from 'node:crypto';
import type { Tag } from '@aws-sdk/client-rds';
import type { Rollout } from '../hold.ts';

/** Tags of everything that rollouts make at RDS: nothing without the first is ever removed. */
export const tagNames = {
  site: 'moodle-lifecycle:site',
  execution: 'moodle-lifecycle:execution',
  /** Day, as `2026-10-31`, from which on *Clean up* may remove it. */
  keptUntil: 'moodle-lifecycle:kept-until',
  /** Of a restored database: the instant that it was restored to. */
  restoredTo: 'moodle-lifecycle:restored-to',
  /** Of a restored database: the version of the site's secret whose password it was given last. */
  passwordVersion: 'moodle-lifecycle:password-version',
  /** Of a restored database: the day since which it has the site's name, and all that the one before it had. */
  inPlaceSince: 'moodle-lifecycle:in-place-since',
  /** Of an instance of a restored cluster: the name that it takes when the cluster is exchanged. */
  takesName: 'moodle-lifecycle:takes-name',
} as const;

export type TagValues = Readonly<Partial<Record<(typeof tagNames)[keyof typeof tagNames], string>>>;

export function tagsOf(values: TagValues): Tag[] {
  return Object.entries(values).map(([Key, Value]) => ({ Key, Value }));
}

export function tagValues(tags: readonly Tag[] = []): TagValues {
  return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** The tags of a source that its copy has too: AWS keeps those beginning with aws: to itself, ours say what it is. */
export function inheritedTags(tags: readonly Tag[] = []): Tag[] {
  return tags.filter(({ Key = '' }) => !/^(aws|moodle-lifecycle):/.test(Key));
}

/**
 * Names of what one rollout makes. They follow from the execution alone, so that a function that was killed finds them
 * again, also while the database is being exchanged and nothing can be read from it. RDS allows 63 characters; the
 * names that CloudFormation gives may have nearly as many, so they are no part of these.
 */
export function namesOf({ site, execution }: Rollout) {
  const hash = createHash('sha256').update(execution).digest('hex').slice(0, 10);
  return {
    snapshot: `moodle-${site}-update-${hash}`,
    restored: `moodle-${site}-restored-${hash}`,
    before: `moodle-${site}-before-${hash}`,
  } as const;
}

export function day(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

export function inDays(days: number, now = new Date()): Date {
  return new Date(now.getTime() + days * 86_400_000);
}

/** Whether it is this site's and its days are over. What does not say until when it is kept is kept. */
export function mayBeRemoved(tags: TagValues, site: string, now = new Date()): boolean {
  const until = tags[tagNames.keptUntil];
  return tags[tagNames.site] === site && until !== undefined && until < day(now);
}

/**
 * Whether a rollout of this site made it, or set it aside: by its whole name, since the name of one site may begin
 * another's, and by its tag.
 */
export function isMadeByRollout(identifier: string, tags: TagValues, site: string): boolean {
  const name = new RegExp(`^moodle-${site}-(update|restored|before)-[0-9a-f]{10}$`);
  return tags[tagNames.site] === site && name.test(identifier);
}
