import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { stickinessCookies, wantedTarget } from './stickiness.ts';
import type { TargetGroup } from './target-group.ts';

/** Of a whole answer's header, as the quotas of an Application Load Balancer say. */
const RESPONSE_HEADER_BYTES = 32 * 1024;

/** Headers that belong to one connection and are not passed on (RFC 9110, section 7.6.1). */
const CONNECTION_HEADERS = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'];

/** The load balancer's attributes that a request meets. */
export interface ForwardSettings {
  readonly idleTimeoutSeconds: number;
  /** Leaves out headers whose names have other characters than letters, digits and hyphens. */
  readonly dropInvalidHeaders: boolean;
  /** `preserve`: X-Forwarded-For is passed on as it came, or not at all. */
  readonly forwardedFor: 'append' | 'preserve';
  /** What the listener adds to each answer of a node. */
  readonly answerHeaders: Readonly<Record<string, string>>;
}

/**
 * Passes a request on to a target of the group as an Application Load Balancer does: Host kept, `X-Forwarded-*` added,
 * bodies streamed both ways. 503 without a target, 502 when the target refuses or breaks off, 504 when it is silent for
 * the idle time-out.
 *
 * Each request has its own connection to the target, so that a target that closes an idle one cannot fail a request.
 */
export function forward(
  group: TargetGroup,
  client: IncomingMessage,
  answer: ServerResponse,
  settings: ForwardSettings,
): void {
  const target = group.choose(wantedTarget(group, client.headers.cookie));
  if (!target) {
    answerItself(answer, 503, 'Service Temporarily Unavailable');
    return;
  }
  const asked = request({
    maxHeaderSize: RESPONSE_HEADER_BYTES,
    host: target.host,
    port: target.port,
    method: client.method,
    path: client.url,
    headers: forwardedHeaders(client, settings),
    agent: false,
    timeout: settings.idleTimeoutSeconds * 1_000,
  });
  asked.once('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.statusMessage, [
      ...passedOn(response.rawHeaders, (name) => !Object.hasOwn(settings.answerHeaders, name)),
      ...Object.entries(settings.answerHeaders).flat(),
      ...stickinessCookies(group, target.key).flatMap((cookie) => ['Set-Cookie', cookie]),
    ]);
    response.pipe(answer);
    response.once('error', () => answer.destroy());
  });
  asked.once('timeout', () => {
    if (!answer.headersSent) answerItself(answer, 504, 'Gateway Time-out');
    asked.destroy();
  });
  asked.once('error', () => {
    if (answer.headersSent) answer.destroy();
    else answerItself(answer, 502, 'Bad Gateway');
  });
  answer.once('close', () => {
    target.finished();
    asked.destroy();
  });
  client.pipe(asked);
}

/** An answer of the load balancer's own, marked as AWS marks it. */
export function answerItself(answer: ServerResponse, code: number, title: string): void {
  if (answer.headersSent) return;
  const body = `<html>\r\n<head><title>${code} ${title}</title></head>\r\n<body>\r\n<center><h1>${code} ${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  answer.writeHead(code, { Server: 'awselb/2.0', 'Content-Type': 'text/html', 'Content-Length': body.length });
  answer.end(body);
}

function forwardedHeaders(client: IncomingMessage, { dropInvalidHeaders, forwardedFor }: ForwardSettings): string[] {
  const own: [string, string][] = [
    ...(forwardedFor === 'append' ? [['X-Forwarded-For', addressesOf(client)] as [string, string]] : []),
    ['X-Forwarded-Proto', 'encrypted' in client.socket ? 'https' : 'http'],
    ['X-Forwarded-Port', String(client.socket.localPort)],
  ];
  const replaced = own.map(([name]) => name.toLowerCase());
  return [
    ...passedOn(
      client.rawHeaders,
      (name) => !replaced.includes(name) && !(dropInvalidHeaders && !/^[a-z0-9-]+$/.test(name)),
    ),
    ...own.flat(),
    'Connection',
    'close',
  ];
}

/** The addresses that a request came by so far, the last one its sender's. */
export function addressesOf(client: IncomingMessage): string {
  const given = client.headers['x-forwarded-for'];
  const address = (client.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return given === undefined ? address : `${String(given)}, ${address}`;
}

/** @param wanted asked with each header's name in lower case */
export function passedOn(rawHeaders: readonly string[], wanted: (name: string) => boolean = () => true): string[] {
  const kept: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const lower = name.toLowerCase();
    if (!CONNECTION_HEADERS.includes(lower) && wanted(lower)) kept.push(name, rawHeaders[index + 1] ?? '');
  }
  return kept;
}
