import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take long, the longest first: begun last, they would leave the other workers with nothing to do. */
const long = [
  /rollout\/plugin-update/,
  /rollout\/failing-phases/,
  /infra\/combinations/,
  /rollout\//,
  /stand-in\//,
  /console\/web\//,
  /machines\/|rehearsal\//,
  /lambdas\/update-|image\/plugins/,
];

/** The order of a clean clone is that of later runs: durations of the run before are not looked at. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = long.findIndex((pattern) => pattern.test(moduleId));
      return found < 0 ? long.length : found;
    };
    return [...files].sort((one, other) => rank(one) - rank(other) || one.moduleId.localeCompare(other.moduleId));
  }
}
