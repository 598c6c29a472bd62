import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { askedOf, tokenOf, waitsForToken } from './approval.ts';
import { evidenceOf, type Problem, problemOf } from './evidence.ts';
import { isVisible, type PhasePlan } from './phase-plan.ts';
import { retryAfter } from './retry-schedule.ts';

/** One call of a phase's function, or of the service behind it. */
export interface Attempt {
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly status: 'running' | 'succeeded' | 'failed' | 'aborted';
  readonly problem: Problem | undefined;
  /** It waited for a person: nothing worked meanwhile. */
  readonly asks: boolean;
}

export interface NextAttempt {
  /** When it begins. */
  readonly at: Date;
  /** False: at any time until then, as the state's retries have jitter. */
  readonly exact: boolean;
  /** How many more may follow, this one included. */
  readonly attemptsLeft: number;
}

/** A decision that a person is asked for. */
export interface Question {
  readonly since: Date | undefined;
  /** Undefined: it waits for ever. */
  readonly expiresAt: Date | undefined;
  /** What the person decides about, without the token. */
  readonly about: unknown;
}

/** What the history tells of one state. */
export interface Visit {
  startedAt: Date | undefined;
  endedAt: Date | undefined;
  status: 'running' | 'waiting' | 'asking' | 'succeeded' | 'failed';
  readonly timeline: Attempt[];
  problem: Problem | undefined;
  evidence: unknown;
  nextAttempt: NextAttempt | undefined;
  question: Question | undefined;
  /** ARN of the function that was called last. */
  functionArn: string | undefined;
  /** Uses of each retrier since the state was entered or redriven. */
  retried: number[];
}

export interface History {
  readonly visits: ReadonlyMap<string, Visit>;
  /** States that were entered and are not in the definition, in their order. */
  readonly unknown: readonly string[];
  /** Of the state that was entered last. */
  readonly last: { readonly name: string; readonly type: string } | undefined;
  readonly redrivenAt: readonly Date[];
  /** Tokens by which a person's decision could be taken, all that there ever were. */
  readonly tokens: readonly string[];
  /** The token that is waited for now. */
  readonly openToken: string | undefined;
}

/** @param pace how many times faster than on AWS the waits of a rehearsal pass */
export function readHistory(events: readonly HistoryEvent[], plan: PhasePlan, pace: number): History {
  const reader = new Reader(plan, pace);
  for (const event of events) reader.read(event);
  return reader.history();
}

class Reader {
  readonly #plan: PhasePlan;
  readonly #pace: number;
  readonly #visits = new Map<string, Visit>();
  readonly #unknown: string[] = [];
  readonly #stateOfEvent = new Map<number, string>();
  readonly #redrivenAt: Date[] = [];
  readonly #tokens: string[] = [];
  readonly #openTokens = new Map<string, string>();
  #last: { name: string; type: string } | undefined;

  constructor(plan: PhasePlan, pace: number) {
    this.#plan = plan;
    this.#pace = pace;
  }

