import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The folder of the image's sources. */
export const image = fileURLToPath(new URL('../../image/', import.meta.url)).replace(/\/$/, '');

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with this environment and a path that has the servers too. */
export function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, ...env },
    timeout: 60_000,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** The programs of these that this computer does not have. */
export function missing(...programs: string[]): string[] {
  return programs.filter(
    (program) => run('bash', ['-c', `command -v ${program} || compgen -c ${program}`]).status !== 0,
  );
}

/**
 * Says on the console why tests are left out, so that none goes missing unseen.
 *
 * @returns whether they must be left out
 */
export function leftOut(what: string, ...programs: string[]): boolean {
  const lacking = missing(...programs);
  if (lacking.length > 0) console.warn(`LEFT OUT: ${what}, because this computer has no ${lacking.join(', ')}.`);
  return lacking.length > 0;
}
