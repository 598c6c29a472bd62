import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { KeptProcess } from './process-keeper.ts';

/**
 * Waits until a server that was started does what is asked of it.
 *
 * @param what the server's name, for the error
 * @param attempt throws for as long as it does not
 * @throws Error with the server's own last words when it ends, or has not come that far after so many milliseconds
 */
export async function untilReady(
  server: KeptProcess,
  what: string,
  attempt: () => Promise<void>,
  logFile: string,
  milliseconds: number,
): Promise<void> {
  let exited = false;
  void server.exited.then(() => {
    exited = true;
  });
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!exited && Date.now() < deadline) {
        await wait(50);
        continue;
      }
      throw new Error(`${what} did not start: ${String(error)}\n${lastLines(logFile)}`);
    }
  }
}

/** The end of a log file, for an error that tells what the server itself said. */
export function lastLines(logFile: string, lines = 10): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return `(${dirname(logFile)} has no log of it)`;
  }
}
