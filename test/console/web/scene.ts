import { type Connection, connect } from '../../../console/api/connect.ts';
import { operationsOf } from '../../../console/api/operations.ts';
import type { Recording } from '../../../console/api/recording.ts';
import { serveConsole, type WebConsole } from '../../../console/web/serve.ts';
import { ApiServer } from '../api-server.ts';

/** The page's own server over the real client, with recorded executions on the wire. */
export interface Scene {
  readonly api: ApiServer;
  readonly console: WebConsole;
  /** Without the token. */
  readonly origin: string;
  /** Of the page's address; whoever has it may act. */
  readonly token: string;
  close(): Promise<void>;
}

/** @param as what the connection says of itself, in place of the address that this computer had free */
export async function openScene(as: Partial<Pick<Connection, 'where' | 'read'>> = {}): Promise<Scene> {
  const api = await ApiServer.open();
  const connection = { ...connect({ endpointUrl: api.url }, {}, () => []), ...as };
  const served = await serveConsole(operationsOf(connection), { port: 0 });
  const { origin, hash } = new URL(served.url);
  return {
    api,
    console: served,
    origin,
    token: hash.replace('#token=', ''),
    async close() {
      await served.close();
      await api.close();
    },
  };
}

/** The same, so much earlier or later that its last event is at that moment. */
export function lastEventAt(recording: Recording, moment: Date): Recording {
  const last = recording.events.at(-1)?.timestamp;
  const difference = moment.getTime() - (last?.getTime() ?? 0);
  const moved = (time: Date | undefined) => time && new Date(time.getTime() + difference);
  const { execution } = recording;
  const startDate = moved(execution.startDate);
  const stopDate = moved(execution.stopDate);
  return {
    ...recording,
    execution: { ...execution, ...(startDate && { startDate }), ...(stopDate && { stopDate }) },
    events: recording.events.map((event) => ({ ...event, timestamp: moved(event.timestamp) })),
  };
}

/** The same under another name of its own, and as an execution of that state machine. */
export function named(recording: Recording, stateMachine: string, name: string): Recording {
  const stateMachineArn = `arn:aws:states:eu-west-1:111122223333:stateMachine:${stateMachine}`;
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return { ...recording, execution: { ...recording.execution, stateMachineArn, executionArn, name } };
}