  history(): History {
    return {
      visits: this.#visits,
      unknown: this.#unknown,
      last: this.#last,
      redrivenAt: this.#redrivenAt,
      tokens: this.#tokens,
      openToken: [...this.#openTokens.values()].at(-1),
    };
  }

  read(event: HistoryEvent): void {
    const type = event.type ?? '';
    const entered = type.endsWith('StateEntered') ? event.stateEnteredEventDetails?.name : undefined;
    const exited = event.stateExitedEventDetails?.name;
    // Parallel branches interleave in the history: an event belongs to the state of the event before it in its chain.
    // An event after a redrive has no such chain.
    const state = entered ?? exited ?? this.#stateOfEvent.get(event.previousEventId ?? 0) ?? this.#last?.name ?? '';
    if (event.id !== undefined) this.#stateOfEvent.set(event.id, state);
    if (entered !== undefined) this.#enter(entered, type.replace(/StateEntered$/, ''), event);
    else if (type === 'ExecutionRedriven') this.#redrive(event);
    else if (/^Execution(Aborted|Failed|TimedOut)$/.test(type)) this.#close(event);
    else this.#readWithin(state, type, event);
  }

  #enter(name: string, type: string, event: HistoryEvent): void {
    this.#last = { name, type };
    const owner = this.#plan.ownerOf(name);
    if (owner === undefined && isVisible(type) && !this.#unknown.includes(name)) this.#unknown.push(name);
    // A state inside a Parallel or Map state is part of that phase.
    if (owner !== undefined && owner !== name) return;
    const again = this.#visits.get(name);
    this.#visits.set(name, {
      startedAt: event.timestamp,
      endedAt: undefined,
      status: 'running',
      timeline: again?.timeline ?? [],
      problem: undefined,
      evidence: undefined,
      nextAttempt: undefined,
      question: undefined,
      functionArn: undefined,
      retried: [],
    });
  }

  /** The state in which the execution ended goes on, with its retries counted anew. */
  #redrive(event: HistoryEvent): void {
    if (event.timestamp) this.#redrivenAt.push(event.timestamp);
    const owner = this.#last && (this.#plan.ownerOf(this.#last.name) ?? this.#last.name);
    const visit = this.#visits.get(owner ?? '');
    if (!visit) return;
    visit.retried = [];
    visit.status = 'running';
    visit.endedAt = undefined;
  }

  #close(event: HistoryEvent): void {
    this.#openTokens.clear();
    for (const visit of this.#visits.values()) {
      visit.nextAttempt = undefined;
      const open = visit.timeline.at(-1);
      if (open?.status === 'running') replaceLast(visit, { ...open, status: 'aborted', endedAt: event.timestamp });
    }
  }

  #readWithin(state: string, type: string, event: HistoryEvent): void {
    const owner = this.#plan.ownerOf(state) ?? state;
    const visit = this.#visits.get(owner);
    if (!visit) return;
    if (/^(LambdaFunction|Task|Activity)Scheduled$/.test(type)) this.#schedule(visit, state, event);
    else if (/^(LambdaFunction|Task|Activity)Succeeded$/.test(type)) this.#succeed(visit, state, event);
    else if (/^(LambdaFunction|Task|Activity)\w*(Failed|TimedOut)$/.test(type)) this.#fail(visit, state, event);
    else if (type.endsWith('StateExited') && owner !== state) {
      // What failed inside of the phase was caught there; whether the phase itself did, its own events tell.
      visit.status = 'running';
      visit.endedAt = undefined;
    } else if (type.endsWith('StateExited')) {
      visit.endedAt = event.timestamp;
      visit.nextAttempt = undefined;
      // A retried error that nothing tries any more went to the state's catcher.
      visit.status = visit.status === 'waiting' || visit.status === 'failed' ? 'failed' : 'succeeded';
    }
  }

  #schedule(visit: Visit, state: string, event: HistoryEvent): void {
    const asks = waitsForToken(event.taskScheduledEventDetails?.resource);
    visit.timeline.push({ ...begun(event), asks });
    visit.status = 'running';
    visit.endedAt = undefined;
    visit.nextAttempt = undefined;
    visit.functionArn = functionOf(event) ?? visit.functionArn;
    if (!asks) return;
    const token = tokenOf(this.#plan.stateOf(state), event);
    if (token !== undefined) {
      this.#tokens.push(token);
      this.#openTokens.set(state, token);
    }
    const { timeoutInSeconds } = event.taskScheduledEventDetails ?? {};
    visit.status = 'asking';
    visit.question = {
      since: event.timestamp,
      expiresAt: later(event.timestamp, timeoutInSeconds === undefined ? undefined : Number(timeoutInSeconds) * 1000),
      about: askedOf(event, token),
    };
  }

  #succeed(visit: Visit, state: string, event: HistoryEvent): void {
    const output = event.lambdaFunctionSucceededEventDetails?.output ?? event.taskSucceededEventDetails?.output;
    // Not yet a success of the phase: what the state makes of the output can still fail.
    visit.evidence = evidenceOf(output ?? event.activitySucceededEventDetails?.output);
    visit.problem = undefined;
    visit.status = 'running';
    visit.question = undefined;
    this.#openTokens.delete(state);
    endLast(visit, event, 'succeeded', undefined);
  }

  #fail(visit: Visit, state: string, event: HistoryEvent): void {
    const problem = problemOf(event);
    // One that could not even be scheduled has no event of a beginning.
    if (visit.timeline.at(-1)?.status !== 'running') {
      visit.timeline.push({ ...begun(event), asks: false });
    }
    const retriers = this.#plan.retriersOf(state);
    const next = retryAfter(retriers, problem.error, visit.retried, this.#pace);
    visit.problem = problem;
    visit.question = undefined;
    visit.status = next ? 'waiting' : 'failed';
    visit.endedAt = next ? undefined : event.timestamp;
    const at = next && later(event.timestamp, next.delay);
    visit.nextAttempt = at && { at, exact: next.exact, attemptsLeft: next.attemptsLeft };
    if (next) visit.retried[next.retrier] = (visit.retried[next.retrier] ?? 0) + 1;
    this.#openTokens.delete(state);
    endLast(visit, event, 'failed', problem);
  }
}

function begun({ timestamp }: HistoryEvent) {
  return { startedAt: timestamp, endedAt: undefined, status: 'running', problem: undefined } as const;
}

function endLast(visit: Visit, event: HistoryEvent, status: Attempt['status'], problem: Problem | undefined): void {
  const attempt = visit.timeline.at(-1);
  if (attempt) replaceLast(visit, { ...attempt, endedAt: event.timestamp, status, problem });
}

function replaceLast(visit: Visit, attempt: Attempt): void {
  visit.timeline[visit.timeline.length - 1] = attempt;
}

function later(time: Date | undefined, milliseconds: number | undefined): Date | undefined {
  return time === undefined || milliseconds === undefined ? undefined : new Date(time.getTime() + milliseconds);
}

function functionOf(event: HistoryEvent): string | undefined {
  const { resource } = event.lambdaFunctionScheduledEventDetails ?? {};
  if (resource !== undefined) return resource;
  const { parameters, resourceType } = event.taskScheduledEventDetails ?? {};
  if (resourceType !== 'lambda') return undefined;
  return /"FunctionName"\s*:\s*"([^"]+)"/.exec(parameters ?? '')?.[1];
}
