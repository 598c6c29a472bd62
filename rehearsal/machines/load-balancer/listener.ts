import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { LOOPBACK } from '../ports.ts';
import type { ForwardSettings } from './forward.ts';
import { type Action, act, actionFor, type Rule } from './rules.ts';

/** Of a whole request's header, as the quotas of an Application Load Balancer say; it allows 16 KB a line. */
const REQUEST_HEADER_BYTES = 64 * 1024;

/** One listener of a load balancer: an HTTP or HTTPS server with rules. */
export class Listener {
  readonly arn: string;
  readonly rules: Rule[] = [];
  readonly #server: Server;

  /** @param tls absent: the listener speaks HTTP */
  constructor(arn: string, defaultAction: Action, settings: ForwardSettings, tls?: TlsOptions) {
    this.arn = arn;
    const answers: RequestListener = (client, answer) => {
      act(actionFor(client, this.rules, defaultAction), client, answer, settings);
    };
    const options = { keepAliveTimeout: 60_000, maxHeaderSize: REQUEST_HEADER_BYTES };
    this.#server = tls ? createTlsServer({ ...options, ...tls }, answers) : createServer(options, answers);
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
