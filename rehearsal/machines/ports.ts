import { createServer } from 'node:net';
import type { World } from '../world.ts';

export const LOOPBACK = '127.0.0.1';

/**
 * A free port of the loopback address. What stands behind a name keeps its port from one rehearsal on a folder to the
 * next as long as nobody else has taken it, so that addresses which were written down (a task definition's
 * environment, links in the site) stay right.
 *
 * @param name what the port is for, unique in the rehearsal
 */
export async function choosePort(world: Pick<World, 'state'>, name: string): Promise<number> {
  const ports = world.state.collection<number>('ports');
  const remembered = ports.get(name);
  const port = remembered !== undefined && (await isFree(remembered)) ? remembered : await freePort();
  ports.set(name, port);
  return port;
}

/** A port that was free a moment ago, given by the operating system. */
export async function freePort(): Promise<number> {
  return await listenOnce(0);
}

async function isFree(port: number): Promise<boolean> {
  return await listenOnce(port).then(
    () => true,
    () => false,
  );
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()));
    });
  });
}
