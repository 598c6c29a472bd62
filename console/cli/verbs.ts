import { inputSchema, rolloutNames } from '../api/input-schemas.ts';
import type { Option } from './command-line.ts';
import { optionsOf } from './input-flags.ts';
import { connectionOptions, type Verb } from './verb.ts';

const json: Option = { type: 'boolean', doc: 'the same as JSON, as console/progress.schema.json describes it' };
const yes: Option = { type: 'boolean', doc: 'do not ask first' };
const wait: Option = {
  type: 'boolean',
  negative: true,
  doc: 'do not show the rollout until it ends; the exit code is 8 then',
};
const reason: Option = { type: 'string', value: 'TEXT', doc: 'why, in one line; others read it' };
const as: Option = {
  type: 'string',
  value: 'NAME',
  doc: 'who you are, as others shall read it (default user@computer)',
};
const one = 'EXECUTION is an ARN, a name or the start of one; without it the rollout that runs, or else the last one.';
const oneOrFile = `${one} FILE is a saved history.`;

export const verbs: readonly Verb[] = [
  {
    name: 'start',
    summary: 'Start a rollout and show it until it ends',
    usage: 'ROLLOUT',
    words: 1,
    choices: rolloutNames,
    options: {
      ...connectionOptions,
      input: {
        type: 'string',
        value: 'JSON|@FILE|-',
        doc: 'the input as JSON, from a file, or from standard input; options win over it',
      },
      name: { type: 'string', value: 'NAME', doc: 'name of the execution, letters, digits, - and _' },
      wait,
    },
    optionsFor: (rollout) =>
      rollout !== undefined && rolloutNames().includes(rollout) ? optionsOf(inputSchema(rollout)) : {},
    details: ['The input is checked before anything is started. Ctrl-C ends the showing, not the rollout.'],
    examples: [
      ['start install', 'install, or converge an installed site'],
      ['start install --nodes 3 --reason "term begins"', 'options are the members of the input'],
      ['start install --input \'{"nodes": 3}\' --no-wait', 'start, and do not wait'],
      ['start plugin-update --dry-run', 'say what would be updated, and change nothing'],
    ],
    load: () => import('./verbs/start.ts'),
  },
  {
    name: 'status',
    summary: 'Show how a rollout stands',
    usage: '[EXECUTION|FILE]',
    words: 1,
    options: {
      ...connectionOptions,
      watch: { type: 'boolean', doc: 'go on until it ends; Ctrl-C ends the showing alone' },
      json,
    },
    details: [oneOrFile],
    examples: [
      ['status --watch', 'follow the rollout that runs'],
      ['status --json | jq .outcome', 'for a script; the exit code says it too'],
      ['status ./run.json', 'a saved history'],
    ],
    load: () => import('./verbs/status.ts'),
  },
  {
    name: 'history',
    summary: 'List past rollouts, or every attempt of one; save one to a file',
    usage: '[EXECUTION|FILE]',
    words: 1,
    options: {
      ...connectionOptions,
      save: {
        type: 'string',
        value: 'FILE',
        doc: 'write what Step Functions tells of the execution, for others to open',
      },
      limit: { type: 'string', value: 'N', doc: 'how many to list (default 20)' },
      json,
    },
    details: [`${oneOrFile} With --save and no EXECUTION, the current one is saved.`],
    examples: [
      ['history', 'the last rollouts of the site'],
      ['history EXECUTION', 'every attempt of each of its phases'],
      ['history EXECUTION --save run.json', 'so that a colleague can look at it'],
    ],
    load: () => import('./verbs/history.ts'),
  },
  {
    name: 'explain',
    summary: 'Say why a rollout failed or waits, what that means, and what to do',
    usage: '[EXECUTION|FILE]',
    words: 1,
    options: { ...connectionOptions, json },
    details: [oneOrFile],
    examples: [
      ['explain', 'the last rollout'],
      ['explain EXECUTION', 'any of the last 90 days'],
      ['explain ./run.json', 'a saved history'],
    ],
    load: () => import('./verbs/explain.ts'),
  },
  {
    name: 'retry',
    summary: 'Try a rollout again: resume its phase where that can be, else start anew with the same input',
    usage: '[EXECUTION]',
    words: 1,
    options: { ...connectionOptions, wait },
    details: [one, 'It says which of the two it does, and why.'],
    examples: [
      ['retry', 'the last rollout'],
      ['retry EXECUTION --no-wait', ''],
    ],
    load: () => import('./verbs/retry.ts'),
  },
  {
    name: 'stop',
    summary: 'Stop a rollout where it is; nothing is put back',
    usage: '[EXECUTION]',
    words: 1,
    options: { ...connectionOptions, reason, yes },
    details: [one, 'The site stays held by it until a rollout takes it over; retry goes on where it was.'],
    examples: [['stop --reason "wrong image"', '']],
    load: () => import('./verbs/stop.ts'),
  },
  decision(
    'approve',
    'Let a rollout go on that waits for a person',
    'approve --watch',
    () => import('./verbs/approve.ts'),
  ),
  decision(
    'refuse',
    'Have a rollout that waits for a person go back',
    'refuse --reason "exams this week"',
    () => import('./verbs/refuse.ts'),
  ),
  {
    name: 'hold',
    summary: 'Hold the site: no rollout begins until it is released',
    words: 0,
    options: { ...connectionOptions, reason, as },
    details: ['A rollout that runs keeps the site: hold is refused then, with the exit code 5.'],
    examples: [['hold --reason "exam week, until Friday"', '']],
    load: () => import('./verbs/hold.ts'),
  },
  {
    name: 'release',
    summary: 'End the hold of a person, whoever that is',
    words: 0,
    options: { ...connectionOptions, reason, as },
    examples: [['release', '']],
    load: () => import('./verbs/release.ts'),
  },
  {
    name: 'rehearse',
    summary: 'Rehearse an install on this computer; the same as npm start',
    usage: '[OPTIONS OF npm start …]',
    words: 0,
    passesOn: true,
    options: {},
    details: ['While it is up, the other commands find it by themselves.'],
    examples: [
      ['rehearse --keep', 'and stay up'],
      ['rehearse --help', 'its options'],
    ],
    load: () => import('./verbs/rehearse.ts'),
  },
  {
    name: 'console',
    summary: 'Serve a page on this computer that shows and steers rollouts',
    words: 0,
    options: {
      ...connectionOptions,
      port: { type: 'string', value: 'N', doc: 'port of 127.0.0.1 (default: any that is free)' },
    },
    details: ['It is reached from this computer alone, and by the address that is printed alone.'],
    examples: [['console', '']],
    load: () => import('./verbs/console.ts'),
  },
  {
    name: 'completion',
    summary: 'Print a script that completes these commands in your shell',
    usage: 'SHELL',
    words: 1,
    choices: () => ['bash', 'zsh', 'fish'],
    options: {},
    details: [
      'It completes the command lifecycle: put alias lifecycle="npx lifecycle" beside it, or link the command with npm link.',
    ],
    examples: [
      ['completion bash >> ~/.bashrc', ''],
      ['completion zsh > ~/.zfunc/_lifecycle', ''],
      ['completion fish > ~/.config/fish/completions/lifecycle.fish', ''],
    ],
    load: () => import('./verbs/completion.ts'),
  },
];

export function verbNamed(name: string): Verb | undefined {
  return verbs.find((verb) => verb.name === name);
}

/** What a person answers to a rollout that waits for one. */
function decision(name: string, summary: string, example: string, load: Verb['load']): Verb {
  return {
    name,
    summary,
    usage: '[EXECUTION]',
    words: 1,
    options: {
      ...connectionOptions,
      reason,
      as,
      yes,
      watch: { type: 'boolean', doc: 'show it from then on until it ends' },
    },
    details: [one, 'It shows what the decision is about, and asks.'],
    examples: [[example, '']],
    load,
  };
}
