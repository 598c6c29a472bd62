import type { DescribeExecutionOutput, HistoryEvent } from '@aws-sdk/client-sfn';
import { without } from './model/approval.ts';
import type { Definition } from './model/definition.ts';
import { failureIn, type Problem, parsedOr } from './model/evidence.ts';
import { type Figure, figuresOf } from './model/figures.ts';
import { executionLink, functionLogLink, functionNameOf } from './model/links.ts';
import { type NextCommand, nextCommand, type RetryAdvice, retryAdvice, rolloutOf } from './model/next-step.ts';
import { type PastRun, type UsualDuration, usualDuration, workIn } from './model/past-runs.ts';
import { type PhasePlan, type PlannedPhase, readPhasePlan } from './model/phase-plan.ts';
import { type SiteFacts, siteFactsOf } from './model/site-facts.ts';
import {
  type Attempt,
  type History,
  type NextAttempt,
  type Question,
  readHistory,
  type Visit,
} from './model/visits.ts';

export type { Problem } from './model/evidence.ts';
export type { Figure } from './model/figures.ts';
export type { NextCommand, RetryAdvice } from './model/next-step.ts';
export type { PastRun, UsualDuration } from './model/past-runs.ts';
export type { Attempt, NextAttempt, Question } from './model/visits.ts';

/**
 * - `pending`: not begun, may still begin
 * - `waiting`: an attempt ended with an error that is tried again; the next attempt comes by itself
 * - `asking`: a person has to decide
 * - `put back`: had succeeded; the way back says that it undid what this phase did
 * - `not needed`: of a way back that found nothing to put back
 * - `skipped`: will not begin any more in this execution
 */
export type PhaseStatus =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'asking'
  | 'succeeded'
  | 'failed'
  | 'aborted'
  | 'put back'
  | 'not needed'
  | 'skipped';

/**
 * How it stands with the whole rollout.
 * - `failed`: not, or not all, was put back; or there is no way back
 * - `nothing changed`: it failed, or nobody approved, before it had changed anything
 * - `refused`: nothing was touched, or a person said no
 * - `stopped`: by hand; nothing was put back
 */
export type Outcome =
  | 'running'
  | 'asking'
  | 'succeeded'
  | 'failed'
  | 'put back'
  | 'nothing changed'
  | 'refused'
  | 'stopped'
  | 'timed out';

/** One state of the state machine, as the operator sees it. */
export interface Phase {
  /** The state's name. */
  readonly title: string;
  readonly comment: string | undefined;
  readonly status: PhaseStatus;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly attempts: number;
  /** Every attempt, oldest first. */
  readonly timeline: readonly Attempt[];
  /** How the last failed attempt ended; kept while the next one runs, gone when one succeeded. */
  readonly problem: Problem | undefined;
  /** While `waiting`. */
  readonly nextAttempt: NextAttempt | undefined;
  /** While `asking`. */
  readonly question: Question | undefined;
  /** What the phase's function returned. */
  readonly evidence: unknown;
  readonly figures: readonly Figure[];
  /** Where the function's log is: an address in the AWS console, or a file of a rehearsal. */
  readonly log: string | undefined;
}

export interface Failure extends Problem {
  /** The phase that is to blame, where one is. */
  readonly phase: string | undefined;
  /** Of the last phase that had any before the failure; or what the failed phase said when it waited last. */
  readonly lastEvidence: { readonly phase: string; readonly evidence: unknown } | undefined;
}

export interface Progress extends SiteFacts {
  /** As the definition has it. */
  readonly site: string | undefined;
  /** `install`, `plugin-update` or `hold`; undefined for a state machine that is none of ours. */
  readonly rollout: string | undefined;
  readonly stateMachine: string;
  readonly execution: string;
  readonly executionArn: string;
  readonly status: 'running' | 'succeeded' | 'failed' | 'aborted' | 'timed out';
  readonly outcome: Outcome;
  /** Title of the state that ended the execution, where it is one of its own: `Nothing to update`. */
  readonly ending: string | undefined;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly redrivenAt: readonly Date[];
  /** JSON as it was given. */
  readonly input: unknown;
  /** In the order in which they come. */
  readonly phases: readonly Phase[];
  /** What comes after a failure, apart from the phases. */
  readonly wayBack: readonly Phase[];
  /** Why the execution ended without success. */
  readonly failure: Failure | undefined;
  readonly retry: RetryAdvice | undefined;
  /** What to type next, where there is something to do. */
  readonly next: NextCommand | undefined;
  /** How long a rollout that has the same to do usually takes, where that was looked up. */
  readonly usual: UsualDuration | undefined;
  /** The execution in the AWS console; undefined for a rehearsal. */
  readonly console: string | undefined;
}

