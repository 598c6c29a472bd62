import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clientAddress } from '../client-address.ts';
import { STAND_IN, say, wordsOf } from '../say.ts';
import { maintenancePage } from '../update/maintenance.ts';
import { html, type PageAnswer, readPageRequest } from './exchange.ts';
import { readiness } from './health.ts';
import { page } from './pages.ts';
import { answer, type SiteParts } from './site.ts';

export interface WebServer {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, lets the requests in flight finish, then resolves. */
  drain(): Promise<void>;
}

/** @param listen `host` undefined means every address; port 0 one that the system gives */
export async function startWebServer(
  parts: SiteParts,
  listen: { host: string | undefined; port: number },
): Promise<WebServer> {
  // As much as the load balancer lets through.
  const server = createServer(
    { maxHeaderSize: 64 * 1024 },
    (message, response) => void serve(parts, server, message, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port, drain: () => drain(server) };
}

async function serve(
  parts: SiteParts,
  server: Server,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answered = await answerAnything(parts, message);
  response.writeHead(answered.status, {
    'X-Moodle-Node': parts.node,
    'X-Stand-In': STAND_IN,
    'Cache-Control': 'no-store',
    ...answered.headers,
    ...(server.listening ? {} : { Connection: 'close' }),
  });
  response.end(message.method === 'HEAD' ? '' : answered.body);
}

async function answerAnything(parts: SiteParts, message: IncomingMessage): Promise<PageAnswer> {
  const path = message.url?.split('?')[0];
  if (path === '/health/live') return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: 'ok' };
  try {
    if (path === '/health/ready') return await readiness(parts);
    const forwardedFor = message.headers['x-forwarded-for'];
    const address = clientAddress(
      Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor,
      message.socket.remoteAddress ?? '',
      parts.settings.reverseProxyIgnore,
    );
    const maintenance = await maintenancePage(parts.settings.dataroot);
    const answered =
      maintenance === undefined
        ? await answer(parts, await readPageRequest(message, address))
        : html(maintenance, 503, { 'Retry-After': '300' });
    say(`${message.method} ${path} ${answered.status} for ${address}`);
    return answered;
  } catch (error) {
    say(`${message.method} ${path} 500: ${wordsOf(error)}`);
    return html(page('Error', 'page-error', '<p>An error occurred; the log of the node tells more.</p>'), 500);
  }
}

function drain(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
