import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take long, the longest first: begun last, they would leave the other workers with nothing to do. */
const long = [
  /rollout\/plugin-update/,
  /rollout\/failing-phases/,
  /rollout\//,
  /stand-in\//,
  /console\/web\//,
  /machines\/|rehearsal\//,
];

/**
 * Files that load the CDK or compile schemas, the longest first; after all that start processes. A worker is a gigabyte
 * after them, and each process that it starts then takes 20 ms of a processor more than from a small one.
 */
const large = [/infra\/combinations/, /infra\/|docs\/|statemachines\/|rehearsal\/(events|states-definition)/];

/** The order of a clean clone is that of later runs: durations of the run before are not looked at. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((one, other) => rank(one) - rank(other) || one.moduleId.localeCompare(other.moduleId));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const first = (patterns: readonly RegExp[]) => patterns.findIndex((pattern) => pattern.test(moduleId));
  if (first(large) >= 0) return long.length + 1 + first(large);
  return first(long) >= 0 ? first(long) : long.length;
}
