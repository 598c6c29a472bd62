import { DescribeExecutionCommand, ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { parsedOr } from '../model/evidence.ts';
import type { Machine } from './sites.ts';

/** A person who holds the site, so that no rollout begins. */
export interface OperatorHold {
  readonly operator: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
}

/** As the last execution that held or released the site says it; undefined where nobody holds it. */
export async function operatorHoldOf(
  client: SFNClient,
  machines: readonly Machine[],
): Promise<OperatorHold | undefined> {
  const machine = machines.find(({ name }) => name === 'hold');
  if (machine === undefined) return undefined;
  const { executions: [last] = [] } = await client.send(
    new ListExecutionsCommand({ stateMachineArn: machine.arn, statusFilter: 'SUCCEEDED', maxResults: 1 }),
  );
  if (last?.executionArn === undefined) return undefined;
  const { input, output } = await client.send(new DescribeExecutionCommand({ executionArn: last.executionArn }));
  const { action } = parsedOr(input ?? '{}', {}) as { readonly action?: unknown };
  const { operator, reason, since } = parsedOr(output ?? '{}', {}) as Partial<OperatorHold>;
  return action === 'hold' && operator !== undefined && reason !== undefined && since !== undefined
    ? { operator, reason, since }
    : undefined;
}
