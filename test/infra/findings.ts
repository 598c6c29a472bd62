import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { type AcknowledgedPattern, acknowledgedPatterns } from '../../infra/acknowledge.ts';
import { MoodleApp } from '../../infra/moodle-app.ts';
import { cloudProviders } from '../../rehearsal/cloud.ts';
import { machineProviders } from '../../rehearsal/machines/index.ts';
import { readAssembly } from '../../rehearsal/template/assembly.ts';
import { unknownIn } from '../../rehearsal/template/deploy.ts';
import { withoutTraces } from './synthesised.ts';

interface Report {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly severity?: string;
      readonly violatingConstructs: readonly { readonly constructPath?: string }[];
    }[];
  }[];
}

/**
 * Synthesises a configuration and has CloudFormation's schemas, two packs of cdk-nag and the rehearsal look at it.
 *
 * @returns what they object to and no construct acknowledges: `<rule> at <path>`, sorted; and what is not rehearsed
 */
export function findingsOf(context: Readonly<Record<string, string>>): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-findings-'));
  try {
    const code = join(directory, 'code');
    mkdirSync(code);
    writeFileSync(join(code, 'index.mjs'), 'export const handler = async () => ({});\n');
    const outdir = join(directory, 'cdk.out');
    const app = new MoodleApp(
      { outdir, context: { ...context, ...withoutTraces }, builtinCloudFormationValidation: true, treeMetadata: false },
      () => ({ folderOf: () => code }),
    );
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app) as never, new NIST80053R5Checks(app) as never);
    return [...synthesiseAndReport(app, outdir), ...notRehearsed(outdir)];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function synthesiseAndReport(app: App, outdir: string): string[] {
  try {
    app.synth();
    return [];
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ValidationFailed')) throw error;
  }
  const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as Report;
  return report.pluginReports
    .flatMap(({ violations }) => violations)
    .filter(({ severity }) => severity !== 'warning')
    .flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs
        .filter(({ constructPath = '' }) => !isAcknowledged(app, constructPath, ruleName))
        .map(({ constructPath }) => `${ruleName} at ${constructPath}`),
    )
    .sort();
}

const providers = new Map([...cloudProviders, ...machineProviders].map((provider) => [provider.type, provider]));

/** A rehearsal refuses what it does not know: no options may lead there. */
function notRehearsed(outdir: string): string[] {
  return readAssembly(outdir).stacks.flatMap(({ template }) => unknownIn(template.Resources, providers));
}

/** By a pattern at the construct or at one that it stands in; the literal ones CDK has left out already. */
function isAcknowledged(app: App, path: string, ruleName: string): boolean {
  const [, rule = '', finding = ''] = /^([^[]+)\[(.*)\]$/s.exec(ruleName) ?? [];
  return constructsOn(app, path)
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === acknowledgedPatterns)
    .map(({ data }) => data as AcknowledgedPattern)
    .some((pattern) => pattern.rule === rule && new RegExp(pattern.finding, 's').test(finding));
}

function constructsOn(app: App, path: string): IConstruct[] {
  const constructs: IConstruct[] = [app];
  for (const id of path.split('/')) {
    const child = constructs.at(-1)?.node.tryFindChild(id);
    if (child === undefined) break;
    constructs.push(child);
  }
  return constructs;
}
