import { troubleOf } from '../api/trouble.ts';
import type { Screen } from '../terminal.ts';
import { type Arguments, nearest, parseCommandLine, UsageError } from './command-line.ts';
import { exitCodes } from './exit-codes.ts';
import { helpOf, overview } from './help.ts';
import { Session } from './session.ts';
import { helpOption, type Verb } from './verb.ts';
import { verbNamed, verbs } from './verbs.ts';

/** What a command writes to. */
export interface Outputs {
  readonly screen: Screen;
  complain(line: string): void;
}

/**
 * Runs one command.
 *
 * @param words of the command line, after the command's own name
 * @returns the exit code
 * @throws only what is a mistake of ours
 */
export async function runCommand(words: readonly string[], outputs: Outputs): Promise<number> {
  try {
    return await obey(words, outputs);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const verb = verbNamed(words[0] ?? '');
    const about = verb ? [verb.name, choiceIn(verb, words) ?? []].flat().join(' ') : '';
    outputs.complain(`${error.message}\nSee npx lifecycle ${about && `${about} `}--help`);
    return exitCodes.usage;
  }
}

async function obey(words: readonly string[], outputs: Outputs): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const about = name === 'help' && rest[0] !== undefined ? verbOf(rest[0]) : undefined;
    outputs.screen.write(about ? helpOf(about, rest[1]) : overview());
    return name === undefined ? exitCodes.usage : exitCodes.succeeded;
  }
  const verb = verbOf(name);
  if (verb.passesOn) return run(verb, rest, parseCommandLine([], {}), outputs);
  const choice = choiceIn(verb, rest);
  const given = parseCommandLine(rest, { ...verb.options, ...verb.optionsFor?.(choice), ...helpOption });
  if (given.flag('help')) {
    outputs.screen.write(helpOf(verb, choice));
    return exitCodes.succeeded;
  }
  if (given.words.length > verb.words) throw new UsageError(`${name} does not take “${given.words[verb.words]}”.`);
  return run(verb, rest, given, outputs);
}

async function run(verb: Verb, rest: readonly string[], given: Arguments, outputs: Outputs): Promise<number> {
  const session = new Session(outputs.screen, given);
  const module = await verb.load();
  try {
    return await module.run(session, given, rest);
  } catch (error) {
    const trouble = error instanceof UsageError ? undefined : troubleOf(error, session.place);
    if (trouble === undefined) throw error;
    const lookedFor = error instanceof Error && /DoesNotExist|InvalidArn/.test(error.name);
    outputs.complain(`${trouble.words}${lookedFor ? ` It was looked for on ${session.where}.` : ''}`);
    return exitCodes.trouble;
  }
}

/** The word that tells which options there are. */
function choiceIn(verb: Verb, words: readonly string[]): string | undefined {
  const choices = verb.choices?.() ?? [];
  return words.find((word) => choices.includes(word));
}

function verbOf(name: string): Verb {
  const found = verbNamed(name);
  if (found) return found;
  const near = nearest(
    name,
    verbs.map((verb) => verb.name),
  );
  throw new UsageError(`There is no command “${name}”.${near ? ` Did you mean ${near}?` : ''}`);
}
