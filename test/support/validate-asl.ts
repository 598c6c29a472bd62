import { problemsOf, readDefinition, stateMachineFiles } from './state-machine-checks.ts';

const problems = stateMachineFiles().flatMap((file) =>
  problemsOf(readDefinition(file)).map((problem) => `statemachines/${file}: ${problem}`),
);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
