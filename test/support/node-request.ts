import { type IncomingHttpHeaders, request } from 'node:http';

/** The name under which a node's clients know the site; the node itself answers on a port of this computer. */
export const HOST = 'moodle.test';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request to one node, with no connection kept and no redirect followed. */
export function send(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  form?: Record<string, string>,
): Promise<Answer> {
  const body = form ? new URLSearchParams(form).toString() : '';
  const type = form ? { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': `${body.length}` } : {};
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { Host: HOST, ...type, ...headers },
    };
    const sent = request(options, (message) => {
      let text = '';
      message.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      message.on('end', () => resolve({ status: message.statusCode ?? 0, headers: message.headers, body: text }));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
