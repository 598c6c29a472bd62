import type { DescribeExecutionOutput } from '@aws-sdk/client-sfn';

/** How an execution that did not succeed can be tried again. */
export interface RetryAdvice {
  /** `redrive`: Step Functions goes on in the phase that was not finished. `start again`: another execution. */
  readonly how: 'redrive' | 'start again';
  /** In words, a whole sentence. */
  readonly why: string;
}

/** @returns undefined for an execution that runs or has succeeded */
export function retryAdvice(
  execution: DescribeExecutionOutput,
  last: { readonly name: string; readonly type: string } | undefined,
): RetryAdvice | undefined {
  const { status, redriveStatus, redriveStatusReason } = execution;
  if (status === 'RUNNING' || status === 'PENDING_REDRIVE' || status === 'SUCCEEDED') return undefined;
  if (last?.type === 'Fail') {
    const why = `This starts again with the same input: the rollout ended by itself (“${last.name}”), so no phase is left to resume.`;
    return { how: 'start again', why };
  }
  if (redriveStatus !== 'REDRIVABLE') {
    const reason = redriveStatusReason?.replace(/\.$/, '') ?? 'it does not say why';
    return {
      how: 'start again',
      why: `This starts again with the same input, as Step Functions cannot resume this execution: ${reason}.`,
    };
  }
  return {
    how: 'redrive',
    why: `This resumes “${last?.name ?? 'the first phase'}”, which was not finished, in the same execution.`,
  };
}

/** What to type, from a clone of this repository. */
export interface NextCommand {
  readonly command: string;
  readonly why: string;
}

export interface Standing {
  readonly executionArn: string;
  readonly rollout: string | undefined;
  readonly isAsking: boolean;
  readonly error: string | undefined;
  readonly retry: RetryAdvice | undefined;
  /** Of a rehearsal that is not found by itself. */
  readonly endpointUrl: string | undefined;
}

/** @returns undefined where nothing is to be done but to wait, or nothing at all */
export function nextCommand({
  executionArn,
  rollout,
  isAsking,
  error,
  retry,
  endpointUrl,
}: Standing): NextCommand | undefined {
  const lifecycle = (words: string) =>
    `npx lifecycle ${words}${endpointUrl === undefined ? '' : ` --endpoint-url ${endpointUrl}`}`;
  if (isAsking)
    return { command: lifecycle(`approve ${executionArn}`), why: 'A person has to decide; refuse is the other way.' };
  if (retry === undefined || rollout === 'hold') return undefined;
  if (error === 'InputInvalid' && rollout !== undefined) {
    // An input that was refused is not given again: the function's own words say what is allowed.
    return { command: lifecycle(`start ${rollout}`), why: 'The input was refused; this starts without it.' };
  }
  return { command: lifecycle(`retry ${executionArn}`), why: retry.why };
}

/** The rollout's name by that of its state machine, which CloudFormation makes from ours and perhaps from the site's. */
export function rolloutOf(stateMachine: string): string | undefined {
  const ours = /(Install|PluginUpdate|Hold)StateMachine/.exec(stateMachine)?.[1] ?? stateMachine;
  return rollouts.find(([pattern]) => pattern.test(ours))?.[1];
}

const rollouts: readonly (readonly [RegExp, string])[] = [
  [/plugin-?update/i, 'plugin-update'],
  [/install/i, 'install'],
  [/hold/i, 'hold'],
];
