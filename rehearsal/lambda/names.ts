import { Socket } from 'node:net';

/** `name:port` and the port of this computer in its place, as JSON; only in the process of a function. */
export const namesVariable = 'REHEARSAL_NAMES';

type Options = { host?: string; port?: number | string };

/** Lets connections to names of the rehearsal go to where their servers are: what DNS does on AWS. */
export function followNames(connections: Readonly<Record<string, number>>): void {
  if (Object.keys(connections).length === 0) return;
  const connect = Socket.prototype.connect;
  const redirected = (options: Options): Options => {
    const port = connections[`${options.host?.toLowerCase()}:${options.port}`];
    return port === undefined ? options : { ...options, host: '127.0.0.1', port };
  };
  Socket.prototype.connect = function (this: Socket, ...words: unknown[]) {
    const [first, ...rest] = words;
    // Node passes its own normalised arguments as one list, which carries a mark of its own.
    if (Array.isArray(first)) first[0] = redirected(first[0] as Options);
    const options = typeof first === 'object' && first !== null && !Array.isArray(first) ? redirected(first) : first;
    return Reflect.apply(connect, this, [options, ...rest]) as Socket;
  } as typeof connect;
}
