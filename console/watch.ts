import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  DescribeStateMachineForExecutionCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { type Progress, readProgress } from './progress.ts';
import type { ProgressView } from './terminal.ts';

export interface WatchOptions {
  /** Between two looks. Default 1,000. */
  readonly everyMilliseconds?: number;
  /** Of a rehearsal, to be part of the next command. */
  readonly endpointUrl?: string;
  /** Ends the watching, not the execution. */
  readonly signal?: AbortSignal;
}

/**
 * Shows an execution until it ends.
 *
 * @returns the last state seen; still `running` when the signal ended the watching
 * @throws the SDK's errors, for example ExecutionDoesNotExist
 */
export async function watchRollout(
  client: SFNClient,
  executionArn: string,
  view: ProgressView,
  options: WatchOptions = {},
): Promise<Progress> {
  const { definition } = await client.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
  for (;;) {
    // Described before the history is read: an execution that has ended has its whole history.
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
    const progress = readProgress(
      definition ?? '',
      execution,
      await readHistory(client, executionArn),
      options.endpointUrl,
    );
    if (progress.status !== 'running') {
      view.end(progress);
      return progress;
    }
    view.update(progress);
    await sleep(options.everyMilliseconds ?? 1_000, undefined, options.signal ? { signal: options.signal } : {}).catch(
      () => undefined,
    );
    if (options.signal?.aborted) {
      view.close();
      return progress;
    }
  }
}

async function readHistory(client: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for await (const page of paginateGetExecutionHistory({ client, pageSize: 1_000 }, { executionArn })) {
    events.push(...(page.events ?? []));
  }
  return events;
}
