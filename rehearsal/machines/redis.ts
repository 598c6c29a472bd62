import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
export function startRedis(
  world: World,
  name: string,
  password: string,
  parameters: Readonly<Record<string, string>>,
): Promise<CacheServer> {
  return start(world, name, password, { requirepass: password, appendonly: 'yes', ...parameters }, ['PING']);
}

/**
 * Starts one Redis server as a client sees a serverless cache: TLS only, in cluster mode with one server that has every
 * key, and with users instead of a token.
 *
 * @param accessString what the user `default` may do, in Redis's own words
 * @throws Error with the server's own last words when it does not start
 */
export async function startServerlessRedis(
  world: World,
  name: string,
  password: string,
  accessString: string,
): Promise<CacheServer> {
  const directory = join(world.directory, 'redis', name);
  mkdirSync(directory, { recursive: true });
  const nodes = join(directory, 'nodes.conf');
  // As Redis itself would write it once every slot was given to this server.
  if (!existsSync(nodes)) {
    writeFileSync(
      nodes,
      `${'0'.repeat(40)} :0@0 myself,master - 0 0 1 connected 0-16383\nvars currentEpoch 1 lastVoteEpoch 0\n`,
    );
  }
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-config-file': nodes,
    'cluster-port': String(await choosePort(world, `redis/${name}/cluster`)),
    'cluster-announce-ip': LOOPBACK,
    // So that its directory of servers names the port that speaks TLS.
    'tls-cluster': 'yes',
    user: ['default', 'reset', ...accessString.split(' '), `>${password}`],
  };
  // It answers seconds before it takes writes.
  return await start(world, name, password, settings, ['CLUSTER', 'INFO'], 'cluster_state:ok');
}

type Setting = string | readonly string[];

async function start(
  world: World,
  name: string,
  password: string,
  own: Readonly<Record<string, Setting>>,
  question: readonly string[],
  answer = '+PONG',
): Promise<CacheServer> {
  const directory = join(world.directory, 'redis', name);
  mkdirSync(directory, { recursive: true });
  const port = await choosePort(world, `redis/${name}`);
  const configuration = join(directory, 'redis.conf');
  // A file and not arguments: every user of the computer can read those.
  writeFileSync(configuration, settings(world, directory, port, own), { mode: 0o600 });
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
  while (!(await answers(world, port, password, question, answer))) {
    if (exited || Date.now() > deadline) throw new Error(`Redis “${name}” did not start:\n${lastLines(logFile)}`);
    await wait(50);
  }
  return { host: LOOPBACK, port };
}

function settings(world: World, directory: string, port: number, own: Readonly<Record<string, Setting>>): string {
  const { certificateAuthorityFile, certificateFile, keyFile } = certificatesBeside(world.certificateAuthorityFile);
  const lines: [string, Setting][] = [
    ['bind', LOOPBACK],
    ['port', '0'],
    ['tls-port', String(port)],
    ['tls-cert-file', certificateFile],
    ['tls-key-file', keyFile],
    ['tls-ca-cert-file', certificateAuthorityFile],
    ['tls-auth-clients', 'no'],
    ['dir', directory],
    ['save', ''],
    ['daemonize', 'no'],
    ...Object.entries(own),
  ];
  return lines
    .map(
      ([key, value]) =>
        `${key} ${[value]
          .flat()
          .map((word) => JSON.stringify(word))
          .join(' ')}\n`,
    )
    .join('');
}

/** Whether the server takes the password and answers; while it loads its data it answers LOADING. */
function answers(
  world: World,
  port: number,
  password: string,
  question: readonly string[],
  answer: string,
): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ host: LOOPBACK, port, ca: readFileSync(world.certificateAuthorityFile) });
    const finish = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('secureConnect', () => socket.write(`${command('AUTH', password)}${command(...question)}`));
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      if (heard.includes(answer)) finish(true);
      else if (heard.includes('\n-')) finish(false);
    });
  });
}

function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
