import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { postgresql } from '../../lambdas/shared/dialect.ts';
import { lifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import { startMemcached } from '../../rehearsal/machines/memcached.ts';
import { reservePort } from '../../rehearsal/machines/ports.ts';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { type CacheServer, startRedis } from '../../rehearsal/machines/redis.ts';
import { type Command, canShareAPath, seenAt } from '../../rehearsal/machines/same-path.ts';
import { readMoodle } from '../../rehearsal/moodle/version-file.ts';
import type { PluginRelease } from '../../rehearsal/plugin-directory/release.ts';
import type { PluginDirectory } from '../../rehearsal/plugin-directory/server.ts';
import type { World } from '../../rehearsal/world.ts';
import { makeWorld } from '../machines/make-world.ts';
import { type Answer, HOST, send } from '../support/node-request.ts';
import { image } from './run.ts';

export const REDIS_PASSWORD = 'redis-secret-0123456789';
export const ADMIN = { username: 'operator', password: 'Administrator-secret-1' };
/** The load balancer, and a proxy of ours before it. */
const PROXIES = '10.0.0.0/16';
const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:';

type Environment = Record<string, string>;
export type StoreType = 'redis' | 'memcached';

/** Real servers and the code tree of a real Moodle, for nodes of any number of sites. */
export class MoodleBench {
  readonly branch: number;
  readonly directory: string;
  readonly sessionRedis: CacheServer;
  readonly applicationRedis: CacheServer;
  readonly world: World;
  /** Moodle's code, as it lies in an image. */
  readonly code: string;
  readonly #parts: Awaited<ReturnType<typeof startParts>>;
  readonly #sites: MoodleSite[] = [];

  private constructor(parts: Awaited<ReturnType<typeof startParts>>) {
    this.#parts = parts;
    this.branch = parts.branch;
    this.directory = parts.world.directory;
    this.world = parts.world;
    this.code = parts.code;
    this.sessionRedis = parts.sessionRedis;
    this.applicationRedis = parts.applicationRedis;
  }

  /** @param moodle folder of Moodle's code; never written to */
  static async open(moodle: string): Promise<MoodleBench> {
    return new MoodleBench(await startParts(moodle));
  }

  /** A site with the lifecycle's schema; with `like`, a copy of that site's database and files, which must rest. */
  async site(like?: MoodleSite): Promise<MoodleSite> {
    const name = `site${randomBytes(4).toString('hex')}`;
    const dataroot = join(this.directory, name);
    if (like) {
      await like.rest();
      cpSync(like.dataroot, dataroot, { recursive: true });
    } else mkdirSync(dataroot);
    const maintenance = await this.#connect('maintenance');
    await maintenance.query(`CREATE DATABASE ${name} ${like ? `TEMPLATE ${like.name}` : ''}`);
    await maintenance.end();
    const site = new MoodleSite(name, dataroot, await this.#connect(name), this.#environment(name, dataroot), this);
    this.#sites.push(site);
    if (like) await site.sql('UPDATE moodle_lifecycle.install_marker SET site = $1', name);
    else for (const statement of lifecycleSchema(postgresql)) await site.sql(statement);
    return site;
  }

  async close(): Promise<void> {
    for (const site of this.#sites) await site.close();
    this.#parts.metadata.close();
    await this.#parts.world.close();
  }

  /** What makes a container use this kind of session store. */
  sessionStore(type: StoreType): Environment {
    const { host, port } = type === 'redis' ? this.sessionRedis : this.#parts.memcached;
    return { MOODLE_SESSION_STORE_TYPE: type, MOODLE_SESSION_STORE_ENDPOINT: `${host}:${port}` };
  }

  /**
   * Builds an image of this Moodle with plugins, by the image's own commands.
   *
   * @throws Error with what the commands say
   */
  async image(releases: readonly PluginRelease[] = [], directory?: PluginDirectory): Promise<string> {
    const { world, node, moodle } = this.#parts;
    const folder = join(world.directory, 'images', randomBytes(4).toString('hex'));
    mkdirSync(folder, { recursive: true });
    const [code, manifest] = [join(folder, 'code'), join(folder, 'manifest.json')];
    const plugins = releases.map((release) => {
      directory?.offer(release);
      const sha256 = createHash('sha256').update(release.archive).digest('hex');
      return { component: release.component, version: release.version, url: directory?.downloadUrl(release), sha256 };
    });
    writeFileSync(manifest, JSON.stringify({ plugins }));
    await ended(join(node, 'assemble-code'), ['--link', moodle, code]);
    await ended(join(node, 'add-plugins'), [manifest, code]);
    await ended(join(node, 'check-plugins'), [manifest, code]);
    return code;
  }

  /** Makes a node's process find an image's code where it looks for it. */
  inImage(command: Command, code = this.#parts.code): Command {
    return this.#parts.dirroot === code ? command : seenAt(command, code, this.#parts.dirroot);
  }

  metadataUri = (node: string): string => `${this.#parts.metadata.uri}/${node}`;

  async #connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ ...this.#parts.connection, database, ssl: { rejectUnauthorized: false } });
    await client.connect();
    return client;
  }

  #environment(name: string, dataroot: string): Environment {
    const { host, port, user, password } = this.#parts.connection;
    return {
      PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/bin`,
      MOODLE_SITE: name,
      MOODLE_WWWROOT: `http://${HOST}`,
      MOODLE_DATABASE_TYPE: 'pgsql',
      MOODLE_DATABASE_HOST: host,
      MOODLE_DATABASE_PORT: String(port),
      MOODLE_DATABASE_NAME: name,
      MOODLE_DATABASE_PREFIX: 'mdl_',
      MOODLE_DATABASE_SSLMODE: 'verify-full',
      MOODLE_DATABASE_USER: user,
      MOODLE_DATABASE_PASSWORD: password,
      MOODLE_DATAROOT: dataroot,
      MOODLE_REVERSEPROXYIGNORE: PROXIES,
      MOODLE_ADMIN_USER: ADMIN.username,
      MOODLE_ADMIN_PASSWORD: ADMIN.password,
      MOODLE_ADMIN_EMAIL: 'operator@example.org',
      MOODLE_SITE_FULLNAME: 'Tested site',
      MOODLE_SITE_SHORTNAME: 'tested',
      MOODLE_LANG: 'en',
      MOODLE_UPGRADE_KEY: 'upgrade-secret',
      MOODLE_SESSION_STORE: 'database',
      MOODLE_SESSION_STORE_PASSWORD: REDIS_PASSWORD,
      MOODLE_SESSION_STORE_SECRET_ARN: `${SECRET_ARN}session`,
      MOODLE_APPLICATION_STORE_TYPE: 'redis',
      MOODLE_APPLICATION_STORE_ENDPOINT: `${this.applicationRedis.host}:${this.applicationRedis.port}`,
      MOODLE_APPLICATION_STORE_PASSWORD: REDIS_PASSWORD,
      MOODLE_APPLICATION_STORE_SECRET_ARN: `${SECRET_ARN}application`,
      ...this.sessionStore('redis'),
      MOODLE_DIRROOT: this.#parts.dirroot,
      MOODLE_NODE_SCRIPTS: this.#parts.node,
      MOODLE_POLL_SECONDS: '1',
      MOODLE_DATABASE_WAIT_SECONDS: '5',
      MOODLE_DRAIN_SECONDS: '20',
      MOODLE_PHP_WORKERS: '4',
      SSL_CERT_FILE: this.#parts.world.certificateAuthorityFile,
    };
  }
}

async function startParts(moodle: string) {
  const { branch } = readMoodle(moodle);
  const world = await makeWorld();
  const code = join(world.directory, 'code');
  // A copy, as in an image: what is edited meanwhile does not reach running nodes.
  const node = join(world.directory, 'node');
  // As in containers: nodes of different images find their code at the same path.
  const dirroot = canShareAPath() ? join(world.directory, 'dirroot') : code;
  cpSync(image, node, { recursive: true });
  await ended(join(node, 'assemble-code'), ['--link', moodle, code]);
  const postgres = await startPostgres(world, 'image');
  const owner = { user: 'moodle', password: `it's a "secret" \\ of the database` };
  await postgres.ensureOwner(owner.user, owner.password, 'maintenance');
  return {
    branch,
    moodle,
    world,
    node,
    code,
    dirroot,
    connection: { host: postgres.host, port: postgres.port, ...owner },
    sessionRedis: await startRedis(world, 'session', REDIS_PASSWORD, {}),
    applicationRedis: await startRedis(world, 'application', REDIS_PASSWORD, {}),
    memcached: await startMemcached(world, 'session'),
    metadata: await serveMetadata(),
  };
}

/** @throws Error with what the command says when it fails */
async function ended(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk;
    });
  }
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(said);
}

