import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../compile-cache.ts';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';
import { MARK, signalGroup } from './reaper.ts';

export interface StartOptions {
  /** The whole environment of the process; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard output and error are appended there; absent: they are pipes of `process`. */
  readonly logFile?: string;
  /** Opens a channel to a Node process: `process.send` and `message` events on both sides. */
  readonly ipc?: boolean;
  /** Asks the process to end in order; PostgreSQL understands SIGINT as its fast shutdown. Default SIGTERM. */
  readonly orderlySignal?: NodeJS.Signals;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process in its own process group, which ends with the rehearsal at the latest. */
export interface KeptProcess {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  /** Asks the process to end, kills its whole group when it has not after so many milliseconds. */
  stop(milliseconds: number): Promise<Exit>;
}

/** Starts processes so that none outlives the rehearsal, however the rehearsal ends (see reaper.ts). */
export class ProcessKeeper {
  readonly #mark = randomUUID();
  readonly #running = new Set<KeptProcess>();
  #reaper: ChildProcess | undefined;
  #closed = false;

  /** @throws Error when the command cannot be started, naming it and the reason */
  async start(command: string, args: readonly string[], options: StartOptions): Promise<KeptProcess> {
    if (this.#closed) throw new Error(`${command} was not started: the rehearsal is ending.`);
    this.#tell('mark', this.#mark);
    const output = options.logFile === undefined ? ('pipe' as const) : openLog(options.logFile);
    const child = spawn(command, args, {
      detached: true,
      cwd: options.cwd,
      env: { ...options.env, [MARK]: this.#mark },
      stdio: [
        options.logFile === undefined ? 'pipe' : 'ignore',
        output,
        output,
        ...(options.ipc ? ['ipc' as const] : []),
      ],
    });
    if (typeof output === 'number') closeSync(output);
    const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new Error(`${command} could not be started: ${error.message}`)));
    });
    return this.#keep(child, exited, options.orderlySignal ?? 'SIGTERM');
  }

  /** Removes the folder when the rehearsal dies without an orderly end. */
  discardAfterDeath(directory: string): void {
    this.#tell('discard', directory);
  }

  /** Ends every process that still runs, all at once. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((kept) => kept.stop(5_000)));
    this.#tell('done');
    this.#reaper?.stdin?.end();
  }

  #keep(child: ChildProcess, exited: Promise<Exit>, orderlySignal: NodeJS.Signals): KeptProcess {
    const pid = child.pid as number;
    this.#tell('add', String(pid), orderlySignal);
    const ended = exited.then((exit) => {
      // A killed parent leaves its children in the group: they go with it.
      signalGroup(pid, 'SIGKILL');
      this.#running.delete(kept);
      if (!this.#closed || this.#running.size > 0) this.#tell('remove', String(pid));
      return exit;
    });
    const kept: KeptProcess = {
      pid,
      process: child,
      exited: ended,
      stop: async (milliseconds) => {
        child.kill(orderlySignal);
        const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), milliseconds);
        const exit = await ended;
        clearTimeout(timer);
        return exit;
      },
    };
    this.#running.add(kept);
    return kept;
  }

  #tell(...words: string[]): void {
    this.#reaper ??= startReaper();
    this.#reaper.stdin?.write(`${JSON.stringify(words)}\n`);
  }
}

function startReaper(): ChildProcess {
  const script = fileURLToPath(new URL('./reaper.ts', import.meta.url));
  // Detached, so that Ctrl-C at the terminal ends the rehearsal and not the one who clears up after it.
  const reaper = spawn(process.execPath, [script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: compileCache,
  });
  reaper.stdin?.on('error', () => {});
  reaper.unref();
  (reaper.stdin as unknown as { unref(): void }).unref();
  return reaper;
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a', 0o600);
}

/** The one keeper of a rehearsal; closed with it. */
export const keeperOf = perWorld((world: World) => {
  const keeper = new ProcessKeeper();
  world.onClose(() => keeper.close());
  return keeper;
});
