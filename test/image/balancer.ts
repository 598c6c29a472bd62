import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HOST } from '../support/node-request.ts';

/** Leads each request to the next node, as a load balancer without stickiness does, in the name under which nodes know the site. */
export class Balancer {
  /** Ports of nodes on this computer. */
  ports: readonly number[] = [];
  readonly #server: Server;
  #next = 0;

  constructor() {
    this.#server = createServer((message, response) => {
      const { method, url, headers } = message;
      const port = this.ports[this.#next++ % this.ports.length];
      const onward = request(
        { host: '127.0.0.1', port, method, path: url, agent: false, headers: { ...headers, ...forwarded } },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onward.once('error', (error) => response.destroy(error));
      message.pipe(onward);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const forwarded = { host: HOST, 'x-forwarded-for': '203.0.113.9', connection: 'close' };
