import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { World } from '../../world.ts';
import { type MariaDb, mariaDbFolder, removeMariaDb, startMariaDb } from '../mariadb.ts';
import { choosePort } from '../ports.ts';
import { keeperOf } from '../process-keeper.ts';
import { lastLines } from '../until-ready.ts';
import type { DatabaseEngine, RestoreRequest, RunningServer } from './engine.ts';

/** The binary log, in the folder of the server's data. */
const LOG = 'changes';
const DUMP = 'dump.sql';

interface RunningMariaDb extends RunningServer, Pick<MariaDb, 'administrator'> {}

/**
 * MariaDB. A copy is a dump, and what has changed since is in the binary log, whose moments are
 * whole seconds.
 */
export const mariaDbEngine: DatabaseEngine = {
  family: 'mariadb',
  pointInTime: true,
  start: (world, name, port, parameters) => start(world, name, port, settingsOf(parameters)),
  backUp: (world, name, server, folder) => backUp(world, name, server as RunningMariaDb, folder),
  restore,
  remove: removeMariaDb,
};

/**
 * What it calls itself in MySQL's place: Moodle refuses a MariaDB that it is told to use as a MySQL. All else of it is
 * MariaDB's.
 */
const MYSQL_VERSION = '8.4.0';

export const mysqlEngine: DatabaseEngine = {
  ...mariaDbEngine,
  start: (world, name, port, parameters) =>
    start(world, name, port, { ...settingsOf(withoutMysqlsOwn(parameters)), version: MYSQL_VERSION }),
};

/** MariaDB before 11.4.5 does not know the collations that begin with utf8mb4_0900. */
function withoutMysqlsOwn(parameters: Readonly<Record<string, string>>): Record<string, string> {
  const { collation_server = '', ...others } = parameters;
  if (collation_server === '') return others;
  return { ...others, collation_server: collation_server.replace(/^utf8mb4_0900_ai_ci$/, 'utf8mb4_unicode_ci') };
}

async function start(
  world: World,
  name: string,
  port: number,
  parameters: Readonly<Record<string, string>>,
): Promise<RunningMariaDb> {
  const settings = { ...parameters, 'log-bin': LOG, 'binlog-format': 'ROW', 'server-id': '1', 'sync-binlog': '0' };
  const server = await startMariaDb(world, name, { port, settings });
  return { ...server, archive: () => closeLog(world, server) };
}

/** TLS is asked for in any case. */
function settingsOf(parameters: Readonly<Record<string, string>>): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'require_secure_transport' && /^(1|ON)$/.test(value)) continue;
    if (/^(character_set|collation)_server$/.test(name)) given[name] = value;
    else throw new Error(`the rehearsal's MariaDB does not know the parameter ${name}=${value}.`);
  }
  return given;
}

/** What is written from now on goes to another file. */
async function closeLog(world: World, { host, port, administrator }: MariaDb): Promise<void> {
  const ca = readFileSync(world.certificateAuthorityFile, 'utf8');
  const connection = await createConnection({ host, port, ...administrator, ssl: { ca } });
  try {
    await connection.query('FLUSH BINARY LOGS');
  } finally {
    await connection.end();
  }
}

async function backUp(world: World, name: string, server: RunningMariaDb, folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await withLogin(world, name, server, (login) =>
    run(world, 'mariadb-dump', [
      `--defaults-file=${login}`,
      '--all-databases',
      '--single-transaction',
      // Writes which place in the binary log the dump is of.
      '--master-data=2',
      '--routines',
      '--events',
      '--hex-blob',
      `--result-file=${join(unfinished, DUMP)}`,
    ]),
  );
  renameSync(unfinished, folder);
}

async function restore(world: World, { backup, from, to, until }: RestoreRequest): Promise<void> {
  const folder = mariaDbFolder(world, to);
  removeMariaDb(world, to);
  const server = await start(world, to, await choosePort(world, `replay/${to}`), {});
  const changes = `${folder}.changes.sql`;
  try {
    await withLogin(world, to, server, async (login) => {
      await feed(world, login, join(backup, DUMP));
      if (!until) return;
      await readLog(world, mariaDbFolder(world, from), join(backup, DUMP), until, changes);
      await feed(world, login, changes);
    });
  } finally {
    rmSync(changes, { force: true });
    await server.stop();
  }
}

/** Writes the statements that lead from a dump to a moment. */
async function readLog(world: World, source: string, dump: string, until: Date, file: string): Promise<void> {
  const { name, position } = placeOf(dump);
  const files = readdirSync(source)
    .filter((entry) => /^changes\.\d+$/.test(entry) && entry >= name)
    .sort();
  const stop = new Date(Math.ceil(until.getTime() / 1_000) * 1_000).toISOString().slice(0, 19).replace('T', ' ');
  await run(world, 'mariadb-binlog', [
    `--start-position=${position}`,
    `--stop-datetime=${stop}`,
    `--result-file=${file}`,
    ...files.map((entry) => join(source, entry)),
  ]);
}

/** Which place in the binary log a dump is of. It is told in its first lines. */
function placeOf(dump: string): { name: string; position: string } {
  const place = /MASTER_LOG_FILE='([^']+)', MASTER_LOG_POS=(\d+)/.exec(readFileSync(dump, 'utf8').slice(0, 10_000));
  if (!place) throw new Error(`${dump} does not say which place in the binary log it is of.`);
  return { name: place[1] ?? '', position: place[2] ?? '' };
}

function feed(world: World, login: string, file: string): Promise<void> {
  return run(world, 'sh', ['-c', 'exec mariadb --defaults-file="$1" < "$2"', 'sh', login, file]);
}

/**
 * Gives the programs the password in a file, since every user of the computer can read arguments. In one of its own for
 * each: RDS's own backup comes while somebody takes a snapshot.
 */
async function withLogin<Value>(
  world: World,
  name: string,
  { host, port, administrator }: RunningMariaDb,
  work: (file: string) => Promise<Value>,
): Promise<Value> {
  const file = `${mariaDbFolder(world, name)}.${randomUUID()}.login`;
  const { user, password } = administrator;
  const lines = { host, port, user, password, 'ssl-ca': world.certificateAuthorityFile };
  const text = Object.entries(lines).map(([key, value]) => `${key}=${value}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `[client]\n${text.join('\n')}\n`, { mode: 0o600 });
  try {
    return await work(file);
  } finally {
    rmSync(file);
  }
}

async function run(world: World, command: string, args: readonly string[]): Promise<void> {
  const logFile = join(world.directory, 'logs', 'mariadb-copies.log');
  const env = { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/bin`, LC_ALL: 'C', TZ: 'UTC' };
  const started = await keeperOf(world).start(command, args, { env, logFile });
  const { code } = await started.exited;
  if (code !== 0) throw new Error(`${command} ended with ${code}.\n${lastLines(logFile)}`);
}
