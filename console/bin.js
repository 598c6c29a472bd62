#!/usr/bin/env node
// Whatever Node.js runs this, the commands themselves run on the one that the project pins: they are TypeScript.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const pinned = join(clone, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

if (!existsSync(pinned)) {
  process.stderr.write(`${pinned} is not there. Run npm ci in ${clone} first.\n`);
  process.exit(1);
}
const child = spawn(pinned, [join(clone, 'console/cli/main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, NODE_COMPILE_CACHE: join(clone, 'node_modules/.cache/moodle-lifecycle/compile') },
});
// Ctrl-C reaches the child by itself, which decides what it means. Other signals are for the one that was started.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.once('error', (error) => {
  process.stderr.write(`${pinned} cannot be run: ${error.message}\n`);
  process.exit(1);
});
child.once('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
