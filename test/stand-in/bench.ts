import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresql } from '../../lambdas/shared/dialect.ts';
import { lifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import { compileCache } from '../../rehearsal/compile-cache.ts';
import { startMemcached } from '../../rehearsal/machines/memcached.ts';
import { startPostgres } from '../../rehearsal/machines/postgres.ts';
import { type CacheServer, startRedis } from '../../rehearsal/machines/redis.ts';
import { openRedis } from '../../rehearsal/stand-in/stores/redis.ts';
import { standInBundle } from '../../rehearsal/stand-in-bundle.ts';
import { makeWorld } from '../machines/make-world.ts';
import { type Answer, HOST, send } from '../support/node-request.ts';

export const REDIS_PASSWORD = 'redis-secret-0123456789';
export const ADMIN_PASSWORD = 'administrator-secret';

type Environment = Record<string, string>;

/** The real servers that the stand-in works over, with one database per site. */
export class Bench {
  readonly redis: CacheServer;
  readonly memcached: CacheServer;
  readonly certificateAuthorityFile: string;
  readonly directory: string;
  readonly #close: () => Promise<void>;
  readonly #connection: { host: string; port: number; user: string; password: string };
  readonly #metadata: string;
  readonly #sites: Site[] = [];

  private constructor(
    world: Awaited<ReturnType<typeof makeWorld>>,
    servers: { redis: CacheServer; memcached: CacheServer },
    connection: { host: string; port: number; user: string; password: string },
    metadata: { uri: string; close(): void },
  ) {
    this.redis = servers.redis;
    this.memcached = servers.memcached;
    this.certificateAuthorityFile = world.certificateAuthorityFile;
    this.directory = world.directory;
    this.#connection = connection;
    this.#metadata = metadata.uri;
    this.#close = async () => {
      metadata.close();
      await world.close();
    };
  }

  static async open(): Promise<Bench> {
    const world = await makeWorld();
    const postgres = await startPostgres(world, 'stand-in');
    const owner = { user: 'moodle', password: 'database-secret' };
    await postgres.ensureOwner(owner.user, owner.password, 'maintenance');
    const redis = await startRedis(world, 'stand-in', REDIS_PASSWORD, {});
    const memcached = await startMemcached(world, 'stand-in');
    const connection = { host: postgres.host, port: postgres.port, ...owner };
    return new Bench(world, { redis, memcached }, connection, await serveMetadata());
  }

  /** A site with the lifecycle's schema; with `like`, a copy of that site's database. */
  async site(like?: Site): Promise<Site> {
    const name = `site_${randomBytes(4).toString('hex')}`;
    const maintenance = await this.#connect('maintenance');
    if (like) await like.sqlClient.end();
    await maintenance.query(`CREATE DATABASE ${name} TEMPLATE ${like?.name ?? 'template1'} STRATEGY FILE_COPY`);
    await maintenance.end();
    const site = new Site(this, name, await this.#connect(name), this.#environment(name));
    this.#sites.push(site);
    if (like) await site.sql('UPDATE moodle_lifecycle.install_marker SET site = $1', name);
    else for (const statement of lifecycleSchema(postgresql)) await site.sql(statement);
    return site;
  }

  /** An installed site to copy, without the tables that only make up Moodle's number: each copy would copy them. */
  async installedSite(): Promise<Site> {
    const site = await this.site();
    await site.allowInstall('unattended');
    await (await site.serve()).kill();
    const spare = await site.sql(
      `SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%stand_in_%'`,
    );
    // Few at a time: each takes a lock, and the server has room for some thousand.
    for (let from = 0; from < spare.length; from += 100) {
      const names = spare.slice(from, from + 100).map(({ table_name }) => table_name);
      await site.sql(`DROP TABLE ${names.join(', ')}`);
    }
    return site;
  }

  redisClient() {
    return openRedis({
      ...this.redis,
      tls: true,
      password: REDIS_PASSWORD,
      certificateAuthority: readFileSync(this.certificateAuthorityFile, 'utf8'),
    });
  }

  async close(): Promise<void> {
    for (const site of this.#sites) await site.close();
    await this.#close();
  }

  metadataUri(node: string): string {
    return `${this.#metadata}/${node}`;
  }

  async #connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ ...this.#connection, database, ssl: { rejectUnauthorized: false } });
    await client.connect();
    return client;
  }

  #environment(name: string): Environment {
    const { host, port, user, password } = this.#connection;
    const dataroot = join(this.directory, name);
    mkdirSync(dataroot);
    const dirroot = join(this.directory, `${name}-code`);
    mkdirSync(join(dirroot, 'plugins'), { recursive: true });
    return {
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
      MOODLE_DIRROOT: dirroot,
      MOODLE_DATAROOT: dataroot,
      MOODLE_REVERSEPROXYIGNORE: '10.0.0.0/16',
      MOODLE_ADMIN_USER: 'operator',
      MOODLE_ADMIN_EMAIL: 'operator@example.org',
      MOODLE_ADMIN_PASSWORD: ADMIN_PASSWORD,
      MOODLE_UPGRADE_KEY: 'upgrade-secret',
      MOODLE_SITE_FULLNAME: 'Rehearsed <site>',
      MOODLE_SITE_SHORTNAME: 'rehearsed',
      MOODLE_LANG: 'en',
      MOODLE_SESSION_STORE: 'database',
      MOODLE_SESSION_STORE_TYPE: 'redis',
      MOODLE_SESSION_STORE_ENDPOINT: `${this.redis.host}:${this.redis.port}`,
      MOODLE_SESSION_STORE_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:session-AbCdEf',
      MOODLE_SESSION_STORE_PASSWORD: REDIS_PASSWORD,
      MOODLE_APPLICATION_STORE_TYPE: 'redis',
      MOODLE_APPLICATION_STORE_ENDPOINT: `${this.redis.host}:${this.redis.port}`,
      MOODLE_APPLICATION_STORE_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:application-AbCdEf',
      MOODLE_APPLICATION_STORE_PASSWORD: REDIS_PASSWORD,
      MOODLE_LISTEN: '127.0.0.1:0',
      ...compileCache,
      SSL_CERT_FILE: this.certificateAuthorityFile,
      STAND_IN_INSTALL_SECONDS: '1',
      STAND_IN_UPGRADE_SECONDS: '0.1',
      STAND_IN_CRON_SECONDS: '0.2',
    };
  }
}

