import { LOOPBACK } from '../ports.ts';
import type { KeptProcess, ProcessKeeper } from '../process-keeper.ts';
import type { ContainerDefinition, HealthCommand } from './types.ts';

/** ECS's defaults for a container's health check, in seconds. */
export const healthDefaults = { interval: 30, timeout: 5, retries: 3, startPeriod: 0 };

/**
 * Runs a container's health checks, where the container runs: in a shell that stays, since a process as large as a
 * rehearsal takes longer to start another one than the check takes.
 */
export class HealthShell {
  readonly #keeper: ProcessKeeper;
  readonly #env: Readonly<Record<string, string>>;
  #shell: KeptProcess | undefined;

  constructor(keeper: ProcessKeeper, env: Readonly<Record<string, string>>) {
    this.#keeper = keeper;
    this.#env = env;
  }

  /**
   * Runs a check once, one at a time.
   *
   * In its own network name space the container listens on the port of its definition; here it has a port of its own. So
   * `localhost:<container port>` and `127.0.0.1:<container port>` in the command mean that one.
   *
   * @returns whether it ended with 0 within its time-out
   */
  async run(check: HealthCommand, container: ContainerDefinition, port: number): Promise<boolean> {
    const [kind, ...words] = check.command.map((word) => atOwnPort(word, container, port));
    const command = kind === 'CMD-SHELL' ? `/bin/sh -c ${quoted(words.join(' '))}` : words.map(quoted).join(' ');
    const { process, exited, stop } = await this.#started();
    const { stdin, stdout } = process;
    const code = new Promise<string>((resolve) => stdout?.once('data', (chunk) => resolve(String(chunk).trim())));
    stdin?.write(`${command} </dev/null >/dev/null 2>&1; echo $?\n`);
    const timer = setTimeout(() => void stop(0), (check.timeout ?? healthDefaults.timeout) * 1_000);
    const healthy = await Promise.race([code.then((text) => text === '0'), exited.then(() => false)]);
    clearTimeout(timer);
    return healthy;
  }

  async stop(): Promise<void> {
    await this.#shell?.stop(0);
  }

  async #started(): Promise<KeptProcess> {
    if (this.#shell) return this.#shell;
    const shell = await this.#keeper.start('/bin/sh', [], { env: this.#env });
    shell.process.stdin?.on('error', () => {});
    void shell.exited.then(() => {
      this.#shell = undefined;
    });
    this.#shell = shell;
    return shell;
  }
}

/** One word of a shell's command. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

export function atOwnPort(word: string, container: ContainerDefinition, port: number): string {
  return (container.portMappings ?? []).reduce(
    (text, { containerPort }) =>
      text.replace(new RegExp(`\\b(?:localhost|127\\.0\\.0\\.1):${containerPort}\\b`, 'g'), `${LOOPBACK}:${port}`),
    word,
  );
}
