import type { ExecutionStatus, HistoryEvent } from '@aws-sdk/client-sfn';

/** - `to come`: not begun, may still begin. - `left out`: will not begin any more, or had nothing to put back. */
export type PhaseState = 'done' | 'at work' | 'failed' | 'stopped' | 'to come' | 'left out';

export interface SeenPhase {
  readonly title: string;
  readonly state: PhaseState;
  readonly began: Date | undefined;
  readonly ended: Date | undefined;
  readonly attempts: number;
  /** What its last attempt said that did not succeed: why it waits, or why it failed. */
  readonly note: string | undefined;
}

/** The part of the Amazon States Language that tells what comes after what. */
interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<
    Record<string, { readonly Type: string; readonly Next?: string; readonly Default?: string } | undefined>
  >;
}

interface Visit {
  began: Date | undefined;
  ended: Date | undefined;
  attempts: number;
  problem: string | undefined;
  /** A way back that found nothing to put back. */
  idle: boolean;
}

const visible = new Set(['Task', 'Wait', 'Parallel', 'Map']);

/**
 * The phases of an execution for a glance: those on the way as it is meant, then what else was entered, which is the way
 * back. Deliberately less than the console's model of progress: a widget shows, and answers within its seconds.
 *
 * @param definition Amazon States Language text, from DescribeStateMachineForExecution
 * @param events oldest first
 * @throws SyntaxError when the definition is no JSON
 */
export function seenPhases(
  definition: string,
  status: ExecutionStatus | undefined,
  events: readonly HistoryEvent[],
): SeenPhase[] {
  const visits = readVisits(events);
  const planned = plannedTitles(JSON.parse(definition) as Definition);
  const titles = [...planned, ...[...visits.keys()].filter((title) => !planned.includes(title))];
  const over = status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
  const leftTheWay = titles.slice(planned.length).length > 0;
  return titles.map((title) => {
    const visit = visits.get(title);
    if (!visit) {
      const state = over || leftTheWay ? 'left out' : 'to come';
      return { title, state, began: undefined, ended: undefined, attempts: 0, note: undefined };
    }
    const { began, ended, attempts, problem } = visit;
    return { title, state: stateOf(visit, over, status), began, ended, attempts, note: problem };
  });
}

function stateOf({ ended, problem, idle }: Visit, over: boolean, status: ExecutionStatus | undefined): PhaseState {
  // Left with a problem: to its catcher.
  if (ended && problem === undefined) return idle ? 'left out' : 'done';
  if (ended) return 'failed';
  if (!over) return 'at work';
  return status === 'FAILED' ? 'failed' : 'stopped';
}

/** Titles along `Next`; a choice goes on as it does by default. */
function plannedTitles({ StartAt, States }: Definition): string[] {
  const titles: string[] = [];
  const seen = new Set<string>();
  for (let title: string | undefined = StartAt; title !== undefined && !seen.has(title); ) {
    seen.add(title);
    const state: Definition['States'][string] = States[title];
    if (visible.has(state?.Type ?? '')) titles.push(title);
    title = state?.Next ?? state?.Default;
  }
  return titles;
}

function readVisits(events: readonly HistoryEvent[]): Map<string, Visit> {
  const visits = new Map<string, Visit>();
  const titles = new Map<number, string>();
  for (const event of events) {
    const type = event.type ?? '';
    const entered = event.stateEnteredEventDetails?.name;
    // An event belongs to the state of the event before it in its chain.
    const title = entered ?? titles.get(event.previousEventId ?? 0) ?? '';
    titles.set(event.id ?? 0, title);
    if (entered !== undefined && /^(Task|Wait|Parallel|Map)State/.test(type)) {
      visits.set(entered, {
        began: event.timestamp,
        ended: undefined,
        attempts: 0,
        problem: undefined,
        idle: false,
      });
    }
    const visit = visits.get(title);
    if (!visit) continue;
    if (type === 'LambdaFunctionScheduled' || type === 'TaskScheduled') visit.attempts += 1;
    else if (type === 'LambdaFunctionSucceeded' || type === 'TaskSucceeded') {
      visit.problem = undefined;
      visit.idle = foundNothing(event.lambdaFunctionSucceededEventDetails?.output);
    } else if (/^(LambdaFunction|Task)\w*(Failed|TimedOut)$/.test(type)) visit.problem = problemOf(event);
    else if (type.endsWith('StateExited')) visit.ended = event.timestamp;
  }
  return visits;
}

/** Of the report of a way back (`failureReport`); no other phase gives an `outcome` of these. */
function foundNothing(output: string | undefined): boolean {
  return /"outcome":"(refused|nothing changed)"/.test(output ?? '');
}

function problemOf(event: HistoryEvent): string {
  const details =
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.lambdaFunctionScheduleFailedEventDetails ??
    event.lambdaFunctionStartFailedEventDetails ??
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.taskStartFailedEventDetails ??
    event.taskSubmitFailedEventDetails;
  return words(details?.cause) || (details?.error ?? 'States.Timeout');
}

/** The message of a function's error, which Lambda wraps in JSON; any other cause as it is. */
export function words(cause: string | undefined): string {
  try {
    const { errorMessage } = JSON.parse(cause ?? '') as { readonly errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : (cause ?? '');
  } catch {
    return cause ?? '';
  }
}
