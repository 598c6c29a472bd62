import { createServer, type Server } from 'node:http';
import { LOOPBACK } from '../ports.ts';
import type { ForwardSettings } from './forward.ts';
import { type Action, act, actionFor, type Rule } from './rules.ts';

/** One listener of a load balancer: an HTTP server with rules. */
export class Listener {
  readonly arn: string;
  readonly rules: Rule[] = [];
  readonly #server: Server;

  constructor(arn: string, defaultAction: Action, settings: ForwardSettings) {
    this.arn = arn;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (client, answer) => {
      act(actionFor(client, this.rules, defaultAction), client, answer, settings);
    });
    // A request may take as long as its node needs; only silence ends it (forward.ts).
    this.#server.requestTimeout = 0;
  }

  /** @throws Error when the port is taken */
  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, LOOPBACK, resolve);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
