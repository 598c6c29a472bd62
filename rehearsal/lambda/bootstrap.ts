/** The first module of a function's process: what Lambda's own runtime interface client is there. */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionFailure, InvocationMessage, ProcessMessage } from './messages.ts';
import { followNames, namesVariable } from './names.ts';

type Handler = (event: unknown, context: object) => unknown;

const { LAMBDA_TASK_ROOT: taskRoot = '', _HANDLER: handlerName = '' } = process.env;

followNames(JSON.parse(process.env[namesVariable] ?? '{}') as Record<string, number>);
delete process.env[namesVariable];

// The channel closes when the rehearsal ends, in whatever way: no function outlives it.
process.on('disconnect', () => process.exit());

function tell(message: ProcessMessage): void {
  process.send?.(message);
}

function failureOf(error: unknown): FunctionFailure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function fail(errorType: string, errorMessage: string): never {
  throw Object.assign(new Error(errorMessage), { name: errorType });
}

async function loadHandler(): Promise<Handler> {
  const [, module = '', name = ''] = /^(.*)\.([^./]+)$/.exec(handlerName) ?? [];
  // In the order in which Lambda looks for them.
  const file = ['', '.js', '.mjs', '.cjs']
    .map((ending) => join(taskRoot, module + ending))
    .find((path) => existsSync(path));
  if (file === undefined) fail('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown> & {
    default?: Record<string, unknown>;
  };
  const handler = loaded[name] ?? loaded.default?.[name];
  if (typeof handler !== 'function') fail('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
  return handler as Handler;
}

function contextOf(message: InvocationMessage): object {
  return {
    awsRequestId: message.requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: message.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: message.functionArn,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: String(message.memorySize),
    getRemainingTimeInMillis: () => message.deadline - Date.now(),
  };
}

let current: string | undefined;

/** What nobody awaited or caught ends the process, as it does on Lambda, and is told first. */
function endWith(errorType: string, error: unknown): void {
  const failure = { ...failureOf(error), errorType };
  console.error(errorType, JSON.stringify(failure));
  if (current === undefined) process.exit(129);
  process.send?.({ kind: 'lost', requestId: current, failure } satisfies ProcessMessage, () => process.exit(129));
}

process.on('unhandledRejection', (reason) => endWith('Runtime.UnhandledPromiseRejection', reason));
process.on('uncaughtException', (error) => endWith(error.name, error));

async function invoke(handler: Handler, message: InvocationMessage): Promise<void> {
  const { requestId } = message;
  current = requestId;
  try {
    const result = await handler(JSON.parse(message.payload), contextOf(message));
    tell({ kind: 'succeeded', requestId, payload: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    console.error('Invoke Error', JSON.stringify(failureOf(error)));
    tell({ kind: 'failed', requestId, failure: failureOf(error) });
  } finally {
    current = undefined;
    // The rehearsal ends with SIGKILL, after which nothing would be kept for the next process.
    flushCompileCache();
  }
}

try {
  const handler = await loadHandler();
  process.on('message', (message: InvocationMessage) => void invoke(handler, message));
  tell({ kind: 'ready' });
} catch (error) {
  console.error(error);
  tell({ kind: 'not ready', failure: failureOf(error) });
}
