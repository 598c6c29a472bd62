import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { createConnection, escapeId, escape as quote } from 'mysql2/promise';
import type { World } from '../world.ts';
import { certificatesBeside } from './certificates.ts';
import { makeDataFolder, runProgram } from './data-folder.ts';
import type { DatabaseServer, ServerOptions } from './databases.ts';
import { choosePort, LOOPBACK } from './ports.ts';
import { type KeptProcess, keeperOf } from './process-keeper.ts';
import { untilReady } from './until-ready.ts';

const ADMINISTRATOR = 'rehearsal';
const START_MILLISECONDS = 30_000;
/** What a server gets to end in order before it is killed. */
const STOP_MILLISECONDS = 20_000;

export interface MariaDb extends DatabaseServer {
  /** May do everything; only from this computer. */
  readonly administrator: { readonly user: string; readonly password: string };
}

/** What the master user of RDS may do: everything but what belongs to SUPER. */
const PRIVILEGES = [
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'RELOAD', 'PROCESS', 'REFERENCES', 'INDEX', 'ALTER'],
  ...['SHOW DATABASES', 'CREATE TEMPORARY TABLES', 'LOCK TABLES', 'EXECUTE', 'CREATE VIEW', 'SHOW VIEW'],
  ...['CREATE ROUTINE', 'ALTER ROUTINE', 'CREATE USER', 'EVENT', 'TRIGGER'],
].join(', ');

/**
 * Starts the MariaDB server of this computer as one make-believe instance or cluster, in MySQL's place too. It takes TLS
 * connections only (`require_secure_transport`).
 *
 * @param name the identifier; its data stays in `mariadb/<name>` of the rehearsal's folder
 * @throws Error with the server's own last words when it does not start
 */
export async function startMariaDb(world: World, name: string, options: ServerOptions = {}): Promise<MariaDb> {
  const directory = mariaDbFolder(world, name);
  const logFile = join(world.directory, 'logs', `mariadb-${name}.log`);
  initialise(directory);
  const port = options.port ?? (await choosePort(world, `mariadb/${name}`));
  const password = administratorPassword(world, name);
  const server = await launch(world, directory, port, password, options.settings ?? {}, logFile);
  const ca = readFileSync(world.certificateAuthorityFile, 'utf8');
  const connect = () => createConnection({ host: LOOPBACK, port, user: ADMINISTRATOR, password, ssl: { ca } });
  await untilReady(server, 'MariaDB', async () => await (await connect()).end(), logFile, START_MILLISECONDS);
  rmSync(join(directory, FIRST_STATEMENTS));
  return {
    host: LOOPBACK,
    port,
    administrator: { user: ADMINISTRATOR, password },
    stop: async () => {
      await server.stop(STOP_MILLISECONDS);
    },
    async ensureOwner(user, userPassword, database) {
      const client = await connect();
      try {
        const login = `${quote(user)}@'%'`;
        await client.query(`CREATE USER IF NOT EXISTS ${login}`);
        await client.query(`ALTER USER ${login} IDENTIFIED BY ${quote(userPassword)}`);
        await client.query(`GRANT ${PRIVILEGES} ON *.* TO ${login} WITH GRANT OPTION`);
        if (database !== undefined) await client.query(`CREATE DATABASE IF NOT EXISTS ${escapeId(database)}`);
      } finally {
        await client.end();
      }
    },
  };
}

/** Where the data of the server of that name is. */
export function mariaDbFolder(world: Pick<World, 'directory'>, name: string): string {
  return join(world.directory, 'mariadb', name);
}

export function removeMariaDb(world: Pick<World, 'directory'>, name: string): void {
  const folder = mariaDbFolder(world, name);
  for (const each of [folder, temporaryFolder(folder)]) rmSync(each, { recursive: true, force: true });
}

/**
 * Beside the data, and not the computer's own: a server that starts removes every temporary table there, those that
 * another one is using too.
 */
function temporaryFolder(directory: string): string {
  return `${directory}.tmp`;
}

function administratorPassword(world: World, name: string): string {
  const passwords = world.state.collection<string>('mariadb-administrators');
  const password = passwords.get(name) ?? randomBytes(18).toString('base64url');
  passwords.set(name, password);
  return password;
}

/** Makes the server's own tables, unless they are there. */
function initialise(directory: string): void {
  makeDataFolder(directory, {
    kind: 'mariadb',
    madeFrom: () => [run('mariadbd', ['--no-defaults', '--version']), installOptions],
    make(folder) {
      const tmpdir = temporaryFolder(folder);
      for (const each of [folder, tmpdir]) mkdirSync(each, { mode: 0o700 });
      run('mariadb-install-db', [...options({ ...installOptions, datadir: folder, tmpdir }), '--skip-test-db']);
    },
  });
}

function run(program: string, args: readonly string[]): string {
  return runProgram('MariaDB', [program, args], serverEnvironment());
}

const common = {
  // Itself, also where that is root, which the server wants to be told. It can not be run as another user there, as
  // PostgreSQL is: it asks access(2) for its files, which knows no capabilities.
  user: userInfo().username,
  // A killed server loses nothing by these, only a computer that loses power does.
  'innodb-flush-log-at-trx-commit': '2',
  'innodb-flush-method': 'nosync',
  'innodb-log-file-size': '32M',
};

const installOptions = { ...common, 'auth-root-authentication-method': 'normal' };

/** Run by the server before it takes connections: the only way in that does not ask for a password. */
const FIRST_STATEMENTS = 'first-statements.sql';

async function launch(
  world: World,
  directory: string,
  port: number,
  password: string,
  parameters: Readonly<Record<string, string>>,
  logFile: string,
): Promise<KeptProcess> {
  const { certificateAuthorityFile, certificateFile, keyFile } = certificatesBeside(world.certificateAuthorityFile);
  const firstStatements = join(directory, FIRST_STATEMENTS);
  writeFileSync(
    firstStatements,
    `CREATE OR REPLACE USER '${ADMINISTRATOR}'@'${LOOPBACK}' IDENTIFIED BY '${password}';\n` +
      `GRANT ALL PRIVILEGES ON *.* TO '${ADMINISTRATOR}'@'${LOOPBACK}' WITH GRANT OPTION;\n` +
      `DROP USER IF EXISTS 'root'@'localhost';\n`,
    { mode: 0o600 },
  );
  const tmpdir = temporaryFolder(directory);
  mkdirSync(tmpdir, { recursive: true, mode: 0o700 });
  const words = options({
    ...common,
    datadir: directory,
    tmpdir,
    'bind-address': LOOPBACK,
    port: String(port),
    // In the data folder: an absolute path might be longer than a socket's address can be.
    socket: 'server.sock',
    'init-file': firstStatements,
    'ssl-ca': certificateAuthorityFile,
    'ssl-cert': certificateFile,
    'ssl-key': keyFile,
    'require-secure-transport': 'ON',
    'max-connections': '200',
    'skip-name-resolve': 'ON',
    'performance-schema': 'OFF',
    ...parameters,
  });
  return await keeperOf(world).start('mariadbd', words, { env: serverEnvironment(), cwd: directory, logFile });
}

/** This computer's own configuration is not the rehearsal's. */
function options(values: Readonly<Record<string, string>>): string[] {
  return ['--no-defaults', ...Object.entries(values).map(([name, value]) => `--${name}=${value}`)];
}

function serverEnvironment(): Record<string, string> {
  return { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/bin`, LC_ALL: 'C' };
}
