import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from 'node:tls';
import type { World } from '../world.ts';
import { certificatesBeside } from './certificates.ts';
import { choosePort, LOOPBACK } from './ports.ts';
import { keeperOf } from './process-keeper.ts';
import { lastLines } from './until-ready.ts';

export interface CacheServer {
  readonly host: string;
  readonly port: number;
}

const START_MILLISECONDS = 15_000;

/**
 * Starts one Redis server as ElastiCache runs it with transit encryption and AUTH: TLS only, password required.
 *
 * @param name the replication group's identifier; its data stays in `redis/<name>` of the rehearsal's folder
 * @param parameters Redis settings of the parameter group
 * @throws Error with the server's own last words when it does not start
 */
export async function startRedis(
  world: World,
  name: string,
  password: string,
  parameters: Readonly<Record<string, string>>,
): Promise<CacheServer> {
  const directory = join(world.directory, 'redis', name);
  mkdirSync(directory, { recursive: true });
  const port = await choosePort(world, `redis/${name}`);
  const configuration = join(directory, 'redis.conf');
  // A file and not arguments: every user of the computer can read those.
  writeFileSync(configuration, settings(world, directory, port, password, parameters), { mode: 0o600 });
  const logFile = join(world.directory, 'logs', `redis-${name}.log`);
  const server = await keeperOf(world).start('redis-server', [configuration], {
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    cwd: directory,
    logFile,
  });
  let exited = false;
  void server.exited.then(() => {
    exited = true;
  });
  const deadline = Date.now() + START_MILLISECONDS;
  while (!(await answers(world, port, password))) {
    if (exited || Date.now() > deadline) throw new Error(`Redis “${name}” did not start:\n${lastLines(logFile)}`);
    await wait(50);
  }
  return { host: LOOPBACK, port };
}

function settings(
  world: World,
  directory: string,
  port: number,
  password: string,
  parameters: Readonly<Record<string, string>>,
): string {
  const { certificateAuthorityFile, certificateFile, keyFile } = certificatesBeside(world.certificateAuthorityFile);
  const lines: [string, string][] = [
    ['bind', LOOPBACK],
    ['port', '0'],
    ['tls-port', String(port)],
    ['tls-cert-file', certificateFile],
    ['tls-key-file', keyFile],
    ['tls-ca-cert-file', certificateAuthorityFile],
    ['tls-auth-clients', 'no'],
    ['requirepass', password],
    ['dir', directory],
    ['appendonly', 'yes'],
    ['save', ''],
    ['daemonize', 'no'],
    ...Object.entries(parameters),
  ];
  return lines.map(([key, value]) => `${key} ${JSON.stringify(value)}\n`).join('');
}

/** Whether the server takes the password and answers; while it loads its data it answers LOADING. */
function answers(world: World, port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ host: LOOPBACK, port, ca: readFileSync(world.certificateAuthorityFile) });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('secureConnect', () => socket.write(`${command('AUTH', password)}${command('PING')}`));
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      if (heard.includes('+PONG')) finish(true);
      else if (heard.includes('\n-')) finish(false);
    });
  });
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
