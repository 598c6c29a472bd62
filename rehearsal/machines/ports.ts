import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { perWorld } from '../per-world.ts';
import type { World } from '../world.ts';

export const LOOPBACK = '127.0.0.1';

/**
 * Below what operating systems give to whoever does not mind which port it gets, as every outgoing connection does: from
 * 32768 on Linux (ip_local_port_range), from 49152 on macOS.
 */
const FIRST = 20_000;
const LAST = 32_767;
const ATTEMPTS = 1_000;

/** A port of the loopback address that is nobody else's, though a while may pass before something listens at it. */
export interface ReservedPort {
  readonly port: number;
  /** Can be called more than once. */
  release(): void;
}

/**
 * Reserves a free port for as long as this process lives, or until it is released. The reservation is the UDP port of the
 * same number, which nothing here uses: no other rehearsal gets it, and it is free again however this process ends.
 *
 * @param wanted the port that is taken if it is free
 * @throws Error when there is no free port, or the operating system denies one
 */
export async function reservePort(wanted?: number): Promise<ReservedPort> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port =
      attempt === 0 && wanted !== undefined ? wanted : FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    const reserved = await tryToReserve(port);
    if (reserved) return reserved;
  }
  throw new Error(`None of ${ATTEMPTS} ports between ${FIRST} and ${LAST} of this computer is free.`);
}

/**
 * The port of what stands behind a name, reserved until the rehearsal ends. It is the same from one rehearsal on a folder
 * to the next as long as nobody else has taken it, so that addresses which were written down (a task definition's
 * environment, links in the site) stay right.
 *
 * @param name what the port is for, unique in the rehearsal
 * @throws Error when there is no free port
 */
export async function choosePort(world: World, name: string): Promise<number> {
  const reservations = reservationsOf(world);
  const ports = world.state.collection<number>('ports');
  const reservation = reservations.get(name) ?? reservePort(ports.get(name));
  reservations.set(name, reservation);
  const { port } = await reservation;
  ports.set(name, port);
  return port;
}

const reservationsOf = perWorld((world: World) => {
  const reservations = new Map<string, Promise<ReservedPort>>();
  world.onClose(async () => {
    // One that failed is told to whoever asked for it, and keeps nothing else from being closed.
    for (const settled of await Promise.allSettled(reservations.values()))
      if (settled.status === 'fulfilled') settled.value.release();
  });
  return reservations;
});

async function tryToReserve(port: number): Promise<ReservedPort | undefined> {
  const socket = createSocket('udp4').unref();
  let reserved = true;
  const release = () => {
    if (reserved) socket.close();
    reserved = false;
  };
  try {
    socket.bind({ port, address: LOOPBACK, exclusive: true });
    await once(socket, 'listening');
    await listenOnce(port);
    return { port, release };
  } catch (error) {
    release();
    if (isTaken(error)) return undefined;
    throw error;
  }
}

async function listenOnce(port: number): Promise<void> {
  const server = createServer();
  server.listen({ port, host: LOOPBACK, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

const isTaken = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
