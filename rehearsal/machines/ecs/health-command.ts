import { execFile } from 'node:child_process';
import { LOOPBACK } from '../ports.ts';
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
export function runHealthCommand(
  check: HealthCommand,
  container: ContainerDefinition,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  const [kind, ...words] = check.command.map((word) => atOwnPort(word, container, port));
  const [command, args] =
    kind === 'CMD-SHELL' ? ['/bin/sh', ['-c', words.join(' ')]] : [words[0] ?? '', words.slice(1)];
  const timeout = (check.timeout ?? healthDefaults.timeout) * 1_000;
  return new Promise((resolve) => {
    execFile(command, args, { env, timeout, killSignal: 'SIGKILL' }, (error) => resolve(error === null));
  });
}

export function atOwnPort(word: string, container: ContainerDefinition, port: number): string {
  return (container.portMappings ?? []).reduce(
    (text, { containerPort }) =>
      text.replace(new RegExp(`\\b(?:localhost|127\\.0\\.0\\.1):${containerPort}\\b`, 'g'), `${LOOPBACK}:${port}`),
    word,
  );
}
