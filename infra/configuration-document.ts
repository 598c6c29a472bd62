import { optionGroups, readConfig } from './config.ts';
import { estimateCost } from './cost/estimate.ts';
import prices from './cost/prices.json' with { type: 'json' };
import type { Option } from './options/option-kinds.ts';
import { profiles } from './profiles.ts';

/** The text of docs/configuration.md: every option, from where it is defined. */
export function configurationDocument(): string {
  return [
    introduction,
    profilesSection(),
    ...Object.entries(optionGroups).map(([title, { options }]) => section(title, options)),
  ].join('\n');
}

const introduction = `# Configuration

Every option of the CDK app, made from \`infra/options/\` by \`npm run docs\`. An option is given as CDK context, with
\`-c name=value\` or under \`context\` in \`cdk.json\`. \`-c config=dev\` (the default) and \`-c config=prod\` choose between
two sets of defaults. A value that is not allowed, options that contradict each other and a name that does not exist
are refused before anything is synthesised, with the reason.
`;

function profilesSection(): string {
  const names = Object.keys(profiles) as (keyof typeof profiles)[];
  const set = [...new Set(names.flatMap((name) => Object.keys(profiles[name])))];
  const months = names.map(
    (profile) => estimateCost(readConfig({ config: 'prod', allowHttp: 'true', profile })).monthly,
  );
  const table = [
    ['', ...names.map((name) => `\`${name}\``)],
    ['---', ...names.map(() => '---')],
    ...set.map((option) => [
      `\`${option}\``,
      ...names.map((name) => (profiles[name] as Readonly<Record<string, string>>)[option] ?? ''),
    ]),
    ['**a month, about**', ...months.map((month) => `**$${(Math.round(month / 10) * 10).toLocaleString('en-US')}**`)],
  ];
  return `## Profiles

\`-c config=prod -c profile=<name>\` sets what a site of that size needs; options that are given beside it win. What a
month costs is printed at each synthesis, line by line. Here: the defaults of \`prod\`, at the prices of
${prices.region} of ${prices.date} (\`infra/cost/prices.json\`), at the use that \`infra/cost/usage.ts\` assumes, without taxes
and savings plans.

${table.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}
`;
}

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
