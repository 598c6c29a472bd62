import { readFileSync } from 'node:fs';
import { executionName, start, whoAmI } from '../../api/actions.ts';
import { inputSchema, rolloutNames } from '../../api/input-schemas.ts';
import { PlainError } from '../../api/trouble.ts';
import { UsageError } from '../command-line.ts';
import { exitCodes } from '../exit-codes.ts';
import { follow } from '../follow.ts';
import { checkInput, inputFrom, parseJson } from '../input-flags.ts';
import type { Run } from '../verb.ts';

export const run: Run = async (session, given) => {
  const [rollout] = given.words;
  if (rollout === undefined || !rolloutNames().includes(rollout)) {
    throw new UsageError(
      `start takes ${rolloutNames().join(' or ')}${rollout === undefined ? '' : `, not “${rollout}”`}.`,
    );
  }
  const schema = inputSchema(rollout);
  const input = { ...(await readInput(given.text('input'))), ...inputFrom(given, schema) };
  await checkInput(input, schema);
  const machine = (await session.machines()).find(({ name }) => name === rollout);
  if (machine === undefined) {
    throw new PlainError(`The site has no state machine ${rollout}. Deploy it: npx cdk deploy --all (README.md).`);
  }
  const { client, where } = session.connection;
  const name = given.text('name') ?? executionName(whoAmI());
  const executionArn = await start(client, machine.arn, JSON.stringify(input), name);
  session.say(`Started ${rollout} of ${machine.site} on ${where}:\n  ${executionArn}\n`);
  if (given.flag('wait') === false) {
    session.say(`It goes on by itself; this shows it:\n  npx lifecycle status --watch ${executionArn}`);
    return exitCodes.running;
  }
  return follow(session, executionArn);
};

/** `--input '{…}'`, `--input @file` or `--input -`. @throws UsageError, PlainError */
async function readInput(given: string | undefined): Promise<object> {
  if (given === undefined) return {};
  const text = given === '-' ? await readAll(process.stdin) : given.startsWith('@') ? readFile(given.slice(1)) : given;
  const input = parseJson(text, '--input');
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new UsageError('--input is no JSON object, such as {"nodes": 3}.');
  }
  return input;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PlainError(`The input cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
}