export interface ReadOptions {
  /** Earlier runs of the same state machine. */
  readonly pastRuns?: readonly PastRun[] | undefined;
  /** Of a rehearsal. */
  readonly rehearsal?: {
    /** To be part of the next command. Absent where that finds the rehearsal by itself. */
    readonly endpointUrl?: string;
    /** Folder that it writes. */
    readonly directory?: string;
    /** How many times faster than on AWS its waits pass. */
    readonly pace?: number;
  };
}

/**
 * Makes the model of a rollout from what the Step Functions API tells, and from nothing else.
 *
 * @param definition Amazon States Language text, from DescribeStateMachineForExecution
 * @param events the whole history, oldest first
 * @throws SyntaxError when the definition is no JSON
 */
export function readProgress(
  definition: string,
  execution: DescribeExecutionOutput,
  events: readonly HistoryEvent[],
  { rehearsal, pastRuns = [] }: ReadOptions = {},
): Progress {
  const plan = readPhasePlan(JSON.parse(definition) as Definition);
  const history = readHistory(events, plan, rehearsal?.pace ?? 1);
  const status = statusOf(execution);
  const logOf = (arn: string) =>
    rehearsal === undefined
      ? functionLogLink(arn)
      : rehearsal.directory && `${rehearsal.directory}/logs/functions/${functionNameOf(arn)}.log`;
  const { phases, wayBack } = phasesOf(plan, history, execution, status, logOf);
  const failure = failureOf(execution, status, phases, wayBack);
  const outcome = outcomeOf(status, phases, wayBack, failure);
  const stateMachine = lastPart(execution.stateMachineArn);
  const rollout = rolloutOf(stateMachine);
  const retry = retryAdvice(execution, history.last);
  const executionArn = execution.executionArn ?? '';
  return {
    site: plan.site,
    rollout,
    stateMachine,
    execution: execution.name ?? lastPart(executionArn),
    executionArn,
    status,
    outcome,
    ending: status === 'succeeded' && history.last?.type === 'Succeed' ? history.last.name : undefined,
    startedAt: execution.startDate,
    endedAt: execution.stopDate,
    redrivenAt: history.redrivenAt,
    input: without(parsedOr(execution.input ?? '{}', execution.input), history.tokens),
    phases,
    wayBack,
    ...siteFactsOf([...phases, ...wayBack]),
    failure,
    retry,
    next: nextCommand({
      executionArn,
      rollout,
      isAsking: outcome === 'asking',
      error: failure?.error,
      retry,
      endpointUrl: rehearsal?.endpointUrl,
    }),
    usual: usualDuration(pastRuns, workIn(phases.map(({ evidence }) => evidence))),
    console: rehearsal === undefined ? executionLink(executionArn) : undefined,
  };
}

/**
 * The token with which a person's decision is told to the execution, if it waits for one.
 *
 * @throws SyntaxError when the definition is no JSON
 */
export function openTokenOf(definition: string, events: readonly HistoryEvent[]): string | undefined {
  return readHistory(events, readPhasePlan(JSON.parse(definition) as Definition), 1).openToken;
}

function phasesOf(
  plan: PhasePlan,
  history: History,
  execution: DescribeExecutionOutput,
  status: Progress['status'],
  logOf: (functionArn: string) => string | undefined,
): { phases: Phase[]; wayBack: Phase[] } {
  const goingBack = plan.wayBack.some(({ title }) => history.visits.has(title));
  // A phase that a choice has led past does not come any more.
  const reached = plan.phases.findLastIndex(({ title }) => history.visits.has(title));
  const undone = undoneBy(plan.wayBack.map(({ title }) => history.visits.get(title)?.evidence));
  const phaseOf =
    (isWayBack: boolean) =>
    (planned: PlannedPhase): Phase => {
      const visit = history.visits.get(planned.title);
      if (!visit) {
        const passed = plan.phases.indexOf(planned) < reached;
        const skipped = status !== 'running' || (goingBack && !isWayBack) || (passed && !isWayBack);
        return { ...planned, ...notVisited, status: skipped ? 'skipped' : 'pending' };
      }
      const evidence = without(visit.evidence, history.tokens);
      const seenFromWayBack = () => {
        if (visit.status !== 'succeeded') return undefined;
        if (undone.has(planned.title)) return 'put back';
        return isWayBack && foundNothing(evidence) ? 'not needed' : undefined;
      };
      return {
        ...planned,
        status: seenFromWayBack() ?? endedStatus(visit, status),
        startedAt: visit.startedAt,
        endedAt: visit.endedAt ?? execution.stopDate,
        attempts: visit.timeline.length,
        timeline: visit.timeline,
        problem: visit.problem,
        nextAttempt: status === 'running' ? visit.nextAttempt : undefined,
        question: status === 'running' ? visit.question : undefined,
        evidence,
        figures: figuresOf(evidence),
        log: visit.functionArn === undefined ? undefined : logOf(visit.functionArn),
      };
    };
  // A history of another definition, for example of a saved file that somebody edited, is shown all the same.
  const strangers = history.unknown.map((title) => ({ title, comment: undefined }));
  return {
    phases: [...plan.phases, ...strangers].map(phaseOf(false)),
    wayBack: plan.wayBack.map(phaseOf(true)),
  };
}

