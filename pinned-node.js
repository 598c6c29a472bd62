// Whatever Node.js runs this, the commands themselves run on the one that the project pins: they are TypeScript. An old
// Node.js has to come as far as the sentences below, so that nothing here is newer than version 14.
// biome-ignore-start lint/style/useNodejsImportProtocol: an old Node.js does not know it.
import { spawn } from 'child_process';
import { existsSync } from 'fs';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';

// biome-ignore-end lint/style/useNodejsImportProtocol: see above.

const clone = dirname(fileURLToPath(import.meta.url));
const pinned = join(clone, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/**
 * Runs one of the project's programs with this process's arguments, and ends as it does.
 *
 * @param {string} program its path in the clone
 * @returns {void}
 */
export function runPinned(program) {
  if (!existsSync(pinned)) return explain();
  const child = spawn(pinned, [join(clone, program), ...process.argv.slice(2)], {
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
    if (signal === null) process.exit(code === null ? 1 : code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function explain() {
  process.stderr.write(
    existsSync(dirname(dirname(pinned)))
      ? `npm ci has left out the install scripts of the packages, and with them ${pinned}. ` +
          `Run npm ci --ignore-scripts=false in ${clone}, with Node.js 18.19 or newer (this is ${process.version}).\n`
      : `npm ci has not run in ${clone}. Run it first, with Node.js 18.19 or newer (this is ${process.version}).\n`,
  );
  process.exitCode = 1;
}
