import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of a POST. */
  readonly form: URLSearchParams;
}

type Answer = object | string | number | ((response: ServerResponse) => void);

/** A web server in the place of Moodle's plugin directory and of the places of archives: answers what a test says. */
export class DirectoryServer {
  readonly asked: Asked[] = [];
  /** By path: JSON, text, a bare status, or what writes the answer itself. Anything else is not found. */
  readonly answers = new Map<string, Answer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<DirectoryServer> {
    const directory = new DirectoryServer();
    await new Promise<void>((resolve) => directory.#server.listen(0, '127.0.0.1', resolve));
    return directory;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://directory');
    let body = '';
    for await (const part of request) body += part;
    this.asked.push({ path: pathname, query: searchParams, form: new URLSearchParams(body) });
    const answer = this.answers.get(pathname) ?? 404;
    if (typeof answer === 'function') return answer(response);
    if (typeof answer === 'number') response.statusCode = answer;
    response.end(typeof answer === 'object' ? JSON.stringify(answer) : String(answer));
  }
}
