import { StateMachine as Interpreter, type RunOptions } from 'aws-local-stepfunctions';
import { perWorld } from '../per-world.ts';
import { putEvent } from '../services/events/rules.ts';
import type { World } from '../world.ts';
import { type ExecutionStatus, executionsOf, requireExecution, type StoredExecution } from './execution-store.ts';
import { History } from './history.ts';
import { contextFor, forInterpreter, places } from './interpreter.ts';
import type { ResumePoint } from './redrive.ts';
import type { StateMachine } from './state-machines.ts';
import { requireWithinLimit, TaskError } from './task-error.ts';
import { revokeTokens } from './task-tokens.ts';
import { taskFor } from './tasks.ts';

type InterpreterRun = ReturnType<Interpreter['run']>;
type InterpreterEvent = InterpreterRun['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

type TaskHandlers = NonNullable<NonNullable<RunOptions['overrides']>['taskResourceLocalHandlers']>;

/** The executions that run now, by ARN. */
const runningOf = perWorld(() => new Map<string, RunningExecution>());

/**
 * Starts an execution whose record is stored already.
 *
 * @param resume where to go on; absent: it begins
 */
export function startExecution(
  world: World,
  machine: StateMachine,
  stored: StoredExecution,
  resume?: ResumePoint,
): void {
  runningOf(world).set(stored.executionArn, new RunningExecution(world, machine, stored, resume));
}

/** Aborts an execution, if it still runs. */
export function abortExecution(world: World, executionArn: string, details: { error?: string; cause?: string }): void {
  runningOf(world).get(executionArn)?.stop(details);
}

/** Executions that a rehearsal left running when it was killed: nobody runs them any more. */
export function abortLeftExecutions(world: World): void {
  for (const [executionArn, stored] of executionsOf(world).entries()) {
    if (stored.status !== 'RUNNING' || runningOf(world).has(executionArn)) continue;
    const cause = 'The rehearsal ended while this execution ran.';
    new History(world, executionArn, stored.name).record('ExecutionAborted', {
      executionAbortedEventDetails: { cause },
    });
    executionsOf(world).set(executionArn, { ...stored, status: 'ABORTED', stopDate: Date.now(), cause });
  }
}

class RunningExecution {
  readonly #world: World;
  readonly #machine: StateMachine;
  readonly #executionArn: string;
  readonly #history: History;
  readonly #run: InterpreterRun;
  #ended = false;
  #resume: ResumePoint | undefined;
  #stateName = '';
  #stateInput: unknown;
  #stateEnteredId = 0;
  #stateEnteredAt = 0;
  /** Counts a state's attempts, so that one that the time limit has ended records nothing more. */
  #attempt = 0;
  /** Attempts of the state since it was entered, or since the execution was redriven. */
  #attemptsOfState = 0;

  constructor(world: World, machine: StateMachine, stored: StoredExecution, resume: ResumePoint | undefined) {
    this.#world = world;
    this.#machine = machine;
    this.#executionArn = stored.executionArn;
    this.#resume = resume;
    this.#history = new History(world, stored.executionArn, stored.name, stored.transitions);
    const { definition } = machine;
    const input = JSON.parse(stored.input);
    const start = new Date(stored.startDate);
    this.#run = new Interpreter(forInterpreter(definition, world.pace, resume?.stateName ?? definition.StartAt), {
      validationOptions: { noValidate: true },
    }).run(resume ? JSON.parse(resume.input) : input, {
      noThrowOnAbort: true,
      overrides: { taskResourceLocalHandlers: this.#taskHandlers() },
      context: { ...contextFor(machine, { ...stored, input, start }) },
    });
    // How it ended is told by the last event.
    this.#run.result.catch(() => {});
    void this.#follow(stored);
  }

  stop({ error, cause }: { error?: string; cause?: string }): void {
    const details = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
    this.#end('ABORTED', 'ExecutionAborted', { executionAbortedEventDetails: details }, details);
    this.#run.abort();
  }

  #taskHandlers(): TaskHandlers {
    const tasks = Object.entries(this.#machine.definition.States).filter(([, { Type }]) => Type === 'Task');
    // Their results are JSON, which they have been parsed from.
    return Object.fromEntries(
      tasks.map(([name]) => [name, (input: unknown) => this.#runTask(name, input)]),
    ) as TaskHandlers;
  }

  async #runTask(stateName: string, input: unknown): Promise<unknown> {
    // The interpreter calls this before its own event of entering the state has been read.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#ended) throw new TaskError('States.Runtime', 'The execution has ended.', false);
    const state = this.#machine.definition.States[stateName];
    if (!state) throw new TaskError('States.Runtime', `There is no state '${stateName}'.`, false);
    this.#attempt += 1;
    this.#attemptsOfState += 1;
    const attempt = this.#attempt;
    const history = {
      record: (...event: Parameters<History['record']>) => {
        if (!this.#ended && attempt === this.#attempt) this.#history.record(...event);
      },
    };
    const principal = { kind: 'role', roleArn: this.#machine.roleArn, sessionName: this.#machine.name } as const;
    const context = { world: this.#world, executionArn: this.#executionArn, history, principal };
    const attemptOf = { stateName, state, stateInput: this.#stateInput, input: this.#filled(input) };
    return taskFor(this.#world, stateName, state).run(context, attemptOf);
  }

  /** What a task is given, with what only now is known of its state. */
  #filled(input: unknown): unknown {
    const text = JSON.stringify(input);
    if (![places.enteredTime, places.stateName, places.retryCount].some((place) => text.includes(place))) return input;
    return JSON.parse(text, (_, value) => {
      if (value === places.retryCount) return this.#attemptsOfState - 1;
      if (value === places.enteredTime) return new Date(this.#stateEnteredAt).toISOString();
      return value === places.stateName ? this.#stateName : value;
    });
  }

  async #follow(stored: StoredExecution): Promise<void> {
    try {
      for await (const event of this.#run.eventLogs) {
        if (this.#ended) return;
        this.#take(event, stored);
      }
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      this.#fail(error.name, error.message);
      this.#run.abort();
    }
  }

  #take(event: InterpreterEvent, stored: StoredExecution): void {
    switch (event.type) {
      case 'ExecutionStarted':
        this.#begun(stored);
        break;
      case 'StateEntered':
        this.#entered(event.state.name, event.state.type, event.state.input);
        break;
      case 'StateExited':
        this.#exited(event.state.name, event.state.type, event.state.output);
        break;
      case 'StateFailed':
        if (event.Error === 'States.Timeout') this.#timedOut(event.state.name);
        break;
      case 'StateRetried':
        this.#history.countTransition();
        break;
      case 'ExecutionSucceeded':
        this.#succeed(event.output);
        break;
      case 'ExecutionFailed':
        this.#fail(event.Error, event.Cause);
        break;
      case 'ExecutionTimeout':
        this.#end('TIMED_OUT', 'ExecutionTimedOut', { executionTimedOutEventDetails: {} }, {});
        break;
      default:
    }
  }

  #begun({ input, redriveCount }: StoredExecution): void {
    if (this.#resume) {
      this.#history.countTransition();
      this.#history.record('ExecutionRedriven', { executionRedrivenEventDetails: { redriveCount } });
      return;
    }
    this.#history.record('ExecutionStarted', {
      executionStartedEventDetails: { input, inputDetails: { truncated: false }, roleArn: this.#machine.roleArn },
    });
  }

  #entered(name: string, type: string, value: unknown): void {
    this.#stateInput = value;
    this.#stateEnteredAt = Date.now();
    this.#attemptsOfState = 0;
    const resume = this.#resume;
    this.#resume = undefined;
    if (resume && type === 'Task') {
      // A task is scheduled again and not entered again: its attempt follows upon its first entry.
      this.#stateName = name;
      this.#stateEnteredId = resume.enteredId;
      this.#history.continueFrom(resume.enteredId);
      return;
    }
    const input = JSON.stringify(value);
    requireWithinLimit(input, `The state/task '${this.#stateName || name}' returned a result that`);
    this.#stateName = name;
    this.#history.countTransition();
    this.#history.record(
      `${type}StateEntered`,
      { stateEnteredEventDetails: { name, input, inputDetails: { truncated: false } } },
      name,
    );
    this.#stateEnteredId = this.#history.last;
  }

  #exited(name: string, type: string, value: unknown): void {
    const output = JSON.stringify(value);
    requireWithinLimit(output, `The state/task '${name}' returned a result that`);
    this.#history.record(
      `${type}StateExited`,
      { stateExitedEventDetails: { name, output, outputDetails: { truncated: false } } },
      name,
    );
  }

  #timedOut(stateName: string): void {
    this.#attempt += 1;
    const state = this.#machine.definition.States[stateName];
    // A Fail state can end an execution with this error too: that of a task before it.
    if (state?.Type !== 'Task') return;
    taskFor(this.#world, stateName, state).recordTimeout?.(this.#history, state.Resource ?? '');
  }

  #succeed(value: unknown): void {
    const output = JSON.stringify(value);
    const details = { output, outputDetails: { truncated: false } };
    this.#end('SUCCEEDED', 'ExecutionSucceeded', { executionSucceededEventDetails: details }, { output });
  }

  #fail(name: string, value: unknown): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    // A Fail state without Error or Cause: the interpreter makes them up, Step Functions leaves them out.
    const error = name === 'FailStateError' ? undefined : name;
    const cause = text === 'Execution failed because of a Fail state' ? undefined : this.#explain(name, text);
    const details = { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) };
    this.#end('FAILED', 'ExecutionFailed', { executionFailedEventDetails: details }, details);
  }

  #explain(error: string, cause: string): string {
    if (error !== 'States.Runtime') return cause;
    return `An error occurred while executing the state '${this.#stateName}' (entered at the event id #${this.#stateEnteredId}). ${cause}`;
  }

  #end(
    status: ExecutionStatus,
    eventType: string,
    eventDetails: Readonly<Record<string, object>>,
    result: Partial<StoredExecution>,
  ): void {
    if (this.#ended) return;
    this.#ended = true;
    revokeTokens(this.#world, this.#executionArn);
    this.#history.record(eventType, eventDetails);
    const ended: StoredExecution = {
      ...requireExecution(this.#world, this.#executionArn),
      ...result,
      status,
      stopDate: Date.now(),
      transitions: this.#history.transitions,
    };
    executionsOf(this.#world).set(this.#executionArn, ended);
    runningOf(this.#world).delete(this.#executionArn);
    announce(this.#world, ended);
  }

  get transitions(): number {
    return this.#history.transitions;
  }
}

/**
 * The event that Step Functions puts onto the bus when an execution has ended (its guide, "Step Functions Execution
 * Status Change"; `error` and `cause` are in real events, and not in the guide's examples).
 */
function announce(world: World, ended: StoredExecution): void {
  const { executionArn, stateMachineArn, name, status, startDate, stopDate, input, output, error, cause } = ended;
  putEvent(world, 'aws.states', 'Step Functions Execution Status Change', [executionArn], {
    executionArn,
    stateMachineArn,
    name,
    status,
    startDate,
    stopDate: stopDate ?? null,
    input,
    inputDetails: { included: true },
    output: output ?? null,
    outputDetails: output === undefined ? null : { included: true },
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** States entered and retries of an execution so far. */
export function transitionsOf(world: World, executionArn: string): number {
  return runningOf(world).get(executionArn)?.transitions ?? requireExecution(world, executionArn).transitions;
}

/** Aborts what still runs, as the rehearsal ends. */
export function abortRunningExecutions(world: World): void {
  for (const execution of [...runningOf(world).values()]) {
    execution.stop({ cause: 'The rehearsal ended while this execution ran.' });
  }
}
