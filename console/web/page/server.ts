import type { Progress } from '../../progress.ts';
import type { SiteRollouts } from '../operations.ts';

/** JSON has no dates: every moment of a Progress arrives as ISO 8601. */
export type Sent<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? readonly Sent<Item>[]
    : Value extends object
      ? { readonly [Name in keyof Value]: Sent<Value[Name]> }
      : Value;

export type SentProgress = Sent<Progress>;
export type SentPhase = SentProgress['phases'][number];

export interface Overview {
  readonly where: string;
  readonly sites: readonly SiteRollouts[];
}

/** What the server could not do, in words for the person. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** The page's own token: in the address behind the #, which browsers send nowhere, and for this tab's life in its memory. */
const token = takeToken();

function takeToken(): string {
  const given = /[#&]token=([\w-]+)/.exec(location.hash)?.[1];
  if (given === undefined) return sessionStorage.getItem('token') ?? '';
  sessionStorage.setItem('token', given);
  history.replaceState(undefined, '', location.pathname);
  return given;
}

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  } catch {
    throw new ServerError(
      'The console in the terminal does not answer any more. Start it again: npx lifecycle console',
    );
  }
  if (response.ok) return response;
  const { message } = (await response.json().catch(() => ({ message: undefined }))) as { message?: string };
  throw new ServerError(message ?? `The console answered ${response.status}.`);
}

/** @throws ServerError */
export async function act<Answer>(action: string, body: Readonly<Record<string, unknown>>): Promise<Answer> {
  const response = await request(`/api/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Answer;
}

/** @throws ServerError */
export async function openHistory(text: string): Promise<SentProgress> {
  const response = await request('/api/open', {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: text,
  });
  return (await response.json()) as SentProgress;
}

/** @throws ServerError */
export async function savedHistory(executionArn: string): Promise<string> {
  return (await request(`/api/history?execution=${encodeURIComponent(executionArn)}`)).text();
}

/** One message of a stream: something new to show, or why there is nothing new. */
export type Message<Data> = { readonly data: Data } | { readonly trouble: string } | { readonly fine: true };

/**
 * Listens to a stream of the server, and again after it broke, until it is told to stop.
 *
 * @param path for example `/api/overview`
 */
export function listen<Data>(path: string, hear: (message: Message<Data>) => void): () => void {
  const stopped = new AbortController();
  void (async () => {
    while (!stopped.signal.aborted) {
      try {
        const { body } = await request(path, { signal: stopped.signal });
        if (body) for await (const message of messages<Data>(body)) hear(message);
      } catch (error) {
        if (stopped.signal.aborted) return;
        hear({ trouble: error instanceof Error ? error.message : String(error) });
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  })();
  return () => stopped.abort();
}

/** Lines of JSON; an empty one is a sign of life. */
async function* messages<Data>(body: ReadableStream<Uint8Array>): AsyncGenerator<Message<Data>> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
    .getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter(Boolean)) yield JSON.parse(line) as Message<Data>;
  }
}
