import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { callOperation, findService } from '../../endpoint/dispatch.ts';
import { authorize } from '../../iam/authorize.ts';
import type { World } from '../../world.ts';
import type { Schedule } from './schedules.ts';

/** The universal target that makes any call of Step Functions; this one is understood. */
export const universalStart = 'arn:aws:scheduler:::aws-sdk:sfn:startExecution';

/** Universal targets about things that a rehearsal does not have: here, how long logs are kept. */
export const withoutEffect: readonly string[] = ['arn:aws:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy'];

/** What a schedule could not start, as it lies in the dead-letter queue. */
export interface DeadLetter {
  readonly queueArn: string;
  readonly scheduleArn: string;
  readonly error: string;
  readonly body: string;
}

/** By message id. */
export function deadLettersOf(world: Pick<World, 'state'>) {
  return world.state.collection<DeadLetter>('dead-letters');
}

/**
 * Starts what a schedule starts, as its role. What fails is not tried again, as nothing fails here by itself: it goes to
 * the dead-letter queue at once.
 *
 * @param scheduledTime milliseconds since 1970
 * @returns ARN of the execution, or of the function that was called
 * @throws AwsError what Step Functions, Lambda or IAM answered
 */
export async function fireSchedule(world: World, schedule: Schedule, scheduledTime: number): Promise<string> {
  const { target } = schedule;
  const requestId = randomUUID();
  const input = fill(target.input ?? '{}', schedule, scheduledTime, requestId);
  const principal = { kind: 'role', roleArn: target.roleArn, sessionName: schedule.name } as const;
  try {
    const context = { principal, requestId };
    const started = await (target.arn.includes(':function:')
      ? callFunction(world, target.arn, input, context)
      : startExecution(world, target.arn, input, context));
    note(world, schedule, `started ${started}`);
    return started;
  } catch (error) {
    note(world, schedule, String(error));
    bury(world, schedule, input, error);
    throw error;
  }
}

type Context = Parameters<typeof callOperation>[4];

async function startExecution(world: World, target: string, input: string, context: Context): Promise<string> {
  const wanted = target === universalStart ? universalInput(input) : { stateMachineArn: target, input };
  const states = findService(world, 'states');
  const { executionArn } = (await callOperation(world, states, 'StartExecution', wanted, context)) as {
    executionArn: string;
  };
  return executionArn;
}

/** Scheduler does not wait for a function's answer; here its failure counts as one of the schedule, so that it is seen. */
async function callFunction(world: World, FunctionName: string, input: string, context: Context): Promise<string> {
  const wanted = { FunctionName, Payload: Buffer.from(input) };
  const answer = (await callOperation(world, findService(world, 'lambda'), 'Invoke', wanted, context)) as {
    FunctionError?: string;
    Payload: Uint8Array;
  };
  if (answer.FunctionError) throw new Error(Buffer.from(answer.Payload).toString());
  return FunctionName;
}

/** From the guide of EventBridge Scheduler, “Adding context attributes”. */
function fill(text: string, { arn }: Schedule, scheduledTime: number, executionId: string): string {
  const attributes: Readonly<Record<string, string>> = {
    'schedule-arn': arn,
    'scheduled-time': new Date(scheduledTime).toISOString().replace(/\.\d+Z$/, 'Z'),
    'execution-id': executionId,
    'attempt-number': '1',
  };
  return text.replace(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => attributes[name] ?? whole);
}

/** The members of the call begin with capitals there. */
function universalInput(input: string): Record<string, unknown> {
  const given = JSON.parse(input) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name.slice(0, 1).toLowerCase() + name.slice(1), value]),
  );
}

function bury(world: World, { arn, target, name }: Schedule, body: string, error: unknown): void {
  const { deadLetterArn: queueArn, roleArn } = target;
  if (queueArn === undefined) return;
  const principal = { kind: 'role', roleArn, sessionName: name } as const;
  try {
    authorize(world, principal, { action: 'sqs:SendMessage', resource: queueArn });
  } catch {
    // Then it is lost, on AWS as here; the log has said why the schedule failed.
    return;
  }
  deadLettersOf(world).set(randomUUID(), { queueArn, scheduleArn: arn, error: String(error), body });
}

function note(world: World, { name }: Schedule, words: string): void {
  const folder = join(world.directory, 'logs');
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, 'scheduler.log'), `${new Date().toISOString()} ${name} ${words}\n`);
}
