import { wrap } from '../words.ts';
import { type Options, spelling } from './command-line.ts';
import { type Exit, exitCodes, exitWords } from './exit-codes.ts';
import { helpOption, type Verb } from './verb.ts';
import { verbs } from './verbs.ts';

const WIDTH = 100;

/** All verbs, one line each. */
export function overview(): string {
  const rows = verbs.map(({ name, summary }): [string, string] => [name, summary]);
  return [
    'Sees and steers the rollouts of a Moodle site, on AWS or on a rehearsal.',
    '',
    'Usage: npx lifecycle COMMAND [OPTIONS]',
    '',
    'Commands',
    ...table(rows),
    '',
    'Every command says more with --help. Exit codes',
    ...table(exitRows()),
    '',
  ].join('\n');
}

/** One verb, with its options and examples. */
export function helpOf(verb: Verb, word?: string): string {
  const { name, summary, usage, details = [], examples } = verb;
  const special = verb.optionsFor?.(word) ?? {};
  const choices = verb.choices?.() ?? [];
  const specialTitle =
    word !== undefined && Object.keys(special).length > 0 ? [`Input of ${word}`, ...optionRows(special), ''] : [];
  const more =
    verb.optionsFor && Object.keys(special).length === 0
      ? [
          `The options of each input: ${choices.map((choice) => `npx lifecycle ${name} ${choice} --help`).join(', ')}`,
          '',
        ]
      : [];
  return [
    `${summary}.`,
    '',
    `Usage: npx lifecycle ${name}${usage === undefined ? '' : ` ${usage}`} [OPTIONS]`,
    ...(choices.length > 0 ? [`${usage}: ${choices.join(', ')}`] : []),
    '',
    ...details.flatMap((paragraph) => [...wrap(paragraph, WIDTH), '']),
    ...specialTitle,
    ...more,
    'Options',
    ...optionRows({ ...verb.options, ...helpOption }),
    '',
    'Examples',
    ...table(examples.map(([command, what]): [string, string] => [`npx lifecycle ${command}`, what])),
    '',
  ].join('\n');
}

function optionRows(options: Options): string[] {
  return table(
    Object.entries(options).map(([name, option]): [string, string] => {
      const { value, doc, multiple } = option;
      return [`${spelling(name, option)}${value === undefined ? '' : ` ${value}`}${multiple ? ' …' : ''}`, doc];
    }),
  );
}

function exitRows(): [string, string][] {
  return (Object.entries(exitWords) as [Exit, string][]).map(([exit, words]) => [String(exitCodes[exit]), words]);
}

/** Two columns; what does not fit beside the first stands below it. */
function table(rows: readonly (readonly [string, string])[]): string[] {
  const widest = Math.min(32, Math.max(...rows.map(([first]) => first.length)));
  return rows.flatMap(([first, second]) => {
    const lines = second === '' ? [] : wrap(second, WIDTH - widest - 4);
    const [beside = '', ...below] = lines;
    const indent = ' '.repeat(widest + 4);
    return first.length > widest
      ? [`  ${first}`, ...lines.map((line) => `${indent}${line}`)]
      : [`  ${first.padEnd(widest)}  ${beside}`.trimEnd(), ...below.map((line) => `${indent}${line}`)];
  });
}
