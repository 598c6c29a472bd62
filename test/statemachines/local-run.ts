import { readFileSync } from 'node:fs';
import { StateMachine } from 'aws-local-stepfunctions';
import { readDefinition } from '../support/state-machine-checks.ts';

/** Stands in the place of a state's task: answers as its function would, or throws what that would throw. */
export type Handler = (input: Record<string, unknown>) => unknown;
export type Handlers = Readonly<Record<string, Handler>>;

export interface Run {
  /** States whose task was called, in order, once per call. */
  readonly called: string[];
  /** What happened in order: `A → B`, `A ⇥ B` where a Catch led there, `A ↻ errors` for a retry. */
  readonly steps: string[];
  /** The last parameters of each state's task. */
  readonly given: Map<string, Record<string, unknown>>;
  readonly output?: Record<string, unknown>;
  readonly error?: { readonly name: string; readonly cause: string };
}

export function phaseError(name: string, message = 'what happened'): Error {
  return Object.assign(new Error(message), { name });
}

export const failing = (name: string, message?: string): Handler => {
  return () => {
    throw phaseError(name, message);
  };
};

/** A definition as it is deployed to the site `campus`, run by an interpreter of the language; retries come at once. */
export class LocalMachine {
  readonly execution: string;
  readonly #definition: ReturnType<typeof readDefinition>;
  readonly #deployed: object;
  readonly #well: Handlers;

  /** @param well what each state's task answers when all goes well; left out: its name as evidence */
  constructor(file: string, well: Handlers) {
    this.#definition = readDefinition(file);
    this.execution = `arn:aws:states:eu-central-1:111122223333:execution:${file.replace('.asl.json', '')}:first`;
    this.#deployed = JSON.parse(
      readFileSync(new URL(`../../statemachines/${file}`, import.meta.url), 'utf8')
        .replaceAll(/\$\{(\w+)Arn\}/g, 'arn:aws:lambda:eu-central-1:111122223333:function:$1')
        .replaceAll(/\$\{Site\}/g, 'campus'),
    );
    // The package takes a time-out that is given by path for one that is over at once.
    for (const state of Object.values(
      (this.#deployed as { States: Record<string, { TimeoutSecondsPath?: string }> }).States,
    ))
      delete state.TimeoutSecondsPath;
    const evidence = Object.keys(this.#definition.States).map((name) => [name, () => ({ evidence: name })]);
    this.#well = { ...Object.fromEntries(evidence), ...well };
  }

  get states() {
    return this.#definition.States;
  }

  get timeout(): number {
    return this.#definition.TimeoutSeconds ?? 0;
  }

  well(state: string): Handler {
    return this.#well[state] ?? (() => ({}));
  }

  async run(changes: Handlers = {}, input: unknown = {}): Promise<Run> {
    const called: string[] = [];
    const given = new Map<string, Record<string, unknown>>();
    const handlers = Object.fromEntries(
      Object.entries({ ...this.#well, ...changes }).map(([name, handler]) => [
        name,
        (parameters: Record<string, unknown>) => {
          called.push(name);
          given.set(name, parameters);
          return handler(parameters);
        },
      ]),
    );
    const machine = new StateMachine(this.#deployed as never, { validationOptions: { noValidate: true } });
    const { result, eventLogs } = machine.run(input as never, {
      overrides: {
        taskResourceLocalHandlers: handlers as never,
        retryIntervalOverrides: Object.fromEntries(Object.keys(this.states).map((name) => [name, 0])),
      },
      // The package counts no retries in its context: 0 throughout.
      context: {
        Execution: { Id: this.execution, Input: input },
        State: { RetryCount: 0 },
        Task: { Token: 'the-token' },
      } as never,
    });
    const steps = stepsOf(eventLogs);
    try {
      const output = (await result) as Record<string, unknown>;
      return { called, given, output, steps: await steps };
    } catch (error) {
      // The package's ExecutionError has what the Fail state says as its cause.
      const { cause } = error as { cause: Error };
      return { called, given, error: { name: cause.name, cause: cause.message }, steps: await steps };
    }
  }

  /** All that a run can take: every way out of every state, and every retry. */
  ways(): string[] {
    return Object.entries(this.states).flatMap(([name, state]) => [
      ...[state.Next, state.Default, ...(state.Choices ?? []).map(({ Next }) => Next)]
        .filter((next) => next !== undefined)
        .map((next) => `${name} → ${next}`),
      ...(state.Catch ?? []).map(({ Next }) => `${name} ⇥ ${Next}`),
      ...(state.Retry ?? []).map(({ ErrorEquals }) => retryStep(name, ErrorEquals)),
    ]);
  }
}

async function stepsOf(events: ReturnType<StateMachine['run']>['eventLogs']): Promise<string[]> {
  const steps: string[] = [];
  let last = '';
  let arrow = '→';
  for await (const event of events) {
    if (event.type === 'StateEntered') {
      if (last) steps.push(`${last} ${arrow} ${event.state.name}`);
      last = event.state.name;
      arrow = '→';
    }
    if (event.type === 'StateCaught') arrow = '⇥';
    if (event.type === 'StateRetried') steps.push(retryStep(event.state.name, event.retry.retrier.ErrorEquals));
  }
  return steps;
}

const retryStep = (state: string, errors: readonly string[]) => `${state} ↻ ${errors.join(', ')}`;
