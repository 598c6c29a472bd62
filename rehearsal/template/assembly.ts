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
  readonly Transform?: unknown;
}

export interface SynthesisedStack {
  readonly stackName: string;
  readonly template: Template;
  /** The region that it was synthesised for; absent: any. */
  readonly region?: string;
}

export interface CloudAssembly {
  /** In an order in which they can be deployed. */
  readonly stacks: readonly SynthesisedStack[];
  /** The region of the site; absent when the stacks are for any. */
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
  'Transform',
];

/** Only adds Secrets Manager's own function to a rotation, which is not rehearsed. */
const knownTransforms: readonly unknown[] = [undefined, 'AWS::SecretsManager-2024-09-16'];

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
  const stacks = ordered.map((name) => readStack(directory, name, artifacts[name]));
  const region = regionOf(stacks);
  return { stacks, ...(region === undefined ? {} : { region }) };
}

/** What CloudFront takes comes from us-east-1, wherever the site is: of two regions the site's is the other. */
function regionOf(stacks: readonly SynthesisedStack[]): string | undefined {
  const regions = [...new Set(stacks.map(({ region }) => region))];
  const own = regions.length > 1 ? regions.filter((region) => region !== 'us-east-1') : regions;
  if (own.length > 1) throw new TemplateError(['manifest.json'], `several regions: ${regions.join(', ')}.`);
  return own[0];
}

function readStack(directory: string, name: string, artifact: Artifact | undefined): SynthesisedStack {
  const template = readJson(join(directory, artifact?.properties?.templateFile ?? '')) as Template;
  for (const section of Object.keys(template)) {
    if (!sections.includes(section))
      throw new TemplateError([name], `the rehearsal does not know the section ${section}.`);
  }
  if (!knownTransforms.includes(template.Transform)) {
    throw new TemplateError([name], `the rehearsal does not know the transform ${JSON.stringify(template.Transform)}.`);
  }
  const region = artifact?.environment?.split('/').pop() ?? 'unknown-region';
  return {
    stackName: artifact?.properties?.stackName ?? name,
    template,
    ...(region === 'unknown-region' ? {} : { region }),
  };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
