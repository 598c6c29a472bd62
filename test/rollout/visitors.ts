import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from './browser.ts';

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface LoadReport {
  readonly visitors: number;
  readonly requests: number;
  /** Answered with 4xx or 5xx, Moodle's maintenance page among them, or not at all. */
  readonly failed: number;
  /** Answered, but no longer as signed in. */
  readonly loggedOut: number;
  readonly slowestSeconds: number;
  /** The longest time in which one visitor could not work: from the first click in vain to the next answer in order. */
  readonly outageSeconds: number;
}

interface Click {
  readonly visitor: number;
  /** Milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly ended: 'in order' | 'failed' | 'logged out';
}

/** What a signed-in user looks at again and again. */
const pages = ['/my/', '/user/profile.php'];

/** People who have signed in once and go on clicking, each as fast as the site answers and a pause allows. */
export class Visitors {
  readonly #visitors: readonly Browser[];
  readonly #pauseMilliseconds: number;
  #clicks: Click[] = [];
  #clicking: Promise<unknown> | undefined;
  #stopped = false;

  private constructor(visitors: readonly Browser[], pauseMilliseconds: number) {
    this.#visitors = visitors;
    this.#pauseMilliseconds = pauseMilliseconds;
  }

  /** @throws Error when one cannot sign in */
  static async signIn(address: string, logins: readonly Login[], pauseMilliseconds = 300): Promise<Visitors> {
    const visitors: Browser[] = [];
    for (const { username, password } of logins) {
      const visitor = new Browser(address);
      if (!(await visitor.signIn(username, password))) throw new Error(`${username} cannot sign in at ${address}.`);
      visitors.push(visitor);
    }
    return new Visitors(visitors, pauseMilliseconds);
  }

  /** They click while something is done. */
  async during<Result>(work: () => Promise<Result>): Promise<{ readonly result: Result; readonly load: LoadReport }> {
    this.#begin();
    try {
      const result = await work();
      return { result, load: await this.#end() };
    } finally {
      await this.#end();
    }
  }

  #begin(): void {
    this.#clicks = [];
    this.#stopped = false;
    this.#clicking = Promise.all(this.#visitors.map((browser, visitor) => this.#clickUntilStopped(browser, visitor)));
  }

  async #end(): Promise<LoadReport> {
    this.#stopped = true;
    await this.#clicking;
    return reportOf(this.#clicks, this.#visitors.length);
  }

  async #clickUntilStopped(browser: Browser, visitor: number): Promise<void> {
    for (let turn = visitor; !this.#stopped; turn++) {
      const from = Date.now();
      const ended = await click(browser, pages[turn % pages.length] ?? '/');
      this.#clicks.push({ visitor, from, to: Date.now(), ended });
      await sleep(this.#pauseMilliseconds);
    }
  }
}

async function click(browser: Browser, path: string): Promise<Click['ended']> {
  const page = await browser.get(path).catch(() => undefined);
  if (page === undefined || page.status >= 400) return 'failed';
  return page.text.includes('login/logout.php?sesskey=') ? 'in order' : 'logged out';
}

function reportOf(clicks: readonly Click[], visitors: number): LoadReport {
  const outages = Array.from({ length: visitors }, (_, visitor) =>
    longestOutage(clicks.filter((one) => one.visitor === visitor)),
  );
  const seconds = (milliseconds: number) => Math.round(milliseconds / 100) / 10;
  return {
    visitors,
    requests: clicks.length,
    failed: clicks.filter(({ ended }) => ended === 'failed').length,
    loggedOut: clicks.filter(({ ended }) => ended === 'logged out').length,
    slowestSeconds: seconds(Math.max(0, ...clicks.map(({ from, to }) => to - from))),
    outageSeconds: seconds(Math.max(0, ...outages)),
  };
}

function longestOutage(clicks: readonly Click[]): number {
  let longest = 0;
  let since: number | undefined;
  for (const { from, to, ended } of clicks) {
    if (ended !== 'in order') since ??= from;
    if (since !== undefined) longest = Math.max(longest, to - since);
    if (ended === 'in order') since = undefined;
  }
  return longest;
}
