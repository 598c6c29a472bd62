import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Session {
  token: string;
  user?: string;
}

/**
 * What a visitor sees of Moodle behind a load balancer: the login form, pages of users, sessions that the nodes share or do
 * not.
 * The pages have the marks of the real ones; whole rollouts visit a real Moodle.
 */
export class MoodleDoor {
  readonly requests: { node: string; cookie: string; path: string }[] = [];
  password = 'operator-secret';
  /** What the load balancer answers by itself, instead of a node. */
  status: number | undefined;
  /** What pages of users answer to whoever is signed in, where it is not 200. */
  readonly broken = new Map<string, number>();
  /** Nodes that do not share the sessions of the others. */
  readonly alone = new Set<string>();
  /** Where the login page leads, on a site behind single sign-on. */
  loginElsewhere: string | undefined;
  /** What stands on the login page in the place of Moodle's form with its token. */
  loginForm: string | undefined;
  /** The page that Moodle answers with in maintenance, and by whom: the switch of the administration leaves sessions alone. */
  maintenance: { by: 'administrator' | 'command line' | 'a rollout' } | undefined;
  /** Nodes that the load balancer never leads to. */
  readonly apart = new Set<string>();
  readonly #nodes: () => readonly string[];
  readonly #shared = new Map<string, Session>();
  readonly #server: Server;
  #next = 0;

  /** @param nodes that the load balancer knows now */
  constructor(nodes: () => readonly string[]) {
    this.#nodes = nodes;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    this.#server.unref();
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A session that a task of the image has opened. */
  openSession(): { cookie: string; sid: string } {
    const sid = randomBytes(16).toString('hex');
    this.#shared.set(sid, { token: '', user: 'moodle-lifecycle' });
    return { cookie: 'MoodleSession', sid };
  }

  /** Whether somebody is signed in who is no person. */
  get hasRolloutSession(): boolean {
    return [...this.#shared.values()].some(({ user }) => user === 'moodle-lifecycle');
  }

  /** As `admin/cli/kill_all_sessions.php`. */
  endSessions(): void {
    this.#shared.clear();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.status) {
      response.writeHead(this.status).end();
      return;
    }
    const cookie = request.headers.cookie ?? '';
    // A load balancer with stickiness obeys its own cookie.
    const sticky = /AWSALB=(\w+)/.exec(cookie)?.[1];
    const nodes = this.#nodes().filter((one) => !this.apart.has(one));
    const node = sticky ?? nodes[this.#next++ % nodes.length] ?? '';
    const path = request.url ?? '';
    this.requests.push({ node, cookie, path });
    response.setHeader('x-moodle-node', node);
    const { maintenance } = this;
    if (maintenance && (maintenance.by !== 'administrator' || path !== '/health/session')) {
      const mark = maintenance.by === 'a rollout' ? '<!-- moodle-lifecycle -->' : '';
      response.writeHead(503, { 'retry-after': '300' }).end(`<p>Maintenance</p>${mark}`);
      return;
    }
    const id = /MoodleSession=(\w+)/.exec(cookie)?.[1];
    const known = id && !this.alone.has(node) ? this.#shared.get(id) : undefined;
    if (path === '/health/session') {
      const isRollout = known?.user === 'moodle-lifecycle';
      if (isRollout && request.method === 'POST') this.#shared.delete(id ?? '');
      response.writeHead(isRollout ? 200 : 404).end();
      return;
    }
    if (path === '/login/index.php' && this.loginElsewhere) {
      response.writeHead(303, { location: this.loginElsewhere }).end();
      return;
    }
    const session = known ?? { token: randomBytes(8).toString('hex') };
    const cookies = [`AWSALB=${node}; Path=/`];
    if (!known) {
      const made = randomBytes(8).toString('hex');
      this.#shared.set(made, session);
      cookies.push(`MoodleSession=${made}; path=/; HttpOnly`);
    }
    if (request.method === 'POST') {
      const form = new URLSearchParams(await body(request));
      const token = this.loginForm === undefined ? session.token : '';
      const right = form.get('password') === this.password && form.get('logintoken') === token;
      if (right) {
        const made = randomBytes(8).toString('hex');
        this.#shared.set(made, { token: session.token, user: form.get('username') ?? '' });
        cookies.push(`MoodleSession=${made}; path=/; HttpOnly`);
      }
      response.writeHead(303, { 'set-cookie': cookies, location: '/my/' }).end();
      return;
    }
    response.setHeader('set-cookie', cookies);
    const ofUsers = ['/my/', '/user/preferences.php'].includes(path);
    if (ofUsers && session.user === undefined) response.writeHead(303, { location: '/login/index.php' }).end();
    else if (ofUsers && this.broken.has(path)) response.writeHead(this.broken.get(path) ?? 500).end();
    else if (ofUsers) response.end('<a href="http://x/login/logout.php?sesskey=abc">Log out</a>');
    else if (this.loginForm !== undefined) response.end(this.loginForm);
    else response.end(`<form><input type="hidden" name="logintoken" value="${session.token}"></form>`);
  }
}

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
