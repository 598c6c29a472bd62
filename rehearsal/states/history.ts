import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Journal } from '../state.ts';
import type { World } from '../world.ts';
import { eventsOf, type StoredEvent } from './execution-store.ts';

/** Writes the events of one execution, in the form in which Step Functions keeps them. */
export class History {
  readonly #events: Journal<StoredEvent>;
  readonly #logFile: string;
  #last: number;
  #transitions: number;
  #predecessor: number | undefined;

  /** @param transitions of earlier runs of the execution */
  constructor(world: World, executionArn: string, name: string, transitions = 0) {
    this.#events = eventsOf(world, executionArn);
    this.#last = this.#events.values.length;
    this.#transitions = transitions;
    this.#logFile = join(world.directory, 'logs', 'executions', `${name}.log`);
    mkdirSync(dirname(this.#logFile), { recursive: true });
  }

  /** States entered and retries so far. */
  get transitions(): number {
    return this.#transitions;
  }

  countTransition(): void {
    this.#transitions += 1;
  }

  /** Id of the event that was written last. */
  get last(): number {
    return this.#last;
  }

  /** The next event follows upon that one, and not upon the last. */
  continueFrom(id: number): void {
    this.#predecessor = id;
  }

  /** @param details by the name of the event's member, for example `{ stateEnteredEventDetails: { name, input } }` */
  record(type: string, details: Readonly<Record<string, object>> = {}, subject = ''): void {
    const id = this.#last + 1;
    // The event after ExecutionStarted has no predecessor either: so it is in histories of Step Functions.
    const previousEventId = this.#predecessor ?? (id <= 2 ? 0 : this.#last);
    this.#predecessor = undefined;
    const timestamp = Date.now();
    this.#events.append({ id, previousEventId, type, timestamp, details });
    this.#last = id;
    appendFileSync(
      this.#logFile,
      `${new Date(timestamp).toISOString()} ${id} ${type} ${subject} transitions=${this.#transitions}\n`,
    );
  }
}