/** One site: its database, its shared files, and the nodes that were started for it. */
export class Site {
  readonly name: string;
  readonly sqlClient: pg.Client;
  readonly environment: Environment;
  readonly #bench: Bench;
  readonly #nodes: Node[] = [];

  constructor(bench: Bench, name: string, sqlClient: pg.Client, environment: Environment) {
    this.#bench = bench;
    this.name = name;
    this.sqlClient = sqlClient;
    this.environment = environment;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever columns it asked for.
  async sql(statement: string, ...values: unknown[]): Promise<any[]> {
    return (await this.sqlClient.query(statement, values)).rows;
  }

  async allowInstall(finish: 'unattended' | 'browser'): Promise<void> {
    await this.sql(
      `INSERT INTO moodle_lifecycle.install_marker (site, execution, finish, allowed_at) VALUES ($1, 'test', $2, now())`,
      this.name,
      finish,
    );
  }

  marker = async () => (await this.sql('SELECT * FROM moodle_lifecycle.install_marker'))[0];

  config = async () =>
    Object.fromEntries((await this.sql('SELECT name, value FROM mdl_config')).map(({ name, value }) => [name, value]));

  /** Starts a container of this site. */
  start(args: string[], changes: Environment = {}): Node {
    const id = randomBytes(16).toString('hex');
    const local = join(this.#bench.directory, `local-${id}`);
    const node = new Node(id, args, {
      ...this.environment,
      MOODLE_LOCAL: local,
      ECS_CONTAINER_METADATA_URI_V4: this.#bench.metadataUri(id),
      PATH: process.env.PATH ?? '',
      ...changes,
    });
    this.#nodes.push(node);
    return node;
  }

  /** Starts a web container and waits until it serves. */
  async serve(changes: Environment = {}): Promise<Node> {
    const node = this.start(['web'], changes);
    await node.serving();
    return node;
  }

  /** Runs a one-off container; its exit code and its acknowledgement. */
  async run(args: string[], changes: Environment = {}) {
    const node = this.start(args, changes);
    const exitCode = await node.exited;
    return { exitCode, log: node.log, ...(await this.#acknowledged(node.id, args[0] ?? '')) };
  }

  /** What the node wrote of the subject. It is waited for: a node says things in its log before it writes them down. */
  async acknowledgement(node: string, subject: string) {
    for (const deadline = Date.now() + 10_000; ; ) {
      const value = await this.#acknowledged(node, subject);
      if (value) return value;
      if (Date.now() > deadline) throw new Error(`${node} acknowledged nothing of “${subject}”.`);
      await sleep(50);
    }
  }

  async #acknowledged(node: string, subject: string) {
    const [row] = await this.sql(
      'SELECT value FROM moodle_lifecycle.node_acknowledgement WHERE node = $1 AND subject = $2',
      node,
      subject,
    );
    return row?.value;
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) await node.kill();
    await this.sqlClient.end().catch(() => undefined);
  }
}

/** One container of the stand-in, as a process. */
export class Node {
  readonly id: string;
  readonly exited: Promise<number | null>;
  log = '';
  port = 0;
  readonly #process: ChildProcess;
  /** It ended, and all that it wrote is read. */
  #closed = false;

  constructor(id: string, args: string[], env: Environment) {
    this.id = id;
    this.#process = spawn(process.execPath, [standInBundle(), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const listen = (chunk: Buffer) => {
      this.log += chunk;
    };
    this.#process.stdout?.on('data', listen);
    this.#process.stderr?.on('data', listen);
    this.exited = new Promise((resolve) =>
      this.#process.once('close', (code) => {
        this.#closed = true;
        resolve(code);
      }),
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Waits for a line in the log. Throws with the whole log when the process ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const closed = this.#closed;
      const found = pattern.exec(this.log);
      if (found) return found;
      if (closed || Date.now() > deadline) {
        throw new Error(`the node did not say ${pattern}:\n${this.log}`);
      }
      await sleep(20);
    }
  }

  async serving(): Promise<void> {
    this.port = Number((await this.says(/listening on [\d.]+:(\d+)/))[1]);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return send(this.port, 'GET', path, headers);
  }
}

