import { randomUUID } from 'node:crypto';
import { AwsError } from '../endpoint/service.ts';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';
import { FunctionProcess } from './function-process.ts';
import type { LambdaFunction } from './functions.ts';
import type { FunctionFailure } from './messages.ts';

/** Bytes that a synchronous invocation takes and gives at most. From Lambda's quotas. */
export const LARGEST_PAYLOAD = 6 * 1024 * 1024;

/** A process that nobody has called for so long is ended, as Lambda does after some minutes. */
const IDLE_LIMIT = 120_000;

interface Pool {
  /** Processes that wait for work, and the timers that end them. */
  readonly warm: Map<FunctionProcess, NodeJS.Timeout>;
  running: number;
}

const poolsOf = perWorld(() => new Map<string, Pool>());

/** What an invocation gave: JSON text, or the failure that Lambda answers as `FunctionError: Unhandled`. */
export type InvocationResult = { readonly payload: string } | { readonly failure: FunctionFailure };

/**
 * Runs a function once, in a process that waits for work or in a new one.
 *
 * @param payload JSON text
 * @throws AwsError RequestTooLargeException, TooManyRequestsException
 */
export async function invokeFunction(
  world: World,
  lambda: LambdaFunction,
  payload: string,
  requestId: string = randomUUID(),
): Promise<InvocationResult> {
  if (Buffer.byteLength(payload) > LARGEST_PAYLOAD) {
    throw new AwsError('RequestTooLargeException', `${LARGEST_PAYLOAD} byte payload is too large.`, 413);
  }
  const pool = poolOf(world, lambda);
  if (pool.running >= (lambda.reservedConcurrency ?? Number.POSITIVE_INFINITY)) {
    throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
  }
  pool.running += 1;
  try {
    const worker = takeUsable(pool) ?? (await FunctionProcess.start(world, lambda));
    const outcome = await worker.invoke(lambda, requestId, payload);
    if (outcome.kind !== 'lost') keepWarm(pool, worker);
    return outcome.kind === 'succeeded' ? limited(outcome.payload) : { failure: outcome.failure };
  } finally {
    pool.running -= 1;
  }
}

function keepWarm(pool: Pool, worker: FunctionProcess): void {
  const timer = setTimeout(() => {
    pool.warm.delete(worker);
    void worker.stop();
  }, IDLE_LIMIT);
  timer.unref();
  pool.warm.set(worker, timer);
}

/** The process that was used last, as long as it lives. */
function takeUsable(pool: Pool): FunctionProcess | undefined {
  for (const [worker, timer] of [...pool.warm].reverse()) {
    clearTimeout(timer);
    pool.warm.delete(worker);
    if (worker.usable) return worker;
  }
  return undefined;
}

function limited(payload: string): InvocationResult {
  const bytes = Buffer.byteLength(payload);
  if (bytes <= LARGEST_PAYLOAD) return { payload };
  const errorMessage = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${LARGEST_PAYLOAD} bytes).`;
  return { failure: { errorType: 'Function.ResponseSizeTooLarge', errorMessage, trace: [] } };
}

function poolOf(world: World, lambda: LambdaFunction): Pool {
  const pools = poolsOf(world);
  const known = pools.get(lambda.functionArn);
  if (known) return known;
  const made: Pool = { warm: new Map(), running: 0 };
  pools.set(lambda.functionArn, made);
  return made;
}
