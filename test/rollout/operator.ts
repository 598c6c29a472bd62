import { runCommand } from '../../console/cli/run.ts';
import type { Site } from './site.ts';

/**
 * Types a command that an operator is told, `npx lifecycle …`, as told, and reads what it shows.
 *
 * @param more words after it
 * @throws Error when it complains
 */
export async function obey(site: Site, command: string, ...more: string[]): Promise<string> {
  const [npx, lifecycle, ...words] = command.split(' ');
  if (npx !== 'npx' || lifecycle !== 'lifecycle') throw new Error(`“${command}” is no command to type.`);
  let shown = '';
  let complaint = '';
  const before = process.env.AWS_ENDPOINT_URL;
  process.env.AWS_ENDPOINT_URL = site.account.endpoint;
  try {
    await runCommand([...words, ...more], {
      screen: { write: (text) => (shown += text) },
      complain: (line) => {
        complaint += `${line}\n`;
      },
    });
  } finally {
    if (before === undefined) delete process.env.AWS_ENDPOINT_URL;
    else process.env.AWS_ENDPOINT_URL = before;
  }
  if (complaint) throw new Error(`“${command}” was refused: ${complaint}`);
  return shown;
}

/** Types the command that leads on after a failure. @returns ARN of the execution that it began or resumed */
export async function tryAgain(site: Site, command = ''): Promise<string> {
  const shown = await obey(site, command, '--no-wait');
  const arn = /^ {2}(arn:aws:states:\S+)$/m.exec(shown)?.[1];
  if (!arn) throw new Error(`“${command}” names no execution that it began:\n${shown}`);
  return arn;
}
