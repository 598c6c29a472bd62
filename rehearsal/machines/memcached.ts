import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { World } from '../world.ts';
import { choosePort, LOOPBACK } from './ports.ts';
import { keeperOf } from './process-keeper.ts';
import type { CacheServer } from './redis.ts';
import { lastLines } from './until-ready.ts';

const START_MILLISECONDS = 10_000;

/**
 * Starts one Memcached server. It keeps nothing from one rehearsal to the next, as the real one keeps nothing over a
 * restart.
 *
 * @throws Error with the server's own last words when it does not start
 */
export async function startMemcached(world: World, name: string): Promise<CacheServer> {
  const port = await choosePort(world, `memcached/${name}`);
  const logFile = join(world.directory, 'logs', `memcached-${name}.log`);
  const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const args = ['-l', LOOPBACK, '-p', String(port), '-U', '0', '-m', '64', ...asUser];
  const server = await keeperOf(world).start('memcached', args, {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    logFile,
  });
  let exited = false;
  void server.exited.then(() => {
    exited = true;
  });
  const deadline = Date.now() + START_MILLISECONDS;
  while (!(await isListening(port))) {
    if (exited || Date.now() > deadline) throw new Error(`Memcached “${name}” did not start:\n${lastLines(logFile)}`);
    await wait(30);
  }
  return { host: LOOPBACK, port };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
