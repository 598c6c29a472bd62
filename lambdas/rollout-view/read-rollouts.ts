import {
  DescribeExecutionCommand,
  DescribeStateMachineForExecutionCommand,
  type ExecutionListItem,
  ListExecutionsCommand,
  paginateGetExecutionHistory,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { type SeenPhase, seenPhases, words } from './phases.ts';

export interface SeenRollout {
  /** As operators call it, for example `install`. */
  readonly name: string;
  readonly execution: ExecutionListItem;
  /** Why it did not succeed. */
  readonly cause: string | undefined;
  /** Of those that run, and of the last one; undefined for the others. */
  readonly phases: readonly SeenPhase[] | undefined;
}

export interface SeenRollouts {
  /** The newest first. */
  readonly rollouts: readonly SeenRollout[];
  /** Milliseconds that those of a name took that succeeded, in the middle of them. */
  readonly median: ReadonlyMap<string, number>;
}

/** Executions looked at, per state machine. */
const looked = 20;
/** Rollouts listed. */
const listed = 8;
/** One rollout runs on a site at a time; a second is one that is being refused. */
const drawn = 2;

/**
 * What runs now and what ran last.
 *
 * @param machines ARNs of the state machines by the names of the rollouts
 */
export async function readRollouts(
  client: SFNClient,
  machines: Readonly<Record<string, string>>,
): Promise<SeenRollouts> {
  const found = await Promise.all(
    Object.entries(machines).map(async ([name, stateMachineArn]) => {
      const { executions = [] } = await client.send(new ListExecutionsCommand({ stateMachineArn, maxResults: looked }));
      return executions.map((execution) => ({ name, execution }));
    }),
  );
  const newest = found
    .flat()
    .sort((a, b) => (b.execution.startDate?.getTime() ?? 0) - (a.execution.startDate?.getTime() ?? 0));
  const running = newest.filter(({ execution }) => execution.status === 'RUNNING');
  const withPhases = new Set((running.length > 0 ? running : newest).slice(0, running.length > 0 ? drawn : 1));
  const shown = newest.filter((each, index) => index < listed || withPhases.has(each));
  return {
    rollouts: await Promise.all(
      shown.map(async (each) => ({
        ...each,
        cause: await causeOf(client, each.execution),
        phases: withPhases.has(each) ? await phasesOf(client, each.execution) : undefined,
      })),
    ),
    median: new Map(
      found.flatMap((of) => (of[0] ? [[of[0].name, medianOf(of.map(({ execution }) => execution))] as const] : [])),
    ),
  };
}

async function causeOf(client: SFNClient, { executionArn, status }: ExecutionListItem): Promise<string | undefined> {
  if (status === 'RUNNING' || status === 'SUCCEEDED' || status === 'PENDING_REDRIVE') return undefined;
  const { error, cause } = await client.send(new DescribeExecutionCommand({ executionArn }));
  return words(cause) || error;
}

async function phasesOf(client: SFNClient, { executionArn, status }: ExecutionListItem): Promise<SeenPhase[]> {
  const { definition = '' } = await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
  const events = [];
  // At most 25 pages: an execution has no more events.
  for await (const page of paginateGetExecutionHistory({ client, pageSize: 1000 }, { executionArn })) {
    events.push(...(page.events ?? []));
  }
  return seenPhases(definition, status, events);
}

function medianOf(executions: readonly ExecutionListItem[]): number {
  const took = executions
    .filter(({ status }) => status === 'SUCCEEDED')
    .map(({ startDate, stopDate }) => (stopDate?.getTime() ?? 0) - (startDate?.getTime() ?? 0))
    .sort((a, b) => a - b);
  return took[Math.floor(took.length / 2)] ?? Number.NaN;
}