/** One site: its database, its shared files, and the nodes that were started for it. */
export class MoodleSite {
  readonly name: string;
  readonly dataroot: string;
  readonly environment: Environment;
  readonly #database: pg.Client;
  readonly #bench: MoodleBench;
  readonly #nodes: MoodleNode[] = [];

  constructor(name: string, dataroot: string, database: pg.Client, environment: Environment, bench: MoodleBench) {
    this.name = name;
    this.dataroot = dataroot;
    this.#database = database;
    this.environment = environment;
    this.#bench = bench;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever columns it asked for.
  async sql(statement: string, ...values: unknown[]): Promise<any[]> {
    return (await this.#database.query(statement, values)).rows;
  }

  async allowInstall(finish: 'unattended' | 'browser'): Promise<void> {
    await this.sql(
      `INSERT INTO moodle_lifecycle.install_marker (site, execution, finish, allowed_at) VALUES ($1, 'test', $2, now())`,
      this.name,
      finish,
    );
  }

  marker = async () => (await this.sql('SELECT * FROM moodle_lifecycle.install_marker'))[0];

  config = async (name: string): Promise<string | undefined> =>
    (await this.sql('SELECT value FROM mdl_config WHERE name = $1', name))[0]?.value;

  async tables(): Promise<number> {
    const [row] = await this.sql(
      `SELECT count(*)::int AS n FROM information_schema.tables WHERE table_schema = 'public' AND table_name LIKE 'mdl\\_%'`,
    );
    return row.n;
  }

  /** Wants the application cache in Redis, or in what else is given. */
  async wantCacheStore({
    plugin = 'redis',
    endpoint = this.environment.MOODLE_APPLICATION_STORE_ENDPOINT,
    secretArn = `${SECRET_ARN}application` as string | null,
  } = {}): Promise<void> {
    await this.sql(
      `INSERT INTO moodle_lifecycle.cache_store (site, name, plugin, endpoint, tls, prefix, secret_arn)
       VALUES ($1, 'application', $5, $2, $6, $3, $4)`,
      this.name,
      endpoint,
      `${this.name}:application:`,
      secretArn,
      plugin,
      plugin === 'redis',
    );
    await this.sql(
      `INSERT INTO moodle_lifecycle.cache_mode_mapping (site, mode, store) VALUES ($1, 'application', 'application')`,
      this.name,
    );
  }

  async openMigration(source: string, target: string): Promise<void> {
    await this.sql(
      `INSERT INTO moodle_lifecycle.session_migration (site, source, target, opened_at) VALUES ($1, $2, $3, now())
       ON CONFLICT (site) DO UPDATE SET source = $2, target = $3, opened_at = now(), closed_at = NULL`,
      this.name,
      source,
      target,
    );
  }

  /** Sessions whose data is in the database. */
  async sessionsInDatabase(): Promise<number> {
    return (await this.sql('SELECT count(*)::int AS n FROM mdl_sessions WHERE sessdata IS NOT NULL'))[0].n;
  }

  /**
   * Starts a container of this site.
   *
   * @param code of its image; default: of Moodle alone
   */
  async start(role: string[], changes: Environment = {}, code?: string): Promise<MoodleNode> {
    const id = randomBytes(6).toString('hex');
    const { port } = await reservePort();
    const entrypoint = { command: join(this.environment.MOODLE_NODE_SCRIPTS ?? '', 'entrypoint'), args: role };
    const node = new MoodleNode(id, port, this.#bench.inImage(entrypoint, code), {
      ...this.environment,
      MOODLE_LOCAL: join(this.#bench.directory, `local-${id}`),
      MOODLE_LISTEN: `127.0.0.1:${port}`,
      ECS_CONTAINER_METADATA_URI_V4: this.#bench.metadataUri(id),
      ...changes,
    });
    this.#nodes.push(node);
    return node;
  }

  /** Starts a web container and waits until it serves. */
  async serve(changes: Environment = {}, code?: string): Promise<MoodleNode> {
    const node = await this.start(['web'], changes, code);
    await node.serving();
    return node;
  }

  /** Runs a container to its end: exit code, log, and what it acknowledged under its role. */
  async run(role: string[], changes: Environment = {}, code?: string) {
    const node = await this.start(role, changes, code);
    const exitCode = await node.exited;
    return { exitCode, log: node.log, value: await this.acknowledgement(node.id, role[0] ?? '') };
  }

  /**
   * Runs PHP in a node that serves, as somebody does whose shell is in it.
   *
   * @param words of the command after `php`; files are Moodle's, by their path below its root
   * @returns what it says
   * @throws Error with what it says when it fails
   */
  async php(node: MoodleNode, words: readonly string[], code?: string, changes: Environment = {}): Promise<string> {
    const { MOODLE_DIRROOT = '', MOODLE_NODE_SCRIPTS = '' } = this.environment;
    const args = words.map((word) => (word.startsWith('admin/') ? join(MOODLE_DIRROOT, word) : word));
    const php = { command: 'php', args: ['-c', join(MOODLE_NODE_SCRIPTS, 'php.ini'), ...args] };
    const local = { MOODLE_LOCAL: join(this.#bench.directory, `local-${node.id}`), ...changes };
    const shell = new MoodleNode('shell', 0, this.#bench.inImage(php, code), { ...this.environment, ...local });
    if ((await shell.exited) !== 0) throw new Error(shell.log);
    return shell.log;
  }

  /** Runs Moodle's own upgrade and nothing else, on a node that is prepared for it. @returns seconds */
  async bareUpgrade(code: string): Promise<number> {
    const MOODLE_LOCAL = join(this.#bench.directory, `local-bare-${randomBytes(4).toString('hex')}`);
    await this.run(['plan-upgrade'], { MOODLE_LOCAL }, code);
    const { MOODLE_DIRROOT = '', MOODLE_NODE_SCRIPTS = '' } = this.environment;
    const words = ['-c', join(MOODLE_NODE_SCRIPTS, 'php.ini'), join(MOODLE_DIRROOT, 'admin/cli/upgrade.php')];
    const php = { command: 'php', args: [...words, '--non-interactive', '--allow-unstable'] };
    const began = Date.now();
    const upgrade = new MoodleNode('bare', 0, this.#bench.inImage(php, code), { ...this.environment, MOODLE_LOCAL });
    if ((await upgrade.exited) !== 0 || !upgrade.log.includes('Success')) throw new Error(upgrade.log);
    return Math.round((Date.now() - began) / 100) / 10;
  }

  async acknowledgement(node: string, subject: string) {
    const [row] = await this.sql(
      'SELECT value FROM moodle_lifecycle.node_acknowledgement WHERE site = $1 AND node = $2 AND subject = $3',
      this.name,
      node,
      subject,
    );
    return row?.value;
  }

  /** Ends the site's nodes and our own connection, so that its database can be copied. */
  async rest(): Promise<void> {
    for (const node of this.#nodes) await node.kill();
    await this.#database.end().catch(() => undefined);
  }

  close = () => this.rest();
}

/** One container, as a process group. */
export class MoodleNode {
  readonly id: string;
  readonly port: number;
  readonly exited: Promise<number | null>;
  log = '';
  readonly #process: ChildProcess;

  constructor(id: string, port: number, { command, args }: Command, env: Environment) {
    this.id = id;
    this.port = port;
    this.#process = spawn(command, args, {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const listen = (chunk: Buffer) => {
      this.log += chunk;
    };
    this.#process.stdout?.on('data', listen);
    this.#process.stderr?.on('data', listen);
    this.exited = new Promise((resolve) => this.#process.once('close', (code) => resolve(code)));
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async stop(): Promise<number | null> {
    this.#process.kill('SIGTERM');
    return await this.exited;
  }

  /** As a machine that loses power: nothing gets the chance to end in order. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    process.kill(-this.pid, 'SIGKILL');
    await this.exited;
  }

  /** @throws Error with the node's whole log when it ends before, or does not answer in ten minutes */
  async serving(): Promise<void> {
    for (const deadline = Date.now() + 600_000; Date.now() < deadline; await wait(200)) {
      const live = await this.get('/health/live').catch(() => undefined);
      if (live?.status === 200) return;
      if (this.#process.exitCode !== null) break;
    }
    throw new Error(`the node does not serve:\n${this.log}`);
  }

  get = (path: string, headers: Record<string, string> = {}): Promise<Answer> => send(this.port, 'GET', path, headers);
}

/** A browser behind the load balancer: keeps its cookies, whichever node it is sent to. */
export class Browser {
  readonly #headers: Record<string, string>;
  readonly #cookies = new Map<string, string>();

  /**
   * @param address what arrives in X-Forwarded-For
   * @param headers what else the browser sends
   */
  constructor(address = '203.0.113.7', headers: Record<string, string> = {}) {
    this.#headers = { ...headers, 'X-Forwarded-For': address };
  }

  async visit(node: MoodleNode, path: string, form?: Record<string, string>): Promise<Answer> {
    const headers = { ...this.#headers };
    if (this.#cookies.size > 0)
      headers.Cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await send(node.port, form ? 'POST' : 'GET', path, headers, form);
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name && value && value !== 'deleted') this.#cookies.set(name, value);
    }
    return answer;
  }

  /** Visits and follows redirects to at most ten pages. */
  async follow(node: MoodleNode, path: string, form?: Record<string, string>): Promise<Answer & { path: string }> {
    let answer = await this.visit(node, path, form);
    let at = path;
    for (let hops = 0; answer.status === 303 && hops < 10; hops += 1) {
      const { pathname, search } = new URL(answer.headers.location ?? '/', `http://${HOST}${at}`);
      at = pathname + search;
      answer = await this.visit(node, at);
    }
    return { ...answer, path: at };
  }

  async logIn(node: MoodleNode): Promise<void> {
    const { body } = await this.follow(node, '/login/index.php');
    const logintoken = /name="logintoken" value="([^"]*)"/.exec(body)?.[1] ?? '';
    await this.follow(node, '/login/index.php', { ...ADMIN, logintoken });
  }

  async isLoggedIn(node: MoodleNode): Promise<boolean> {
    const { status, body } = await this.visit(node, '/my/');
    return status === 200 && body.includes('login/logout.php');
  }

  /** The fields of the page's form that holds this name, as the browser would send them. */
  static fields(html: string, within: string): Record<string, string> {
    const form = [...html.matchAll(/<form[^>]*>.*?<\/form>/gs)]
      .map(([text]) => text)
      .find((text) => text.includes(within));
    const found: Record<string, string> = {};
    for (const [tag] of form?.matchAll(/<input[^>]*>/g) ?? []) {
      const attribute = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
      const unticked = ['checkbox', 'radio'].includes(attribute('type') ?? '') && !/ checked/.test(tag);
      const button = ['submit', 'button', 'image'].includes(attribute('type') ?? '');
      const name = attribute('name');
      if (name !== undefined && !unticked && !button) found[name] = decoded(attribute('value') ?? '');
    }
    for (const [, name = '', options = ''] of form?.matchAll(/<select[^>]* name="([^"]*)"[^>]*>(.*?)<\/select>/gs) ??
      []) {
      found[name] = decoded(
        (/ value="([^"]*)"[^>]* selected/.exec(options) ?? / value="([^"]*)"/.exec(options))?.[1] ?? '',
      );
    }
    for (const [, name = '', text = ''] of form?.matchAll(/<textarea[^>]* name="([^"]*)"[^>]*>(.*?)<\/textarea>/gs) ??
      []) {
      found[name] = decoded(text);
    }
    return found;
  }
}

function decoded(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

async function serveMetadata(): Promise<{ uri: string; close(): void }> {
  const server = createServer((message, response) => {
    const id = message.url?.split('/')[1];
    response.end(JSON.stringify({ TaskARN: `arn:aws:ecs:eu-central-1:111122223333:task/cluster/${id}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { uri: `http://127.0.0.1:${port}`, close: () => server.close() };
}
