/** What a page answered. */
export interface Page {
  readonly status: number;
  readonly body: string;
  /** Address that a redirect leads to; absent without one. */
  readonly location?: string;
  /** Node that answered, by the header X-Moodle-Node; empty when none did. */
  readonly node: string;
  readonly retryAfter: boolean;
}

const pageMilliseconds = 30_000;

/** Somebody at a browser: keeps cookies, follows no redirect by itself, and lets the load balancer choose the node. */
export class Visitor {
  readonly #siteUrl: string;
  readonly #cookies = new Map<string, string>();

  /** @param siteUrl without a slash at its end */
  constructor(siteUrl: string) {
    this.#siteUrl = siteUrl;
  }

  /** Comes with a cookie that was not given to this visitor. */
  bring(name: string, value: string): void {
    this.#cookies.set(name, value);
  }

  get(path: string): Promise<Page> {
    return this.#ask(path, { method: 'GET' });
  }

  post(path: string, form: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.#ask(path, { method: 'POST', body: new URLSearchParams(form) });
  }

  async #ask(path: string, request: RequestInit): Promise<Page> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(`${this.#siteUrl}${path}`, {
      ...request,
      redirect: 'manual',
      headers: { ...(cookie ? { cookie } : {}), 'user-agent': 'moodle-lifecycle verify-site' },
      signal: AbortSignal.timeout(pageMilliseconds),
    });
    this.#keep(answer.headers.getSetCookie());
    const location = answer.headers.get('location');
    return {
      status: answer.status,
      body: await answer.text(),
      node: answer.headers.get('x-moodle-node') ?? '',
      retryAfter: answer.headers.has('retry-after'),
      ...(location ? { location } : {}),
    };
  }

  #keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      // The load balancer's own cookie would keep the visitor on one node.
      if (!name || /^AWSALB/.test(name)) continue;
      const gone = value === '' || value === 'deleted' || /;\s*max-age=0(;|$)/i.test(line);
      if (gone) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}
