import { problemsOf, readDefinition, stateMachineFiles, waitsThatNobodyRetries } from './state-machine-checks.ts';

const problems = [
  ...stateMachineFiles().flatMap((file) =>
    problemsOf(readDefinition(file)).map((problem) => `statemachines/${file}: ${problem}`),
  ),
  ...waitsThatNobodyRetries(stateMachineFiles().map(readDefinition)).map(
    (wait) => `statemachines/: no state waits by ${wait}`,
  ),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
