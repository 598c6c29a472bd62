import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type KeptProcess, keeperOf } from '../machines/process-keeper.ts';
import type { World } from '../world.ts';
import { environmentOf } from './environment.ts';
import type { LambdaFunction } from './functions.ts';
import type { FunctionFailure, InvocationMessage, ProcessMessage } from './messages.ts';

const bootstrap = fileURLToPath(new URL('./bootstrap.ts', import.meta.url));

/** Lambda stops an initialisation after ten seconds; this computer may be busier than Lambda's. */
const INITIALISATION_LIMIT = 60_000;

/** All processes of a function write to one file, which is one stream. */
export function functionLog(world: Pick<World, 'directory'>, { functionName }: LambdaFunction): string {
  return join(world.directory, 'logs', 'functions', `${functionName}.log`);
}

export function functionLogStream({ functionName }: LambdaFunction): string {
  return `rehearsal/${functionName}`;
}

export type Outcome =
  | { readonly kind: 'succeeded'; readonly payload: string }
  | { readonly kind: 'failed'; readonly failure: FunctionFailure }
  /** The process ended, or did not end in time and was killed: it cannot be used again. */
  | { readonly kind: 'lost'; readonly failure: FunctionFailure };

/** One execution environment of a function: a Node process that runs one invocation at a time. */
export class FunctionProcess {
  readonly #kept: KeptProcess;
  readonly #ready: Promise<FunctionFailure | undefined>;
  #ended = false;

  private constructor(kept: KeptProcess) {
    this.#kept = kept;
    void kept.exited.then(() => {
      this.#ended = true;
    });
    this.#ready = this.#initialisation();
  }

  static async start(world: World, lambda: LambdaFunction): Promise<FunctionProcess> {
    const logFile = functionLog(world, lambda);
    mkdirSync(dirname(logFile), { recursive: true });
    const kept = await keeperOf(world).start(
      process.execPath,
      [`--max-old-space-size=${Math.floor(lambda.memorySize * 0.9)}`, bootstrap],
      {
        env: environmentOf(world, lambda, functionLogStream(lambda)),
        cwd: lambda.directory,
        logFile,
        ipc: true,
      },
    );
    return new FunctionProcess(kept);
  }

  /** Whether it can take another invocation. */
  get usable(): boolean {
    return !this.#ended;
  }

  /** Runs one invocation. Kills the process when it takes longer than the function's timeout. */
  async invoke(lambda: LambdaFunction, requestId: string, payload: string): Promise<Outcome> {
    const notReady = await this.#ready;
    if (notReady) {
      await this.stop();
      return { kind: 'lost', failure: notReady };
    }
    const limit = lambda.timeoutSeconds * 1000;
    const answer = this.#answerTo(requestId);
    const message: InvocationMessage = {
      kind: 'invoke',
      requestId,
      functionArn: lambda.functionArn,
      functionName: lambda.functionName,
      memorySize: lambda.memorySize,
      deadline: Date.now() + limit,
      payload,
    };
    // A process that has just ended cannot be told; its end is what counts then.
    this.#kept.process.send(message, () => {});
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => resolve(timedOut(requestId, lambda.timeoutSeconds)), limit);
    });
    const outcome = await Promise.race([answer, tooLate, this.#end(requestId)]);
    clearTimeout(timer);
    if (outcome.kind === 'lost') await this.stop();
    return outcome;
  }

  async stop(): Promise<void> {
    this.#kept.process.kill('SIGKILL');
    await this.#kept.stop(0);
  }

  #messages(listener: (message: ProcessMessage) => void): void {
    this.#kept.process.on('message', listener);
    void this.#kept.exited.then(() => this.#kept.process.off('message', listener));
  }

  #initialisation(): Promise<FunctionFailure | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => resolve(exitFailure('', 'Runtime.InitError', 'the initialisation took longer than a minute')),
        INITIALISATION_LIMIT,
      );
      const finish = (failure: FunctionFailure | undefined) => {
        clearTimeout(timer);
        resolve(failure);
      };
      this.#messages((message) => {
        if (message.kind === 'ready') finish(undefined);
        if (message.kind === 'not ready') finish(message.failure);
      });
      void this.#kept.exited.then(({ code, signal }) => finish(exited('', code, signal)));
    });
  }

  #answerTo(requestId: string): Promise<Outcome> {
    return new Promise((resolve) => {
      const listener = (message: ProcessMessage) => {
        if (message.kind === 'ready' || message.kind === 'not ready' || message.requestId !== requestId) return;
        this.#kept.process.off('message', listener);
        resolve(message);
      };
      this.#kept.process.on('message', listener);
    });
  }

  async #end(requestId: string): Promise<Outcome> {
    const { code, signal } = await this.#kept.exited;
    return { kind: 'lost', failure: exited(requestId, code, signal) };
  }
}

function timedOut(requestId: string, seconds: number): Outcome {
  const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`;
  return { kind: 'lost', failure: { errorType: 'Sandbox.Timedout', errorMessage, trace: [] } };
}

function exited(requestId: string, code: number | null, signal: string | null): FunctionFailure {
  const how = signal === null ? `exit status ${code}` : `signal: ${signal === 'SIGKILL' ? 'killed' : signal}`;
  return exitFailure(requestId, 'Runtime.ExitError', `Runtime exited with error: ${how}`);
}

function exitFailure(requestId: string, errorType: string, problem: string): FunctionFailure {
  return { errorType, errorMessage: `RequestId: ${requestId} Error: ${problem}`, trace: [] };
}
