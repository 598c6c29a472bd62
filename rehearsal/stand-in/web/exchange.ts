import type { IncomingMessage } from 'node:http';

/** What the pages need of a request. */
export interface PageRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Fields of a posted form. */
  readonly form: URLSearchParams;
  readonly host: string;
  readonly cookies: ReadonlyMap<string, string>;
  /** The client's address as Moodle compares it. */
  readonly address: string;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Largest form that a page takes, in bytes; no form of the stand-in comes near. */
const LARGEST_FORM = 65_536;

/** @throws Error when the form is larger than any that the stand-in knows */
export async function readPageRequest(message: IncomingMessage, address: string): Promise<PageRequest> {
  const url = new URL(message.url ?? '/', 'http://node');
  let body = '';
  for await (const chunk of message.setEncoding('utf8')) {
    body += chunk;
    if (body.length > LARGEST_FORM) throw new Error(`a form above ${LARGEST_FORM} bytes was posted to ${url.pathname}`);
  }
  const cookies = (message.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('=', 2));
  return {
    // The server leaves out the body of an answer to HEAD.
    method: message.method === 'HEAD' ? 'GET' : (message.method ?? 'GET'),
    path: url.pathname,
    query: url.searchParams,
    form: new URLSearchParams(body),
    host: message.headers.host ?? '',
    cookies: new Map(cookies.map(([name = '', value = '']) => [name, value])),
    address,
  };
}

/** Moodle redirects with 303 See Other. */
export function redirect(location: string): PageAnswer {
  return { status: 303, headers: { Location: location }, body: '' };
}

export function html(body: string, status = 200, headers: PageAnswer['headers'] = {}): PageAnswer {
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers }, body };
}
