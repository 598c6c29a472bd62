import { randomBytes } from 'node:crypto';
import { AwsError } from '../endpoint/service.ts';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';
import { TaskError } from './task-error.ts';

/** What a token's holder can do with the task that waits for it. */
interface Waiting {
  readonly executionArn: string;
  succeed(output: string): void;
  fail(error: TaskError): void;
  beat(): void;
}

/** Tokens that a task waits for; of those that are over, only that they were given out. */
const tokensOf = perWorld(() => ({ waiting: new Map<string, Waiting>(), over: new Set<string>() }));

/** Limits of a wait, in milliseconds. */
export interface WaitLimits {
  readonly timeout?: number;
  /** Between two heartbeats. */
  readonly heartbeat?: number;
}

export interface IssuedToken {
  readonly token: string;
  /** JSON text that the token's holder gave. @throws TaskError what the holder gave, States.Timeout, … */
  readonly answer: Promise<string>;
  /** Takes the token back; nobody is answered any more. */
  revoke(): void;
}

/** Gives out a token, which counts from now on. */
export function issueToken(world: World, executionArn: string, limits: WaitLimits): IssuedToken {
  const { waiting, over } = tokensOf(world);
  const token = randomBytes(96).toString('base64');
  const timers = new Set<NodeJS.Timeout>();
  const revoke = () => {
    for (const timer of timers) clearTimeout(timer);
    if (waiting.delete(token)) over.add(token);
  };
  const answer = new Promise<string>((resolve, reject) => {
    const fail = (error: TaskError) => {
      revoke();
      reject(error);
    };
    const after = (milliseconds: number | undefined, error: string) => {
      if (milliseconds === undefined) return undefined;
      const timer = setTimeout(() => fail(new TaskError(error, '')), milliseconds).unref();
      timers.add(timer);
      return timer;
    };
    after(limits.timeout, 'States.Timeout');
    const heartbeat = after(limits.heartbeat, 'States.HeartbeatTimeout');
    waiting.set(token, {
      executionArn,
      succeed: (output) => {
        revoke();
        resolve(output);
      },
      fail,
      beat: () => heartbeat?.refresh(),
    });
  });
  return { token, answer, revoke };
}

/** @throws AwsError TaskTimedOut for a token whose task no longer waits, InvalidToken for one that was never given out */
export function requireToken(world: World, token: string): Waiting {
  const { waiting, over } = tokensOf(world);
  const found = waiting.get(token);
  if (found) return found;
  if (over.has(token)) {
    throw new AwsError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
  }
  throw new AwsError('InvalidToken', "Invalid Token: 'Invalid token'");
}

/** Takes back what an execution waits for, as it ends. */
export function revokeTokens(world: World, executionArn: string): void {
  const { waiting, over } = tokensOf(world);
  for (const [token, task] of waiting) {
    if (task.executionArn === executionArn && waiting.delete(token)) over.add(token);
  }
}

/** Has the time be over that an execution's tasks wait for an answer, as if it had passed. For tests of that way. */
export function expireTokens(world: World, executionArn: string): void {
  for (const task of [...tokensOf(world).waiting.values()]) {
    if (task.executionArn === executionArn) task.fail(new TaskError('States.Timeout', ''));
  }
}
