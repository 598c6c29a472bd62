import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  type ExecutionListItem,
  ListExecutionsCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { type PastRun, pastRun } from '../model/past-runs.ts';
import type { Machine } from './sites.ts';
import { PlainError } from './trouble.ts';

export interface ListedExecution extends ExecutionListItem {
  /** Name of its state machine. */
  readonly rollout: string;
}

/** Executions of a site's state machines, the newest first, at most so many of each. */
export async function listExecutions(
  client: SFNClient,
  machines: readonly Machine[],
  most: number,
): Promise<ListedExecution[]> {
  const lists = await Promise.all(
    machines.map(async ({ arn, name }) => {
      const { executions = [] } = await client.send(
        new ListExecutionsCommand({ stateMachineArn: arn, maxResults: Math.min(most, 1_000) }),
      );
      return executions.map((execution) => ({ ...execution, rollout: name }));
    }),
  );
  return lists
    .flat()
    .sort((a, b) => (b.startDate?.getTime() ?? 0) - (a.startDate?.getTime() ?? 0))
    .slice(0, most);
}

/** Runs that are compared with: what each had to do is a question of its own to Step Functions. */
const COMPARED = 12;

/** The last runs of a state machine that succeeded. */
export async function pastRunsOf(client: SFNClient, stateMachineArn: string): Promise<PastRun[]> {
  const { executions = [] } = await client.send(
    new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED', maxResults: COMPARED }),
  );
  const runs = await Promise.all(
    executions.map(async (execution) => {
      const { executionArn = '' } = execution;
      const { output } = await client.send(new DescribeExecutionCommand({ executionArn }));
      return pastRun(execution, output) ?? [];
    }),
  );
  return runs.flat();
}

/** The rollout that is looked at when none is named: the one that runs, else the last one. */
export async function currentExecution(client: SFNClient, machines: readonly Machine[]): Promise<string> {
  const rollouts = machines.filter(({ name }) => name !== 'hold');
  const listed = await listExecutions(client, rollouts, 50);
  // A rollout that was refused because of the running one began later.
  const execution = listed.find(({ status }) => status === 'RUNNING' || status === 'PENDING_REDRIVE') ?? listed[0];
  if (execution?.executionArn !== undefined) return execution.executionArn;
  throw new PlainError(
    `The site ${rollouts[0]?.site ?? ''} has had no rollout in the last 90 days. npx lifecycle start install begins one.`,
  );
}

/**
 * The ARN of an execution that is named by its ARN, its name, or a start of its name that no other recent one has.
 *
 * @throws PlainError when there is none, or several
 */
export async function findExecution(
  client: SFNClient,
  word: string,
  machines: () => Promise<readonly Machine[]>,
): Promise<string> {
  if (word.startsWith('arn:')) return word;
  const all = await machines();
  const exact = await Promise.all(all.map(({ arn }) => describe(client, executionArnOf(arn, word))));
  const found = exact.flatMap((execution) => execution?.executionArn ?? []);
  const similar =
    found.length > 0
      ? found
      : (await listExecutions(client, all, 200)).flatMap(({ name, executionArn = '' }) =>
          name?.startsWith(word) ? executionArn : [],
        );
  const [only] = similar;
  if (only !== undefined && similar.length === 1) return only;
  if (similar.length > 1)
    throw new PlainError(`“${word}” may be any of these:\n${similar.map((arn) => `  ${arn}`).join('\n')}`);
  throw new PlainError(
    `There is no execution “${word}” of the site ${all[0]?.site ?? ''}. npx lifecycle history lists those that there are.`,
  );
}

function executionArnOf(stateMachineArn: string, name: string): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}

async function describe(client: SFNClient, executionArn: string): Promise<DescribeExecutionOutput | undefined> {
  try {
    return await client.send(new DescribeExecutionCommand({ executionArn }));
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'ExecutionDoesNotExist' || name === 'InvalidArn') return undefined;
    throw error;
  }
}
