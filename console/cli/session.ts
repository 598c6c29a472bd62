import { createInterface } from 'node:readline/promises';
import { type Connection, connect } from '../api/connect.ts';
import { currentExecution, findExecution, pastRunsOf } from '../api/executions.ts';
import { findMachines, type Machine, machinesOfSite } from '../api/sites.ts';
import type { Place } from '../api/trouble.ts';
import type { Paint } from '../lines.ts';
import type { PastRun } from '../progress.ts';
import { painterFor, type Screen } from '../terminal.ts';
import type { Arguments } from './command-line.ts';

/** What a verb works with. */
export class Session {
  readonly screen: Screen;
  readonly paint: Paint;
  readonly #given: Arguments;
  #connection: Connection | undefined;
  #machines: Promise<Machine[]> | undefined;

  constructor(screen: Screen, given: Arguments) {
    this.screen = screen;
    this.paint = painterFor(screen, process.env);
    this.#given = given;
  }

  get width(): number {
    return this.screen.isTTY ? (this.screen.columns ?? 80) : Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY;
  }

  /** Whether somebody can be asked. */
  get interactive(): boolean {
    return this.screen.isTTY === true && process.stdin.isTTY === true;
  }

  say(line = ''): void {
    this.screen.write(`${line}\n`);
  }

  /** Made when it is first needed: a saved history needs none. */
  get connection(): Connection {
    this.#connection ??= connect({
      profile: this.#given.text('profile'),
      region: this.#given.text('region'),
      endpointUrl: this.#given.text('endpoint-url'),
      rehearsal: this.#given.flag('rehearsal'),
      aws: this.#given.flag('aws'),
    });
    return this.#connection;
  }

  /** Where the calls went, as far as they went anywhere. */
  get place(): Place {
    return this.#connection?.place ?? { profile: this.#given.text('profile'), endpointUrl: undefined };
  }

  get where(): string {
    return this.#connection?.where ?? 'AWS';
  }

  /** Takes the region from an ARN, which says it better than any profile. */
  useRegionOf(arn: string): void {
    if (this.#given.text('region') === undefined && this.#connection === undefined && arn.startsWith('arn:')) {
      process.env.AWS_REGION = arn.split(':')[3];
    }
  }

  /** State machines of the site that is meant. @throws PlainError when that cannot be told */
  machines(): Promise<Machine[]> {
    const { client, where } = this.connection;
    this.#machines ??= findMachines(client).then((all) =>
      machinesOfSite(
        all,
        this.#given.text('site'),
        where,
        this.interactive ? (sites) => this.choose('Which site?', sites) : undefined,
      ),
    );
    return this.#machines;
  }

  /** The execution that a word names, or the current one. */
  async execution(word: string | undefined): Promise<string> {
    if (word !== undefined) this.useRegionOf(word);
    const { client } = this.connection;
    if (word === undefined) return currentExecution(client, await this.machines());
    return findExecution(client, word, () => this.machines());
  }

  /** Earlier runs of the same rollout; nothing where that may not be asked. */
  async pastRuns(executionArn: string): Promise<readonly PastRun[] | undefined> {
    const machine = executionArn.replace(/:execution:([^:]+):.*$/, ':stateMachine:$1');
    return pastRunsOf(this.connection.client, machine).catch(() => undefined);
  }

  async choose(question: string, among: readonly string[]): Promise<string> {
    for (;;) {
      const lines = among.map((each, index) => `  ${index + 1}  ${each}`);
      const answer = (await this.#ask(`${question}\n${lines.join('\n')}\n> `)).trim();
      const chosen = among.includes(answer) ? answer : among[Number(answer) - 1];
      if (chosen !== undefined) return chosen;
    }
  }

  async confirm(question: string): Promise<boolean> {
    return /^y(es)?$/i.test((await this.#ask(`${question} [y/N] `)).trim());
  }

  async #ask(question: string): Promise<string> {
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  }
}
