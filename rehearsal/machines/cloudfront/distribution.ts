import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type Server, request as tlsRequest } from 'node:https';
import type { TlsOptions } from 'node:tls';
import { addressesOf, passedOn } from '../load-balancer/forward.ts';
import { LOOPBACK } from '../ports.ts';

/** Where a distribution passes its requests on to. */
export interface Origin {
  readonly scheme: 'http' | 'https';
  /** Port of this computer; undefined while nobody listens there. */
  localPort(): number | undefined;
  /** Headers that CloudFront sets, whatever the visitor sent. By name. */
  readonly customHeaders: Readonly<Record<string, string>>;
  readonly readTimeoutSeconds: number;
}

/** Of a request, and of what an origin answers, each with its first line (CloudFront's quotas). */
const HEADER_BYTES = 20_480;

/**
 * A distribution's servers, all in one place and without a cache: every request is passed on, with the visitor's address
 * behind those that it came with, and the name that the visitor asked for, which the origin's certificate has to be for.
 */
export class Distribution {
  readonly #server: Server;

  /** @param authority PEM of the certificate authority that origins are trusted by */
  constructor(origin: Origin, tls: TlsOptions, authority: string) {
    this.#server = createServer(
      { keepAliveTimeout: 60_000, maxHeaderSize: HEADER_BYTES, ...tls },
      (visitor, answer) => {
        passOn(origin, authority, visitor, answer);
      },
    );
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

function passOn(origin: Origin, authority: string, visitor: IncomingMessage, answer: ServerResponse): void {
  const port = origin.localPort();
  if (port === undefined) {
    fail(answer, 502, 'nobody listens at the origin');
    return;
  }
  const set = Object.keys(origin.customHeaders).map((name) => name.toLowerCase());
  const send = origin.scheme === 'https' ? tlsRequest : request;
  const asked = send({
    host: LOOPBACK,
    port,
    method: visitor.method,
    path: visitor.url,
    servername: (visitor.headers.host ?? '').replace(/:\d+$/, ''),
    ca: authority,
    headers: [
      ...passedOn(visitor.rawHeaders, (name) => name !== 'x-forwarded-for' && !set.includes(name)),
      'X-Forwarded-For',
      addressesOf(visitor),
      ...Object.entries(origin.customHeaders).flat(),
    ],
    agent: false,
    maxHeaderSize: HEADER_BYTES,
    timeout: origin.readTimeoutSeconds * 1_000,
  });
  asked.once('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.statusMessage, [
      ...passedOn(response.rawHeaders),
      'X-Cache',
      'Miss from cloudfront',
    ]);
    response.pipe(answer);
    response.once('error', () => answer.destroy());
  });
  asked.once('timeout', () => {
    fail(answer, 504, 'the origin did not answer in time');
    asked.destroy();
  });
  asked.once('error', (error) => fail(answer, 502, error.message));
  answer.once('close', () => asked.destroy());
  visitor.pipe(asked);
}

function fail(answer: ServerResponse, code: number, why: string): void {
  if (answer.headersSent) {
    answer.destroy();
    return;
  }
  answer.writeHead(code, { Server: 'CloudFront', 'X-Cache': 'Error from cloudfront', 'Content-Type': 'text/plain' });
  answer.end(`${code}: ${why}\n`);
}
