import { hostname, userInfo } from 'node:os';
import {
  ListExecutionsCommand,
  RedriveExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { openTokenOf, type Progress, type RetryAdvice, readProgress } from '../progress.ts';
import type { Connection } from './connect.ts';
import { type Recording, RecordingReader } from './recording.ts';
import { PlainError } from './trouble.ts';

/** Who does it, as others shall read it. CloudTrail has the identity that AWS knows. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** A name that says who began the execution and when, of the characters that Step Functions allows. */
export function executionName(who: string, now: Date = new Date()): string {
  const time = now
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  const random = Math.random().toString(36).slice(2, 6).padEnd(4, '0');
  return `${
    who
      .replace(/@.*/, '')
      .replaceAll(/[^A-Za-z0-9_-]/g, '')
      .slice(0, 40) || 'someone'
  }-${time}-${random}`;
}

/** @param input JSON text. @returns the ARN of the execution */
export async function start(client: SFNClient, stateMachineArn: string, input: string, name: string): Promise<string> {
  const { executionArn = '' } = await client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
  return executionArn;
}

/** Ends an execution where it is. Nothing is put back. */
export async function stop(
  client: SFNClient,
  executionArn: string,
  who: string,
  reason: string | undefined,
): Promise<void> {
  const cause = `Stopped by ${who}${reason === undefined ? '' : `: ${reason}`}.`;
  await client.send(new StopExecutionCommand({ executionArn, error: 'StoppedByHand', cause }));
}

export interface Retried {
  readonly executionArn: string;
  readonly how: 'redrive' | 'start again';
  /** In words, a whole sentence. */
  readonly why: string;
}

/**
 * Tries a rollout again: in the same execution where Step Functions can resume a phase, else from its beginning with the
 * same input.
 *
 * @throws PlainError when there is nothing to try again
 */
export async function retry({ client, read }: Connection, executionArn: string): Promise<Retried> {
  const { definition, execution, events } = await new RecordingReader(client, executionArn).read();
  const progress = readProgress(definition, execution, events, read);
  const advice = adviceFor(progress);
  const stateMachineArn = execution.stateMachineArn ?? '';
  const startAgain = async (why: string): Promise<Retried> => ({
    executionArn: await start(client, stateMachineArn, execution.input ?? '{}', executionName(whoAmI())),
    how: 'start again',
    why,
  });
  if (advice.how === 'start again') return startAgain(advice.why);
  const later = await laterExecution(client, stateMachineArn, progress.endedAt);
  if (later !== undefined) {
    return startAgain(
      `This starts again with the same input: ${later} has worked on the site since, so the old execution no longer holds it.`,
    );
  }
  try {
    await client.send(new RedriveExecutionCommand({ executionArn }));
    return { executionArn, how: 'redrive', why: advice.why };
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExecutionNotRedrivable') throw error;
    return startAgain(
      `This starts again with the same input, as Step Functions could not resume the execution: ${error.message}`,
    );
  }
}

function adviceFor({ status, execution, retry: advice, failure, rollout }: Progress): RetryAdvice {
  if (status === 'running') {
    throw new PlainError(
      `${execution} is still running. npx lifecycle status --watch shows it; npx lifecycle stop ends it.`,
    );
  }
  if (advice === undefined) {
    throw new PlainError(
      `${execution} has succeeded, so there is nothing to try again. npx lifecycle start begins another.`,
    );
  }
  if (failure?.error !== 'InputInvalid') return advice;
  throw new PlainError(
    `The input of ${execution} was refused, and would be again: ${failure.cause} Give another: npx lifecycle start ${rollout ?? ''}`,
  );
}

/** Name of an execution that began after that moment. */
async function laterExecution(
  client: SFNClient,
  stateMachineArn: string,
  moment: Date | undefined,
): Promise<string | undefined> {
  const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: 1 }));
  const [newest] = executions;
  return newest?.startDate && moment && newest.startDate > moment ? newest.name : undefined;
}

/** Tells an execution that waits for a person what the person decided. */
export async function decide(
  client: SFNClient,
  { definition, events, execution }: Recording,
  decision: { readonly approved: boolean; readonly by: string; readonly comment: string | undefined },
): Promise<void> {
  const taskToken = openTokenOf(definition, events);
  if (taskToken === undefined) {
    throw new PlainError(
      `${execution.name ?? 'The execution'} does not wait for anybody's decision. npx lifecycle status shows how it stands.`,
    );
  }
  const { approved, by, comment } = decision;
  if (approved) {
    const output = JSON.stringify({ by, ...(comment === undefined ? {} : { comment }) });
    await client.send(new SendTaskSuccessCommand({ taskToken, output }));
  } else {
    const cause = `Refused by ${by}${comment === undefined ? '.' : `: ${comment}`}`;
    await client.send(new SendTaskFailureCommand({ taskToken, error: 'ApprovalRefused', cause }));
  }
}
