import { AwsNotAnswering, isPhaseError, UnexpectedError, Wait } from './errors.ts';

interface Closing {
  readonly settings?: unknown;
  /** Only of functions that use it. */
  readonly database?: { close(): Promise<void> };
}

/**
 * Makes a Lambda handler of a phase's pure function: clients are built once per function instance, what happens is
 * logged as one JSON line each, and what is thrown reaches Step Functions with its name and message alone, as the stack
 * trace says nothing to an operator and would fill the execution's history. The log has it.
 *
 * @param phase title of the phase, as the state is named
 */
export function makeHandler<Clients extends Closing, Input extends { site: string; execution: string }, Evidence>(
  phase: string,
  connect: () => Clients,
  work: (clients: Clients, input: Input) => Promise<Evidence>,
): (input: Input) => Promise<Evidence> {
  let clients: Clients | undefined;
  return async (input) => {
    const about = { phase, site: input.site, execution: input.execution };
    const began = Date.now();
    try {
      clients ??= connect();
      const evidence = await work(clients, input);
      log('info', { ...about, event: 'done', milliseconds: Date.now() - began, evidence });
      return evidence;
    } catch (error) {
      const known = asPhaseError(error, phase);
      log(known instanceof Wait ? 'info' : 'error', {
        ...about,
        event: known instanceof Wait ? 'waiting' : 'failed',
        milliseconds: Date.now() - began,
        error: known.name,
        message: known.message,
        ...(known === error ? {} : { stack: error instanceof Error ? error.stack : String(error) }),
      });
      throw withoutStack(known);
    } finally {
      await clients?.database?.close();
    }
  };
}

function log(level: 'info' | 'error', line: object): void {
  console.log(JSON.stringify({ level, ...line }));
}

/** What the AWS SDK tells about an error of a service. */
interface ServiceError extends Error {
  readonly $fault?: 'client' | 'server';
  readonly $retryable?: object;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: unknown;
}

/** Throttling, and two changes of one thing at the same time. */
const throttling =
  /^(Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded|TooManyUpdates|ConcurrentUpdateException|UpdateInProgressException)$/;
const network = /^(ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|TimeoutError)$/;

/** Errors of the phases as they are; an AWS API's passing trouble as a wait; all else as UnexpectedError. */
export function asPhaseError(error: unknown, phase: string): Error {
  if (isPhaseError(error)) return error;
  if (!(error instanceof Error)) return new UnexpectedError(`“${phase}” met ${String(error)}.`);
  const { $fault, $retryable, $metadata, code, name } = error as ServiceError;
  const passing =
    $retryable !== undefined ||
    throttling.test(name) ||
    ($fault === 'server' && ($metadata?.httpStatusCode ?? 500) >= 500) ||
    ($metadata !== undefined && network.test(String(code ?? name)));
  if (passing || network.test(name)) {
    return new AwsNotAnswering(`An AWS API did not answer “${phase}” (${name}: ${error.message}). It is tried again.`);
  }
  return new UnexpectedError(
    `“${phase}” met ${name}: ${error.message}. It did nothing further. Read the function’s log for the place, mend the ` +
      'cause and start the rollout again.',
  );
}

function withoutStack(error: Error): Error {
  error.stack = '';
  return error;
}
