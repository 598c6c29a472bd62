import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { principalOf } from '../iam/credentials.ts';
import type { World } from '../world.ts';
import { type Answer, encodeAnswer, encodeError } from './answer.ts';
import { callOperation, findService } from './dispatch.ts';
import { decodeQuery } from './query.ts';
import { decodeRestJson } from './rest-json.ts';
import { AwsError, type Principal, type Service } from './service.ts';
import { readSignature } from './signature.ts';

/** Largest request body: Lambda's 6 MB payload and some room. */
const LARGEST_REQUEST = 8 * 1024 * 1024;

export interface Endpoint {
  /** For example `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Answers with this world's services from now on; until then every request is answered 503. */
  serve(world: World): void;
  close(): Promise<void>;
}

/** Opens the address that stands for all of AWS, on loopback, at a port that the operating system chooses. */
export async function openEndpoint(): Promise<Endpoint> {
  let served: World | undefined;
  const server = createServer((request, response) => {
    void handle(served, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (world) => {
      served = world;
    },
    close: () => closeServer(server),
  };
}

async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Call {
  readonly service: Service;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly principal: Principal;
}

async function handle(world: World | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  let service: Service | undefined;
  let call: Call | undefined;
  let answer: Answer;
  let failure: unknown;
  try {
    if (!world) throw new AwsError('ServiceUnavailable', 'The rehearsal is still starting.', 503);
    const body = await readBody(request);
    const signature = readSignature(request.headers);
    service = findService(world, signature.service);
    const principal = principalOf(world, signature.accessKeyId);
    call = { service, principal, ...decode(service, request, body) };
    const output = await callOperation(world, service, call.operation, call.input, { principal, requestId });
    answer = encodeAnswer(service, call.operation, output, requestId);
  } catch (error) {
    failure = error;
    answer = encodeError(service?.protocol ?? protocolOf(request), service?.xmlNamespace ?? '', error, requestId);
  }
  response.writeHead(answer.statusCode, {
    'content-length': Buffer.byteLength(answer.body),
    ...answer.headers,
    'x-amzn-requestid': requestId,
  });
  response.end(answer.body);
  if (world) log(world, requestId, call, request, answer.statusCode, failure);
}

function decode(
  service: Service,
  request: IncomingMessage,
  body: Buffer,
): { operation: string; input: Record<string, unknown> } {
  try {
    switch (service.protocol) {
      case 'rest-json':
        return decodeRestJson(service, {
          method: request.method ?? '',
          url: request.url ?? '/',
          headers: request.headers,
          body,
        });
      case 'rest-xml':
        if (!service.restXml) throw new Error(`${service.signingName} has no form of its requests.`);
        return service.restXml.decode({
          method: request.method ?? '',
          url: request.url ?? '/',
          headers: request.headers,
          body,
        });
      case 'query': {
        const { action, input } = decodeQuery(body.toString('utf8'));
        return { operation: action, input };
      }
      default: {
        const [prefix, operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
        if (prefix !== service.targetPrefix) {
          throw new AwsError('UnsupportedOperation', `Not a request of ${service.protocol}: X-Amz-Target “${prefix}”.`);
        }
        return { operation, input: body.length === 0 ? {} : JSON.parse(body.toString('utf8')) };
      }
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new AwsError('SerializationException', error.message);
    throw error;
  }
}

/** The protocol that a caller whose service is not known will understand an error in. */
function protocolOf(request: IncomingMessage): 'query' | 'json-1.1' | 'rest-xml' {
  const { 'content-type': contentType = '', 'x-amz-target': target } = request.headers;
  if (contentType.startsWith('application/x-www-form-urlencoded')) return 'query';
  return target !== undefined || contentType.includes('json') || request.method === 'POST' ? 'json-1.1' : 'rest-xml';
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_REQUEST) throw new AwsError('RequestEntityTooLarge', 'The request is larger than 8 MB.', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** One line per call, with neither input nor output nor a service's own error texts: they may hold secrets. */
function log(
  world: World,
  requestId: string,
  call: Call | undefined,
  request: IncomingMessage,
  statusCode: number,
  failure: unknown,
): void {
  const who = call?.principal.kind === 'role' ? call.principal.roleArn : (call?.principal.kind ?? '-');
  const what = call ? `${call.service.signingName}:${call.operation}` : `${request.method} ${request.url}`;
  const problem = failure === undefined ? '' : ` ${describe(failure)}`;
  const directory = join(world.directory, 'logs');
  mkdirSync(directory, { recursive: true });
  appendFileSync(
    join(directory, 'endpoint.log'),
    `${new Date().toISOString()} ${requestId} ${who} ${what} ${statusCode}${problem}\n`,
  );
}

function describe(failure: unknown): string {
  if (!(failure instanceof AwsError)) return failure instanceof Error ? String(failure.stack) : String(failure);
  return /^(AccessDenied|AuthorizationError|Unsupported)/.test(failure.code)
    ? `${failure.code}: ${failure.message}`
    : failure.code;
}