/** A browser behind the load balancer: keeps the cookie, whichever node it is sent to. */
export class Browser {
  cookie: string | undefined;
  readonly #address: string;

  constructor(address = '203.0.113.7') {
    this.#address = address;
  }

  async visit(node: Node, path: string, form?: Record<string, string>): Promise<Answer> {
    const headers = {
      'X-Forwarded-For': this.#address,
      ...(this.cookie ? { Cookie: `MoodleSession=${this.cookie}` } : {}),
    };
    const answer = await send(node.port, form ? 'POST' : 'GET', path, headers, form);
    const given = /^MoodleSession=(\w+)/.exec(answer.headers['set-cookie']?.[0] ?? '')?.[1];
    if (given) this.cookie = given;
    return answer;
  }

  /** Visits and follows redirects to at most ten pages. */
  async follow(node: Node, path: string, form?: Record<string, string>): Promise<Answer & { path: string }> {
    let answer = await this.visit(node, path, form);
    let at = path;
    for (let count = 0; answer.status === 303 && count < 10; count += 1) {
      at = answer.headers.location ?? '';
      answer = await this.visit(node, at);
    }
    return { ...answer, path: at };
  }

  async logIn(node: Node, username = 'operator', password = ADMIN_PASSWORD): Promise<Answer & { path: string }> {
    const { body } = await this.visit(node, '/login/index.php');
    const logintoken = fieldOf(body, 'logintoken');
    return this.follow(node, '/login/index.php', { username, password, logintoken });
  }

  async isLoggedIn(node: Node): Promise<boolean> {
    return (await this.visit(node, '/my/')).status === 200;
  }
}

/** Value of a hidden field of a form. */
export function fieldOf(html: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
}

async function serveMetadata(): Promise<{ uri: string; close(): void }> {
  const server = createServer((message, response) => {
    const id = message.url?.split('/')[1];
    response.end(JSON.stringify({ TaskARN: `arn:aws:ecs:eu-central-1:111122223333:task/cluster/${id}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}
