import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readPhasePlan } from '../../console/model/phase-plan.ts';
import { options } from '../../infra/config.ts';
import { untoldErrors } from '../../infra/constructs/watching/rollout-notices.ts';
import { approvalNames, failureNames, refusalNames, waitNames } from '../../lambdas/shared/errors.ts';
import schema from '../../lambdas/shared/install-input.schema.json' with { type: 'json' };
import { contexts, synthesised } from '../infra/synthesised.ts';
import { readDefinition, retriesOf, stateMachineFiles } from '../support/state-machine-checks.ts';
import { anchorOf, firstColumn, localLinks, readDocument, sectionsOf } from './markdown.ts';

const readme = readDocument('README.md');
const runbook = readDocument('docs/runbook.md');
const sections = sectionsOf(runbook);
const definitions = stateMachineFiles().map(readDefinition);

/** Sections that are not about an error name. */
const others = [
  'How to look',
  'Site not put back',
  'The site is held by a rollout that is gone',
  'A rollout was stopped by hand',
  'A backup was not made',
];

describe('the runbook', () => {
  const own = [...waitNames, ...refusalNames, ...failureNames, ...approvalNames];
  const retried = definitions.flatMap(({ States }) => Object.values(States).flatMap(retriesOf));
  const aws = [...new Set(retried)].filter((name) => name.includes('.') && name !== 'States.ALL');
  // AWS's names that call for the same share a section.
  const explained = [...sections.keys()]
    .filter((title) => !others.includes(title) && !title.startsWith('Alarm: '))
    .flatMap((title) => title.split(', '));

  it.each(own)('has a section of its own for %s', (name) => {
    expect([...sections.keys()]).toContain(name);
  });

  it.each(aws)('explains %s, which states retry', (name) => {
    expect(explained).toContain(name);
  });

  it('explains no error that there is not', () => {
    expect(explained.filter((name) => ![...own, ...aws, ...untoldErrors].includes(name))).toEqual([]);
  });

  // Outside of the test: every configuration is synthesised, which takes as long as the computer is busy.
  const linked = (Object.keys(contexts) as (keyof typeof contexts)[])
    .flatMap((configuration) => synthesised(configuration).resources)
    .filter(({ Type, stack }) => /[wW]atching$/.test(stack) && /^AWS::CloudWatch::(Composite)?Alarm$/.test(Type))
    .map(({ Properties }) => /^.+\. What to do: docs\/runbook\.md#(\S+)$/.exec(Properties.AlarmDescription)?.[1]);

  it('has a section for each alarm of each configuration, and for no other', () => {
    const alarms = [...sections.keys()].filter((title) => title.startsWith('Alarm: '));

    expect([...new Set(linked)].sort()).toEqual(alarms.map(anchorOf).sort());
  });

  it('has the sections that messages name', () => {
    const rules = synthesised('prod').resources.filter(
      ({ Type, id }) => Type === 'AWS::Events::Rule' && /^(Rollout|Backup)Notices/.test(id),
    );
    const named = rules.map(({ Properties }) => /runbook\.md#([\w-]+)/.exec(JSON.stringify(Properties.Targets))?.[1]);

    expect(named).toHaveLength(4);
    for (const section of named) expect([...sections.keys()].map(anchorOf)).toContain(section);
  });

  it.each(others)('has the section “%s”', (title) => {
    expect([...sections.keys()]).toContain(title);
  });

  it.each([...sections].filter(([title]) => title !== 'How to look'))('“%s” says all four things', (_, text) => {
    expect([...text.matchAll(/^- \*\*(\w+):\*\* \S/gm)].map(([, word]) => word)).toEqual([
      'Means',
      'Left',
      'Look',
      'Next',
    ]);
  });

  it('looks at log groups, resources and outputs that are deployed', () => {
    const { settings, platform, lifecycle, watching, resources } = synthesised('prod');
    const stacks = { Settings: settings, Platform: platform, Lifecycle: lifecycle, Watching: watching };
    const named = (stack: string, type: string) =>
      resources.filter((resource) => resource.stack === stack.toLowerCase() && resource.Type === type);
    const wrong = [
      ...[...runbook.matchAll(/\blogs (Settings|Platform|Lifecycle|Watching)-(\w+)/g)].filter(
        ([, stack = '', start = '']) =>
          named(stack, 'AWS::Logs::LogGroup').filter(({ id }) => id.startsWith(start)).length !== 1,
      ),
      ...[...runbook.matchAll(/\bresource (\w+) (AWS::[\w:]+)/g)].filter(
        ([, stack = '', type = '']) => named(stack, type).length !== 1,
      ),
      ...[...runbook.matchAll(/(?<![\w-])query '([^']+)'/g)].filter(
        ([, name]) =>
          !resources.some(
            ({ Type, Properties }) => Type === 'AWS::Logs::QueryDefinition' && Properties.Name.endsWith(`/${name}`),
          ),
      ),
      ...[...runbook.matchAll(/\boutput (\w+) (\w+)/g)].filter(
        ([, stack, name = '']) => !Object.hasOwn(stacks[stack as keyof typeof stacks].toJSON().Outputs ?? {}, name),
      ),
    ].map(([words]) => words);
    expect(wrong).toEqual([]);
  });
});

describe('the README', () => {
  const install = readDefinition('install.asl.json');
  const plan = readPhasePlan(install);

  it('lists the phases in their order', () => {
    expect(firstColumn(readme, 'phase')).toEqual(plan.phases.map(({ title }) => title));
  });

  it('draws every state and no other', () => {
    const [, drawing = ''] = /^```mermaid\n(.*?)^```$/ms.exec(readme) ?? [];
    const drawn = [...drawing.matchAll(/\(\[([^\]]+)\]\)/g)].map(([, title]) => title);
    expect([...new Set(drawn)].sort()).toEqual(Object.keys(install.States).sort());
  });

  it('lists the members of the input', () => {
    expect(firstColumn(readme, 'member')).toEqual(Object.keys(schema.properties));
  });

  it('names options that there are', () => {
    const [, context = '{}'] = /"context": (\{[^}]*\})/.exec(readme) ?? [];
    const given = [readme, runbook].flatMap((text) => [...text.matchAll(/-c (\w+)=/g)].map(([, name]) => name));
    const named = [...firstColumn(readme, 'option'), ...Object.keys(JSON.parse(context)), ...given];
    expect(named.filter((name) => name === undefined || (name !== 'name' && !Object.hasOwn(options, name)))).toEqual(
      [],
    );
  });

  it('gives the defaults of the options as they are', () => {
    const rows = readme.split('\n').filter((line) => /^\| `\w+` \|.*\|.*\|.*\|$/.test(line));
    const cells = rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')));
    const plain = cells.flatMap(([, name = '', , dev = '', prod = '']) => {
      const option = Object.entries(options).find(([known]) => known === name)?.[1];
      return option && [option.dev, option.prod].every((value) => value !== undefined) && name !== 'config'
        ? [{ name, written: [dev, prod], actual: [String(option.dev), String(option.prod)] }]
        : [];
    });
    expect(plain.length).toBeGreaterThan(5);
    for (const { name, written, actual } of plain)
      expect({ name, defaults: written }).toEqual({ name, defaults: actual });
  });
});

describe('links', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const documents = ['README.md', 'docs/runbook.md', 'docs/console.md'];

  it.each(documents)('of %s lead somewhere', (document) => {
    const dead = localLinks(readDocument(document)).filter((address) => {
      const [path = '', anchor] = address.split('#');
      const file = path ? normalize(join(dirname(document), path)) : document;
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && ![...sectionsOf(readDocument(file)).keys()].map(anchorOf).includes(anchor);
    });
    expect(dead).toEqual([]);
  });
});
