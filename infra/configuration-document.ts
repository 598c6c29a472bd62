import { optionGroups } from './config.ts';
import type { Option } from './options/option-kinds.ts';

/** The text of docs/configuration.md: every option, from where it is defined. */
export function configurationDocument(): string {
  return [introduction, ...Object.entries(optionGroups).map(([title, { options }]) => section(title, options))].join(
    '\n',
  );
}

const introduction = `# Configuration

Every option of the CDK app, made from \`infra/options/\` by \`npm run docs\`. An option is given as CDK context, with
\`-c name=value\` or under \`context\` in \`cdk.json\`. \`-c config=dev\` (the default) and \`-c config=prod\` choose between
two sets of defaults. A value that is not allowed, options that contradict each other and a name that does not exist
are refused before anything is synthesised, with the reason.
`;

function section(title: string, options: Readonly<Record<string, Option<unknown>>>): string {
  const rows = Object.entries(options).map(([name, { doc, allowed, dev, prod }]) => [
    `\`${name}\``,
    doc,
    allowed.split(' | ').join(', '),
    written(dev),
    written(prod),
  ]);
  const table = [['option', 'what it is for', 'allowed', 'dev', 'prod'], rule, ...rows];
  return `## ${title}\n\n${table.map((cells) => `| ${cells.map(inCell).join(' | ')} |`).join('\n')}\n`;
}

const rule = ['---', '---', '---', '---', '---'];

function written(value: unknown): string {
  return value === undefined ? '' : `\`${Array.isArray(value) ? value.join(',') : String(value)}\``;
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
