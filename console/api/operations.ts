import { formatHistory } from '../model/history-file.ts';
import { readProgress } from '../progress.ts';
import type { Operations } from '../web/operations.ts';
import { decide, executionName, retry, start, stop, whoAmI } from './actions.ts';
import type { Connection } from './connect.ts';
import { listExecutions, pastRunsOf } from './executions.ts';
import { inputNames, inputSchema } from './input-schemas.ts';
import { RecordingReader } from './recording.ts';
import { findMachines } from './sites.ts';
import { troubleOf } from './trouble.ts';

/** Past runs of each kind that are listed. */
const LISTED = 20;

/** What the page asks for and does, by the same means as the command line. */
export function operationsOf(connection: Connection): Operations {
  const { client, place, read, where } = connection;
  return {
    where,
    wordsOf(error) {
      const trouble = troubleOf(error, place);
      return trouble?.words ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    },
    async list() {
      const machines = await findMachines(client);
      const sites = [...new Set(machines.map(({ site }) => site))].sort();
      return Promise.all(
        sites.map(async (site) => ({
          site,
          rollouts: await Promise.all(
            machines
              .filter((machine) => machine.site === site)
              .map(async (machine) => ({
                rollout: machine.name,
                stateMachineArn: machine.arn,
                inputSchema: inputNames().includes(machine.name) ? inputSchema(machine.name) : undefined,
                runs: (await listExecutions(client, [machine], LISTED)).map(
                  ({ executionArn = '', name = '', status = '', startDate, stopDate }) => ({
                    executionArn,
                    name,
                    status,
                    startedAt: startDate?.toISOString(),
                    endedAt: stopDate?.toISOString(),
                  }),
                ),
              })),
          ),
        })),
      );
    },
    follow(executionArn) {
      const reader = new RecordingReader(client, executionArn);
      const machine = executionArn.replace(/:execution:([^:]+):.*$/, ':stateMachine:$1');
      const pastRuns = pastRunsOf(client, machine).catch(() => undefined);
      return async () => {
        const { definition, execution, events } = await reader.read();
        return readProgress(definition, execution, events, { ...read, pastRuns: await pastRuns });
      };
    },
    start: (stateMachineArn, input) => start(client, stateMachineArn, input, executionName(whoAmI())),
    stop: (executionArn, reason) => stop(client, executionArn, whoAmI(), reason || undefined),
    retry: async (executionArn) => (await retry(connection, executionArn)).executionArn,
    async decide(executionArn, decision, reason) {
      const recording = await new RecordingReader(client, executionArn).read();
      await decide(client, recording, {
        approved: decision === 'approve',
        by: whoAmI(),
        comment: reason || undefined,
      });
    },
    save: async (executionArn) => formatHistory(await new RecordingReader(client, executionArn).read()),
  };
}