const notVisited = {
  startedAt: undefined,
  endedAt: undefined,
  attempts: 0,
  timeline: [],
  problem: undefined,
  nextAttempt: undefined,
  question: undefined,
  evidence: undefined,
  figures: [],
  log: undefined,
} as const;

/** Titles of the phases whose work the way back says that it undid. */
function undoneBy(evidence: readonly unknown[]): ReadonlySet<string> {
  const titles = evidence.flatMap(
    (each) => (each as { readonly phasesPutBack?: unknown } | null | undefined)?.phasesPutBack ?? [],
  );
  return new Set(titles.map(String));
}

/** What the way back says of the whole rollout. */
const toldBy = (evidence: unknown): unknown => (evidence as { readonly outcome?: unknown } | null | undefined)?.outcome;

const foundNothing = (evidence: unknown) => ['refused', 'nothing changed'].includes(String(toldBy(evidence)));

function statusOf({ status }: DescribeExecutionOutput): Progress['status'] {
  switch (status) {
    case 'SUCCEEDED':
      return 'succeeded';
    case 'FAILED':
      return 'failed';
    case 'ABORTED':
      return 'aborted';
    case 'TIMED_OUT':
      return 'timed out';
    default:
      // RUNNING and PENDING_REDRIVE: goes on by itself.
      return 'running';
  }
}

/** A phase that an execution's end left open did not succeed. */
function endedStatus(visit: Visit, execution: Progress['status']): PhaseStatus {
  const isOpen = visit.endedAt === undefined && visit.status !== 'failed';
  if (execution === 'running' || execution === 'succeeded' || !isOpen) return visit.status;
  return execution === 'failed' ? 'failed' : 'aborted';
}

function outcomeOf(
  status: Progress['status'],
  phases: readonly Phase[],
  wayBack: readonly Phase[],
  failure: Failure | undefined,
): Outcome {
  if (status === 'running') return phases.some((phase) => phase.status === 'asking') ? 'asking' : 'running';
  if (status === 'succeeded' || status === 'timed out') return status;
  if (status === 'aborted') return 'stopped';
  // The first state of the way back puts back; those after it tell.
  const [back] = wayBack;
  if (back?.status !== 'succeeded' && back?.status !== 'not needed') return 'failed';
  if (failure?.error === 'ApprovalRefused') return 'refused';
  const told = toldBy(back.evidence);
  if (told === 'refused' || told === 'nothing changed') return told;
  return told === 'not all put back' ? 'failed' : 'put back';
}

function failureOf(
  execution: DescribeExecutionOutput,
  status: Progress['status'],
  phases: readonly Phase[],
  wayBack: readonly Phase[],
): Failure | undefined {
  if (status === 'running' || status === 'succeeded') return undefined;
  const all = [...phases, ...wayBack];
  const phase = all.find((candidate) => candidate.status === 'failed' || candidate.status === 'aborted');
  const problem = phase?.status === 'failed' ? phase.problem : undefined;
  const until = phase && phases.includes(phase) ? phases.slice(0, phases.indexOf(phase) + 1) : phases;
  const said = phase?.timeline.findLast((attempt) => attempt.problem && attempt.problem !== problem)?.problem?.cause;
  const last =
    phase && phase.evidence === undefined && said
      ? { title: phase.title, evidence: said }
      : until.findLast(({ evidence }) => evidence !== undefined);
  return {
    phase: phase?.title,
    // What Step Functions ends by itself has no cause; the way back then says both in words.
    error: (problem?.cause ? problem.error : execution.error) ?? problem?.error ?? defaultError[status],
    cause: problem?.cause || failureIn(execution.cause) || defaultCause[status],
    lastEvidence: last && { phase: last.title, evidence: last.evidence },
  };
}

const defaultError = { failed: 'States.TaskFailed', aborted: 'Aborted', 'timed out': 'States.Timeout' };
const defaultCause = {
  failed: 'Step Functions gives no cause.',
  aborted: 'The execution was stopped by hand.',
  'timed out': 'The execution took longer than its state machine allows.',
};

function lastPart(arn: string | undefined): string {
  return arn?.split(':').at(-1) ?? '';
}
