import { operationsOf } from '../../api/operations.ts';
import { PlainError } from '../../api/trouble.ts';
import { serveConsole } from '../../web/serve.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const port = portFrom(given.text('port') ?? '0');
  const operations = operationsOf(session.connection);
  const served = await serveConsole(operations, { port }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new PlainError(`The port ${port} is taken. Without --port, one that is free is used.`);
  });
  session.say(
    `The page shows ${operations.where}. Whoever has its address may act in your name:\n\n  ${served.url}\n\nUp until Ctrl-C.`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  await served.close();
  return exitCodes.succeeded;
};

function portFrom(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65_536) return port;
  throw new UsageError(`--port takes a number from 0 to 65535, not “${text}”.`);
}
