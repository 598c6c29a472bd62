import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from './browser.ts';

export interface UsersReport {
  readonly signedIn: number;
  readonly requests: number;
  /** Requests that were answered, but no longer as signed in. */
  readonly loggedOut: number;
  /** Requests that were answered with 5xx, or not at all. */
  readonly failed: number;
}

/**
 * People who sign in one after another while the site answers, and go on clicking: whoever is signed in must stay so.
 *
 * @param everyMilliseconds between two rounds of clicks
 */
export class Users {
  readonly #address: string;
  readonly #user: string;
  readonly #password: () => string;
  readonly #signedIn: Browser[] = [];
  #requests = 0;
  #loggedOut = 0;
  #failed = 0;
  #stopped = false;
  readonly #rounds: Promise<void>;

  constructor(address: string, user: string, password: () => string, everyMilliseconds = 150) {
    this.#address = address;
    this.#user = user;
    this.#password = password;
    this.#rounds = this.#clickUntilStopped(everyMilliseconds);
  }

  async stop(): Promise<UsersReport> {
    this.#stopped = true;
    await this.#rounds;
    return {
      signedIn: this.#signedIn.length,
      requests: this.#requests,
      loggedOut: this.#loggedOut,
      failed: this.#failed,
    };
  }

  async #clickUntilStopped(everyMilliseconds: number): Promise<void> {
    while (!this.#stopped) {
      if (this.#signedIn.length < 12) await this.#signInOneMore();
      for (const browser of this.#signedIn) await this.#click(browser);
      await sleep(everyMilliseconds);
    }
  }

  /** Not answered yet, or not finished with the install: the next round tries again. */
  async #signInOneMore(): Promise<void> {
    const browser = new Browser(this.#address);
    const signedIn = await browser.signIn(this.#user, this.#password()).catch(() => false);
    if (signedIn) this.#signedIn.push(browser);
  }

  async #click(browser: Browser): Promise<void> {
    this.#requests += 1;
    const page = await browser.get('/my/').catch(() => undefined);
    if (page === undefined || page.status >= 500) this.#failed += 1;
    else if (!page.text.includes('login/logout.php?sesskey=')) this.#loggedOut += 1;
  }
}
