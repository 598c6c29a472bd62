/** As much of a browser as a user of the site has: cookies by name, redirects followed, one address. */
export class Browser {
  readonly #address: string;
  readonly #forwardedFor: string | undefined;
  readonly #cookies = new Map<string, string>();

  /** @param forwardedFor header that a client sends to pretend that it comes from elsewhere */
  constructor(address: string, forwardedFor?: string) {
    this.#address = address;
    this.#forwardedFor = forwardedFor;
  }

  get(path: string): Promise<Page> {
    return this.#request(path, 'GET');
  }

  post(path: string, form: Readonly<Record<string, string>>): Promise<Page> {
    return this.#request(path, 'POST', new URLSearchParams(form));
  }

  /** Sends the main form of a page as a browser would, with what its fields hold, but for the values given. */
  submit(page: Page, values: Readonly<Record<string, string>>): Promise<Page> {
    const form = page.text.match(/<form[^>]*class="[^"]*mform[^>]*>[\s\S]*?<\/form>/)?.[0] ?? page.text;
    const action = attribute(form.match(/<form[^>]*>/)?.[0] ?? '', 'action') || page.path;
    const target = new URL(action, new URL(page.path, this.#address));
    return this.post(target.pathname + target.search, { ...fieldsOf(form), ...values });
  }

  async #request(path: string, method: string, body?: URLSearchParams, redirects = 0): Promise<Page> {
    const response = await fetch(new URL(path, this.#address), {
      method,
      redirect: 'manual',
      headers: {
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(this.#forwardedFor ? { 'x-forwarded-for': this.#forwardedFor } : {}),
      },
      ...(body ? { body } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    const location = response.headers.get('location');
    if (location && response.status >= 300 && response.status < 400) {
      await response.arrayBuffer();
      if (redirects > 8) throw new Error(`${path} redirects in a loop.`);
      const target = new URL(location, new URL(path, this.#address));
      return this.#request(target.pathname + target.search, 'GET', undefined, redirects + 1);
    }
    return {
      path,
      status: response.status,
      text: await response.text(),
      node: response.headers.get('x-moodle-node') ?? '',
    };
  }

  #keep(cookie: string): void {
    const [pair = ''] = cookie.split(';');
    const at = pair.indexOf('=');
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (/max-age=0|01[ -]jan[ -]1970/i.test(cookie) || value === 'deleted') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }

  /** Leaves the load balancer free to send the next request to any node. */
  forgetStickiness(): void {
    for (const name of this.#cookies.keys()) if (name.startsWith('AWSALB')) this.#cookies.delete(name);
  }

  async signIn(username: string, password: string): Promise<boolean> {
    const { text } = await this.get('/login/index.php');
    const logintoken = text.match(/name="logintoken" value="([^"]+)"/)?.[1] ?? '';
    await this.post('/login/index.php', { username, password, logintoken, anchor: '' });
    return this.isSignedIn();
  }

  async isSignedIn(): Promise<boolean> {
    const page = await this.get('/my/');
    return page.status === 200 && page.text.includes('login/logout.php?sesskey=');
  }
}

export interface Page {
  /** After redirects. */
  readonly path: string;
  readonly status: number;
  readonly text: string;
  /** Id of the node that answered. */
  readonly node: string;
}

/** Names and values of a form's fields: inputs that are sent, chosen options, texts. */
function fieldsOf(form: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    const type = attribute(input, 'type');
    const unsent = ['submit', 'button', 'reset', 'file', 'image'].includes(type);
    const unchecked = ['checkbox', 'radio'].includes(type) && !/\schecked/.test(input);
    if (!unsent && !unchecked) fields[attribute(input, 'name')] = attribute(input, 'value');
  }
  for (const [select, , options = ''] of form.matchAll(/<select([^>]*)>([\s\S]*?)<\/select>/g)) {
    const chosen = options.match(/<option[^>]*\sselected[^>]*>/)?.[0];
    if (chosen) fields[attribute(select, 'name')] = attribute(chosen, 'value');
  }
  for (const [area, , text = ''] of form.matchAll(/<textarea([^>]*)>([\s\S]*?)<\/textarea>/g)) {
    fields[attribute(area, 'name')] = text.trim();
  }
  delete fields[''];
  return fields;
}

function attribute(tag: string, name: string): string {
  const value = tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1] ?? '';
  return value.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#039;', "'");
}
