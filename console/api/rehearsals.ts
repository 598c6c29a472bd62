import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../infra/cache-folder.ts';

/** A rehearsal that is up. It tells so in a file, by which the commands of the same clone find it. */
export interface RunningRehearsal {
  readonly pid: number;
  /** Root of the clone that runs it. */
  readonly clone: string;
  /** For example `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  readonly region: string;
  /** Folder of everything that it writes. */
  readonly directory: string;
  /** How many times faster than on AWS its waits pass. */
  readonly pace: number;
}

const clone = fileURLToPath(new URL('../..', import.meta.url));
const folder = cacheFolder('rehearsals');

/** @returns what takes the announcement back */
export function announceRehearsal(rehearsal: Omit<RunningRehearsal, 'pid' | 'clone'>, directory = folder): () => void {
  const file = join(directory, `${process.pid}.json`);
  mkdirSync(directory, { recursive: true });
  for (const name of filesIn(directory))
    if (!isRunning(Number.parseInt(name, 10))) rmSync(join(directory, name), { force: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, clone, ...rehearsal }));
  return () => rmSync(file, { force: true });
}

/** The rehearsals of this clone that are up, the one that began last first. */
export function runningRehearsals(directory = folder): RunningRehearsal[] {
  return filesIn(directory)
    .flatMap((name) => read(join(directory, name)))
    .filter((rehearsal) => rehearsal.clone === clone && isRunning(rehearsal.pid))
    .sort((a, b) => b.pid - a.pid);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** A file that is being written, or that a kill cut short, counts for nothing. */
function read(file: string): RunningRehearsal[] {
  try {
    return [JSON.parse(readFileSync(file, 'utf8')) as RunningRehearsal];
  } catch {
    return [];
  }
}

/** One that was killed could not take its announcement back. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
