import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemplateError } from './errors.ts';
import { sortByDependencies } from './order.ts';

/** A resource of a template as it was synthesised, intrinsic functions and all. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
}

export interface TemplateOutput {
  readonly Value: unknown;
  readonly Export?: { readonly Name: unknown };
  readonly Condition?: string;
  readonly Description?: string;
}

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: string | number;
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, TemplateOutput>>;
}

export interface SynthesisedStack {
  readonly stackName: string;
  readonly template: Template;
}

export interface CloudAssembly {
  /** In an order in which they can be deployed. */
  readonly stacks: readonly SynthesisedStack[];
  /** The region that the stacks were synthesised for; absent when they are for any. */
  readonly region?: string;
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly dependencies?: readonly string[];
  readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
}

const sections = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
];

/**
 * Reads what `cdk synth` wrote.
 *
 * @param directory the folder with manifest.json
 * @throws TemplateError for a kind of artifact or a section of a template that the rehearsal does not know
 */
export function readAssembly(directory: string): CloudAssembly {
  const artifacts = (readJson(join(directory, 'manifest.json')) as { artifacts: Record<string, Artifact> }).artifacts;
  const names: string[] = [];
  for (const [name, { type }] of Object.entries(artifacts)) {
    if (type === 'aws:cloudformation:stack') names.push(name);
    else if (!['cdk:tree', 'cdk:asset-manifest', 'cdk:feature-flag-report'].includes(type)) {
      throw new TemplateError(['manifest.json', name], `the rehearsal does not know artifacts of the type ${type}.`);
    }
  }
  const ordered = sortByDependencies(names, (name) =>
    (artifacts[name]?.dependencies ?? []).filter((dependency) => names.includes(dependency)),
  );
  const regions = new Set(names.map((name) => artifacts[name]?.environment?.split('/').pop() ?? 'unknown-region'));
  if (regions.size > 1) throw new TemplateError(['manifest.json'], `several regions: ${[...regions].join(', ')}.`);
  const [region = 'unknown-region'] = regions;
  return {
    stacks: ordered.map((name) => readStack(directory, name, artifacts[name])),
    ...(region === 'unknown-region' ? {} : { region }),
  };
}

function readStack(directory: string, name: string, artifact: Artifact | undefined): SynthesisedStack {
  const template = readJson(join(directory, artifact?.properties?.templateFile ?? '')) as Template;
  for (const section of Object.keys(template)) {
    if (!sections.includes(section))
      throw new TemplateError([name], `the rehearsal does not know the section ${section}.`);
  }
  return { stackName: artifact?.properties?.stackName ?? name, template };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
