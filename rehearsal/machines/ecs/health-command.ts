import { LOOPBACK } from '../ports.ts';
import type { ProcessKeeper } from '../process-keeper.ts';
import type { ContainerDefinition, HealthCommand } from './types.ts';

/** ECS's defaults for a container's health check, in seconds. */
export const healthDefaults = { interval: 30, timeout: 5, retries: 3, startPeriod: 0 };

/**
 * Runs a container's health check once, where the container runs.
 *
 * In its own network name space the container listens on the port of its definition; here it has a port of its own. So
 * `localhost:<container port>` and `127.0.0.1:<container port>` in the command mean that one.
 *
 * @returns whether it ended with 0 within its time-out
 */
export async function runHealthCommand(
  keeper: ProcessKeeper,
  check: HealthCommand,
  container: ContainerDefinition,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  const [kind, ...words] = check.command.map((word) => atOwnPort(word, container, port));
  const [command, args] =
    kind === 'CMD-SHELL' ? ['/bin/sh', ['-c', words.join(' ')]] : [words[0] ?? '', words.slice(1)];
  try {
    const run = await keeper.start(command, args, { env, logFile: '/dev/null' });
    const timer = setTimeout(() => void run.stop(0), (check.timeout ?? healthDefaults.timeout) * 1_000);
    const { code } = await run.exited;
    clearTimeout(timer);
    return code === 0;
  } catch {
    // There is no such program: as unhealthy as one that fails.
    return false;
  }
}

export function atOwnPort(word: string, container: ContainerDefinition, port: number): string {
  return (container.portMappings ?? []).reduce(
    (text, { containerPort }) =>
      text.replace(new RegExp(`\\b(?:localhost|127\\.0\\.0\\.1):${containerPort}\\b`, 'g'), `${LOOPBACK}:${port}`),
    word,
  );
}
