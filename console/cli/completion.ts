import { type Options, spelling } from './command-line.ts';
import { helpOption, type Verb } from './verb.ts';
import { verbs } from './verbs.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function isShell(word: string): word is Shell {
  return shells.some((shell) => shell === word);
}

/** A script that completes the command `lifecycle` from the same table that its help is made from. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}

/** A verb with one of its first words, or without. */
interface Line {
  readonly verb: Verb;
  readonly choice: string | undefined;
  readonly options: Options;
}

function lines(): Line[] {
  return verbs.flatMap((verb): Line[] => {
    const base = { ...verb.options, ...helpOption };
    const choices = verb.optionsFor ? (verb.choices?.() ?? []) : [];
    return [
      { verb, choice: undefined, options: base },
      ...choices.map((choice) => ({ verb, choice, options: { ...base, ...verb.optionsFor?.(choice) } })),
    ];
  });
}

function optionWords(options: Options): string[] {
  return Object.entries(options).map(([name, option]) => spelling(name, option));
}

const takesFile = (name: string) => ['input', 'save'].includes(name);

function bash(): string {
  const optionCases = lines().map(
    ({ verb, choice, options }) => `    '${verb.name} ${choice ?? ''}') words='${optionWords(options).join(' ')}' ;;`,
  );
  const valueCases = new Map(
    lines().flatMap(({ options }) =>
      Object.entries(options).flatMap(([name, { values }]): [string, string][] =>
        values ? [[`--${name}`, values.join(' ')]] : [],
      ),
    ),
  );
  const choiceCases = verbs.flatMap(({ name, choices }) =>
    choices ? [`    ${name}) words='${choices().join(' ')}' ;;`] : [],
  );
  return `# bash completion for lifecycle
_lifecycle() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb= choice= words= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      *) if [ -z "$verb" ]; then verb=$word; elif [ -z "$choice" ]; then choice=$word; fi ;;
    esac
  done
  case $previous in
${[...valueCases].map(([option, values]) => `    ${option}) COMPREPLY=($(compgen -W '${values}' -- "$current")); return ;;`).join('\n')}
    --input | --save) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ -z "$verb" ]; then
    COMPREPLY=($(compgen -W '${verbs.map(({ name }) => name).join(' ')} --help' -- "$current"))
    return
  fi
  if [[ $current != -* && -z $choice ]]; then
    case $verb in
${choiceCases.join('\n')}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -X '!*.json' -- "$current"))
    return
  fi
  case "$verb $choice" in
${optionCases.filter((line) => !line.includes(" ')")).join('\n')}
    *) case "$verb " in
${optionCases.filter((line) => line.includes(" ')")).join('\n')}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _lifecycle lifecycle
`;
}

function zsh(): string {
  const describe = (text: string) => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');
  const argumentsOf = (options: Options) =>
    Object.entries(options).map(([name, option]) => {
      const { type, doc, values, multiple } = option;
      const action = values
        ? `:${name}:(${values.join(' ')})`
        : takesFile(name)
          ? `:${name}:_files`
          : type === 'string'
            ? `:${name}: `
            : '';
      return `'${multiple ? '*' : ''}${spelling(name, option)}[${describe(doc)}]${action}'`;
    });
  const caseOf = ({ verb, choice, options }: Line) => {
    const first = verb.choices
      ? `'1:${verb.usage ?? 'word'}:(${verb.choices().join(' ')})'`
      : verb.words > 0
        ? "'1:execution or file:_files'"
        : '';
    const words = [first, ...argumentsOf(options)].filter(Boolean).join(' \\\n        ');
    return `      ${choice === undefined ? verb.name : `'${verb.name} ${choice}'`})\n        _arguments ${words} ;;`;
  };
  const [special, plain] = [lines().filter(({ choice }) => choice), lines().filter(({ choice }) => !choice)];
  return `#compdef lifecycle
_lifecycle() {
  local -a verbs
  verbs=(
${verbs.map(({ name, summary }) => `    '${name}:${describe(summary)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command verbs
    return
  fi
  local verb=$words[2] choice=$words[3]
  shift words
  (( CURRENT-- ))
  case "$verb $choice" in
${special.map(caseOf).join('\n')}
    *)
      case $verb in
${plain.map(caseOf).join('\n')}
      esac ;;
  esac
}
if [ "$funcstack[1]" = _lifecycle ]; then _lifecycle "$@"; else compdef _lifecycle lifecycle; fi
`;
}

function fish(): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const rows = verbs.map(
    ({ name, summary }) => `complete -c lifecycle -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
  );
  const choices = verbs.flatMap(({ name, choices: words }) =>
    words ? [`complete -c lifecycle -n '__fish_seen_subcommand_from ${name}' -f -a ${quote(words().join(' '))}`] : [],
  );
  const options = lines().flatMap(({ verb, choice, options: all }) => {
    const condition =
      choice === undefined
        ? `__fish_seen_subcommand_from ${verb.name}`
        : `__fish_seen_subcommand_from ${verb.name}; and __fish_seen_subcommand_from ${choice}`;
    const known = choice === undefined ? {} : { ...verb.options, ...helpOption };
    return Object.entries(all)
      .filter(([name]) => !Object.hasOwn(known, name))
      .map(([name, option]) => {
        const { type, doc, values } = option;
        const value = values
          ? ` -x -a ${quote(values.join(' '))}`
          : takesFile(name)
            ? ' -r'
            : type === 'string'
              ? ' -x'
              : '';
        return `complete -c lifecycle -n ${quote(condition)} -l ${spelling(name, option).slice(2)}${value} -d ${quote(doc)}`;
      });
  });
  return `# fish completion for lifecycle\n${[...rows, ...choices, ...options].join('\n')}\n`;
}
