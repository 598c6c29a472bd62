import { exitCodes } from './exit-codes.ts';
import { runCommand } from './run.ts';

const complain = (line: string) => process.stderr.write(`${line}\n`);

// What reads our output, such as head, may have enough before we are done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.succeeded : exitCodes.trouble);
});

try {
  process.exitCode = await runCommand(process.argv.slice(2), { screen: process.stdout, complain });
} catch (error) {
  // Only our own mistakes show a stack, and only to who asks for it.
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  complain(process.env.DEBUG ? (stack ?? message) : `${name}: ${message}`);
  process.exitCode = exitCodes.trouble;
}
