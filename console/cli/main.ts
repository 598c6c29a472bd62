import { troubleOf } from '../api/trouble.ts';
import { nearest, parseCommandLine, UsageError } from './command-line.ts';
import { exitCodes } from './exit-codes.ts';
import { helpOf, overview } from './help.ts';
import { Session } from './session.ts';
import { helpOption, type Verb } from './verb.ts';
import { verbNamed, verbs } from './verbs.ts';

async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = name === 'help' && rest[0] !== undefined ? verb(rest[0]) : undefined;
    process.stdout.write(about ? helpOf(about, rest[1]) : overview());
    return name === undefined ? exitCodes.usage : exitCodes.succeeded;
  }
  const asked = verb(name);
  // The first word that is none of the options' tells which options there are.
  const choice = rest.find((word) => asked.choices?.().includes(word));
  const options = { ...asked.options, ...asked.optionsFor?.(choice), ...helpOption };
  if (asked.passesOn) return run(asked, rest, parseCommandLine([], {}));
  const given = parseCommandLine(rest, options);
  if (given.flag('help')) {
    process.stdout.write(helpOf(asked, choice));
    return exitCodes.succeeded;
  }
  if (given.words.length > asked.words) {
    throw new UsageError(`${name} does not take “${given.words[asked.words]}”.`);
  }
  return run(asked, rest, given);
}

async function run(asked: Verb, rest: readonly string[], given: ReturnType<typeof parseCommandLine>): Promise<number> {
  const session = new Session(process.stdout, given);
  const module = await asked.load();
  try {
    return await module.run(session, given, rest);
  } catch (error) {
    const trouble = error instanceof UsageError ? undefined : troubleOf(error, session.place);
    if (trouble === undefined) throw error;
    const looked =
      error instanceof Error && /DoesNotExist|InvalidArn/.test(error.name)
        ? ` It was looked for on ${session.where}.`
        : '';
    process.stderr.write(`${trouble.words}${looked}\n`);
    return exitCodes.trouble;
  }
}

function verb(name: string): Verb {
  const found = verbNamed(name);
  if (found) return found;
  const near = nearest(
    name,
    verbs.map((each) => each.name),
  );
  throw new UsageError(`There is no command “${name}”.${near ? ` Did you mean ${near}?` : ''}`);
}

// What reads our output, such as head, may have enough before we are done.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? exitCodes.succeeded : exitCodes.trouble);
});

const words = process.argv.slice(2);
try {
  process.exitCode = await main(words);
} catch (error) {
  if (error instanceof UsageError) {
    const [name = ''] = words;
    const choice = words.find((word) => verbNamed(name)?.choices?.().includes(word));
    const about = verbNamed(name) ? `${[name, choice ?? []].flat().join(' ')} --help` : '--help';
    process.stderr.write(`${error.message}\nSee npx lifecycle ${about}\n`);
    process.exitCode = exitCodes.usage;
  } else {
    process.stderr.write(
      `${error instanceof Error ? ((process.env.DEBUG ? error.stack : undefined) ?? `${error.name}: ${error.message}`) : String(error)}\n`,
    );
    process.exitCode = exitCodes.trouble;
  }
}
