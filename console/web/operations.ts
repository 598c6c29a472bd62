import type { Progress } from '../progress.ts';

/** An execution in a list. */
export interface RolloutRun {
  readonly executionArn: string;
  readonly name: string;
  /** As Step Functions says it: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE. */
  readonly status: string;
  /** ISO 8601. */
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
}

/** A state machine of a site. */
export interface RolloutKind {
  /** `install`, `plugin-update` or `hold`. */
  readonly rollout: string;
  readonly stateMachineArn: string;
  /** JSON Schema of its input; absent: it cannot be started from here. */
  readonly inputSchema: unknown;
  /** Newest first. */
  readonly runs: readonly RolloutRun[];
}

export interface SiteRollouts {
  readonly site: string;
  readonly rollouts: readonly RolloutKind[];
}

/** What the page looks at and does, on AWS or on a rehearsal. */
export interface Operations {
  /** `eu-west-1, account 123456789012` or `rehearsal at http://127.0.0.1:4566`. */
  readonly where: string;
  /** What an error of these operations means, and what to do about it. */
  wordsOf(error: unknown): string;
  list(): Promise<readonly SiteRollouts[]>;
  /** A look at an execution that is asked for again and again; each reads what is new. */
  follow(executionArn: string): () => Promise<Progress>;
  /** @returns ARN of the execution */
  start(stateMachineArn: string, input: string): Promise<string>;
  stop(executionArn: string, reason: string): Promise<void>;
  /** Redrives it where Step Functions can go on in a phase, else starts again. @returns ARN of the execution to follow */
  retry(executionArn: string): Promise<string>;
  decide(executionArn: string, decision: 'approve' | 'refuse', reason: string): Promise<void>;
  /** @returns text of a file that this page opens again */
  save(executionArn: string): Promise<string>;
}
