import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlainError } from '../api/trouble.ts';
import { NotAHistory, parseHistory } from '../model/history-file.ts';
import { readProgress } from '../progress.ts';
import { type Asset, pageAssets } from './assets.ts';
import type { Operations } from './operations.ts';
import { stream } from './stream.ts';

export interface WebConsole {
  /** With the token behind the #: whoever has it may act. */
  readonly url: string;
  close(): Promise<void>;
}

export interface WebConsoleOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Milliseconds between two looks at what is shown. */
  readonly lookEvery?: number;
}

/** Nothing but the page's own files and answers, from nowhere else, in nobody's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Largest saved history that is opened: 25,000 events, each with an output of some kilobytes. */
const largestBody = 128 * 1024 * 1024;

/**
 * Serves the page on this computer alone. Looking and acting both need the page's token, and a Host header that names
 * the loopback address, and no foreign Origin: neither another site's script nor a name that was made to point here gets
 * through.
 *
 * @throws Error when the port is taken
 */
export async function serveConsole(operations: Operations, options: WebConsoleOptions): Promise<WebConsole> {
  const assets = await pageAssets();
  const token = randomBytes(24).toString('base64url');
  const server = createServer((request, response) => {
    answer(
      { operations, assets, token, port: portOf(server), lookEvery: options.lookEvery ?? 500 },
      request,
      response,
    ).catch((error: unknown) => refuse(response, statusOf(error), wordsOf(operations, error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server)}/#token=${token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Serving {
  readonly operations: Operations;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly token: string;
  readonly port: number;
  readonly lookEvery: number;
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('content-security-policy', policy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
  const { host = '', origin } = request.headers;
  if (![`127.0.0.1:${serving.port}`, `localhost:${serving.port}`].includes(host)) {
    return refuse(response, 421, 'This console answers at 127.0.0.1 and localhost alone.');
  }
  // Browsers name it with every POST, and with what another site's page asks for.
  if (origin !== undefined && origin !== `http://${host}`) {
    return refuse(response, 403, 'This console answers its own page alone, no other site’s.');
  }
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const asset = serving.assets.get(url.pathname);
  if (asset && request.method === 'GET') {
    response.writeHead(200, { 'content-type': asset.type }).end(asset.body);
    return;
  }
  if (!url.pathname.startsWith('/api/')) return refuse(response, 404, 'There is no such page.');
  if (!hasToken(request, serving.token)) {
    return refuse(
      response,
      401,
      'This page is not the one that was opened from the terminal. Open the address that “npx lifecycle console” printed.',
    );
  }
  const name = url.pathname.slice('/api/'.length);
  return request.method === 'GET' ? look(serving, name, url, response) : act(serving, name, request, response);
}

function hasToken({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function look(
  { operations, lookEvery }: Serving,
  name: string,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const execution = url.searchParams.get('execution') ?? '';
  const overview = async () => ({ where: operations.where, sites: await operations.list() });
  switch (name) {
    case 'overview':
      return stream(response, overview, operations.wordsOf, lookEvery * 2);
    case 'progress':
      return stream(response, operations.follow(execution), operations.wordsOf, lookEvery);
    case 'history':
      response.writeHead(200, { 'content-type': 'application/json' }).end(await operations.save(execution));
      return;
    default:
      return refuse(response, 404, 'There is nothing of this name to look at.');
  }
}

async function act(serving: Serving, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  if (name === 'open') {
    const { definition, execution, events } = parseHistory(body);
    return send(response, readProgress(definition, execution, events));
  }
  const given = JSON.parse(body) as Readonly<Record<string, string>>;
  const { execution = '', stateMachineArn = '', input = '{}', reason = '' } = given;
  const { operations } = serving;
  switch (name) {
    case 'start':
      return send(response, { execution: await operations.start(stateMachineArn, input) });
    case 'stop':
      return send(response, (await operations.stop(execution, reason)) ?? {});
    case 'retry':
      return send(response, { execution: await operations.retry(execution) });
    case 'approve':
    case 'refuse':
      return send(response, (await operations.decide(execution, name, reason)) ?? {});
    default:
      return refuse(response, 404, 'There is no action of this name.');
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > largestBody) throw new PlainError('This is larger than any history of Step Functions.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function send(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}

function statusOf(error: unknown): number {
  return error instanceof NotAHistory || error instanceof PlainError || error instanceof SyntaxError ? 400 : 502;
}

function wordsOf(operations: Operations, error: unknown): string {
  return error instanceof NotAHistory ? `This file is no saved history. ${error.message}` : operations.wordsOf(error);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
