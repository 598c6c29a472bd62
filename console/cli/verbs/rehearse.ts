import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '../exit-codes.ts';
import type { Run } from '../verb.ts';

const main = fileURLToPath(new URL('../../../rehearsal/main.ts', import.meta.url));

/** In a process of its own, which is known by the name of its program. */
export const run: Run = (_session, _given, rest) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...rest], { stdio: 'inherit' });
    // Ctrl-C reaches it by itself; it takes its time to stop what it started.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? exitCodes.detached));
  });
