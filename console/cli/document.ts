import { type Options, spelling } from './command-line.ts';
import { exitCodes, exitWords } from './exit-codes.ts';
import { connectionOptions } from './verb.ts';
import { verbs } from './verbs.ts';

const begin = '<!-- Made by npm run docs from console/cli/verbs.ts. -->';
const end = '<!-- End of what npm run docs makes. -->';

/** docs/console.md with its part about the commands made anew. @throws Error when it has no place for that */
export function withCommands(document: string): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/console.md has no “${begin}” before “${end}”.`);
  return `${document.slice(0, from)}${begin}\n\n${commands()}\n${document.slice(to)}`;
}

function commands(): string {
  return [
    '## Commands',
    '',
    ...verbs.flatMap(({ name, usage, summary, details = [], options, examples }) => [
      `### lifecycle ${name}${usage === undefined ? '' : ` ${usage}`}`,
      '',
      [`${summary}.`, ...details].join(' '),
      '',
      ...table(withoutConnection(options)),
      ...examples.map(([command, what]) => `    npx lifecycle ${command}${what === '' ? '' : `    # ${what}`}`),
      '',
    ]),
    '### Where to look',
    '',
    'Every command that talks to Step Functions takes these too.',
    '',
    ...table(connectionOptions),
    '## Exit codes',
    '',
    '| code | means |',
    '|---|---|',
    ...Object.entries(exitWords).map(([exit, words]) => `| ${exitCodes[exit as keyof typeof exitCodes]} | ${words} |`),
    '',
  ].join('\n');
}

function withoutConnection(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(connectionOptions, name)));
}

function table(options: Options): string[] {
  const rows = Object.entries(options).map(([name, option]) => {
    const value = option.value === undefined ? '' : ` ${option.value.replaceAll('|', '\\|')}`;
    return `| \`${spelling(name, option)}${value}\` | ${option.doc} |`;
  });
  return rows.length === 0 ? [] : ['| option | |', '|---|---|', ...rows, ''];
}
