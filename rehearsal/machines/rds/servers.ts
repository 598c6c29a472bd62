import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';
import { choosePort } from '../ports.ts';
import type { RunningServer } from './engine.ts';
import { engineOf } from './engines.ts';
import { parametersOf } from './parameter-groups.ts';
import type { DatabaseRecord } from './records.ts';

type Server = Pick<DatabaseRecord, 'server'>;

/** The servers that can be reached, by name; and the last of what is to be done with each, one after the other. */
const serversOf = perWorld(() => ({
  running: new Map<string, RunningServer>(),
  queues: new Map<string, Promise<unknown>>(),
}));

export function isRunning(world: World, { server }: Server): boolean {
  return serversOf(world).running.has(server);
}

/** Starts the server of a database at its endpoint, unless it runs. @throws Error when it does not start */
export function startServer(world: World, record: DatabaseRecord): Promise<RunningServer> {
  const { running } = serversOf(world);
  return inTurn(world, record, async () => {
    const known = running.get(record.server);
    if (known) return known;
    const started = await launch(world, record, record.port);
    running.set(record.server, started);
    return started;
  });
}

/** Ends the server and every connection to it. */
export function stopServer(world: World, record: Server): Promise<void> {
  const { running } = serversOf(world);
  return inTurn(world, record, async () => {
    const known = running.get(record.server);
    running.delete(record.server);
    await known?.stop();
  });
}

/** Does something with the server of a database; where none runs, with one that nobody else can find. */
export function withServer(
  world: World,
  record: DatabaseRecord,
  work: (server: RunningServer) => Promise<void>,
): Promise<void> {
  const known = serversOf(world).running.get(record.server);
  if (known) return work(known);
  return inTurn(world, record, async () => {
    const hidden = await launch(world, record, await choosePort(world, `hidden/${record.server}`));
    try {
      await work(hidden);
    } finally {
      await hidden.stop();
    }
  });
}

function launch(world: World, record: DatabaseRecord, port: number): Promise<RunningServer> {
  const { engine, server, of, parameterGroup } = record;
  return engineOf(engine).start(world, server, port, parametersOf(world, of, parameterGroup));
}

/** Two processes must not have the same data. */
function inTurn<Value>(world: World, { server }: Server, work: () => Promise<Value>): Promise<Value> {
  const { queues } = serversOf(world);
  const turn = (queues.get(server) ?? Promise.resolve()).then(work);
  queues.set(
    server,
    turn.catch(() => {}),
  );
  return turn;
}
