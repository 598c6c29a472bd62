import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { failureNames, refusalNames, waitNames } from '../../lambdas/shared/errors.ts';

/** The part of the Amazon States Language that our state machines use. */
export interface Retrier {
  readonly Comment?: string;
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: string;
}

export interface State {
  readonly Comment?: string;
  readonly Type: string;
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly TimeoutSecondsPath?: string;
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
  readonly Next?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Default?: string;
}

export interface Definition {
  readonly Comment?: string;
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly States: Readonly<Record<string, State>>;
}

const folder = fileURLToPath(new URL('../../statemachines/', import.meta.url));

export function stateMachineFiles(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.asl.json'))
    .sort();
}

export function readDefinition(file: string): Definition {
  return JSON.parse(readFileSync(`${folder}${file}`, 'utf8'));
}

/** Names that Step Functions and Lambda themselves give to errors. */
const awsErrors = new Set([
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Runtime.ExitError',
  'Sandbox.Timedout',
  'States.ALL',
  'States.Timeout',
  'States.TaskFailed',
]);

/** Trouble of Lambda that passes by itself; the default retry of CDK lacks the last one. */
const passingLambdaErrors = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/** The placeholder of the function that a state calls, `CheckSite`: directly, or through `lambda:invoke`. */
export function functionCalledBy({ Resource = '', Parameters = {} }: State): string | undefined {
  const called = Resource.includes(':lambda:invoke') ? String(Parameters.FunctionName) : Resource;
  return /^\$\{(\w+)FunctionArn\}$/.exec(called)?.[1];
}

const isFunction = (state: State) => functionCalledBy(state) !== undefined;

/** @returns what is wrong with a definition, in plain words; empty when nothing is */
export function problemsOf(definition: Definition): string[] {
  return [
    ...languageProblems(definition),
    ...Object.entries(definition.States).flatMap(([name, state]) =>
      stateProblems(state).map((problem) => `“${name}” ${problem}`),
    ),
    ...(definition.TimeoutSeconds ? [] : ['the whole has no TimeoutSeconds']),
  ];
}

/** @returns waits that no state of any of the definitions tries again after */
export function waitsThatNobodyRetries(definitions: readonly Definition[]): string[] {
  const retried = new Set(definitions.flatMap(({ States }) => Object.values(States).flatMap(retriesOf)));
  return waitNames.filter((wait) => !retried.has(wait));
}

export function retriesOf(state: State): string[] {
  return (state.Retry ?? []).flatMap((retrier) => retrier.ErrorEquals);
}

function languageProblems(definition: Definition): string[] {
  // The package has no types of its own, and writes into what it is given.
  const validate = createRequire(import.meta.url)('asl-validator') as (definition: object) => {
    isValid: boolean;
    errorsText(separator: string): string;
  };
  // A placeholder becomes an ARN when the template is deployed, and is checked as one here.
  const deployed = JSON.parse(
    JSON.stringify(definition).replaceAll(/\$\{\w+Arn\}/g, 'arn:aws:lambda:eu-central-1:111122223333:function:phase'),
  );
  const result = validate(deployed);
  return result.isValid ? [] : [result.errorsText('\n')];
}

function stateProblems(state: State): string[] {
  const problems: string[] = [];
  if (!state.Comment) problems.push('has no Comment');
  if (state.Type !== 'Task') return problems;
  if (!state.TimeoutSeconds && !state.TimeoutSecondsPath) problems.push('has no TimeoutSeconds');
  if (state.Catch?.at(-1)?.ErrorEquals.join() !== 'States.ALL') problems.push('does not end its Catch with States.ALL');
  for (const retrier of state.Retry ?? []) problems.push(...retrierProblems(retrier));
  for (const name of [...retriesOf(state), ...(state.Catch ?? []).flatMap((catcher) => catcher.ErrorEquals)]) {
    if (!knownErrors.has(name)) problems.push(`names the error ${name}, which nothing throws`);
  }
  if (isFunction(state)) {
    const missing = passingLambdaErrors.filter((name) => !retriesOf(state).includes(name));
    if (missing.length > 0) problems.push(`does not retry ${missing.join(', ')}`);
  }
  const final = retriesOf(state).filter((name) => finalErrors.has(name));
  if (final.length > 0) problems.push(`retries ${final.join(', ')}, which no waiting mends`);
  return problems;
}

const finalErrors = new Set<string>([...refusalNames, ...failureNames]);
const knownErrors = new Set<string>([...awsErrors, ...waitNames, ...finalErrors]);

function retrierProblems({ ErrorEquals, JitterStrategy, Comment, MaxDelaySeconds, BackoffRate }: Retrier): string[] {
  const who = `retries ${ErrorEquals.join(', ')}`;
  return [
    ...(JitterStrategy === 'FULL' || waitsForTheClock(ErrorEquals) ? [] : [`${who} without full jitter`]),
    ...(Comment ? [] : [`${who} without a Comment that says for how long`]),
    ...(MaxDelaySeconds || BackoffRate === 1 || ErrorEquals.includes('States.Timeout')
      ? []
      : [`${who} with a delay that grows without bound`]),
  ];
}

/** Asks seldom and at even intervals, by which the alarms tell it from a rollout at work. */
function waitsForTheClock(errors: readonly string[]): boolean {
  return errors.length === 1 && errors[0] === 'MaintenanceWindowClosed';
}
