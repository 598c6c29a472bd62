import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Match } from 'aws-cdk-lib/assertions';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../infra/config.ts';
import { pascalCase } from '../../infra/constructs/phase-functions.ts';
import { functionCalledBy, readDefinition, stateMachineFiles } from '../support/state-machine-checks.ts';
import { configOf, contexts, type Resource, synthesised } from './synthesised.ts';

/**
 * What the templates grant against what the code does. The code of each phase is bundled without its packages: what is
 * left are the calls that it can make and the settings that it can read.
 */
const phases = [
  'check-site',
  'build-image',
  'start-one-node',
  'wait-for-install',
  'fix-lastip',
  'configure-cache-stores',
  'enable-session-caching',
  'scale-out',
  'verify-site',
  'release-site',
  'put-back',
  'operator-hold',
  'check-site-for-update',
  'find-updates',
  'take-snapshot',
  'request-approval',
  'upgrade-site',
  'roll-nodes',
  'clean-up',
  'put-back-update',
];

/** IAM's service prefix by the client's package. */
const prefixes: Readonly<Record<string, string>> = {
  'application-auto-scaling': 'application-autoscaling',
  backup: 'backup',
  'cloudwatch-logs': 'logs',
  cloudformation: 'cloudformation',
  codebuild: 'codebuild',
  ecr: 'ecr',
  ecs: 'ecs',
  'elastic-load-balancing-v2': 'elasticloadbalancing',
  elasticache: 'elasticache',
  rds: 'rds',
  'rds-data': 'rds-data',
  s3: 's3',
  'secrets-manager': 'secretsmanager',
  sfn: 'states',
  sns: 'sns',
  ssm: 'ssm',
};

/**
 * Needed by what another call does: ECS starts tasks, and AWS Backup jobs, with roles; what is made with tags is tagged;
 * S3 tells that an object is not there only to whoever may list; the topic is encrypted.
 */
const neededBy: Readonly<Record<string, readonly string[]>> = {
  'ecs:RegisterTaskDefinition': ['iam:PassRole'],
  'ecs:RunTask': ['iam:PassRole'],
  'ecs:UpdateService': ['iam:PassRole'],
  'backup:StartBackupJob': ['iam:PassRole'],
  'rds:CreateDBClusterSnapshot': ['rds:AddTagsToResource'],
  'rds:CreateDBSnapshot': ['rds:AddTagsToResource'],
  's3:GetObject': ['s3:ListBucket'],
  'sns:Publish': ['kms:Decrypt', 'kms:GenerateDataKey*'],
};

describe.each(Object.keys(contexts) as (keyof typeof contexts)[])('phase functions, %s', (configuration) => {
  const { lifecycle, resources } = synthesised(configuration);
  const config = configOf(configuration);

  it.each(phases)('%s may call what its code calls, and nothing else', (phase) => {
    const calls = callsOf(phase).filter((call) => deployed(call, config));
    const needed = new Set([...calls, ...calls.flatMap((call) => neededBy[call] ?? [])]);

    expect(grantedTo(phase).sort()).toEqual([...needed].sort());
  });

  it.each(phases)('%s is given the variables that its code reads, and no others', (phase) => {
    const [[, { Properties }] = ['', { Properties: undefined }]] = Object.entries<Resource>(
      lifecycle.findResources('AWS::Lambda::Function') as Record<string, Resource>,
    ).filter(([id]) => id.startsWith(`Phases${pascalCase(phase)}Function`));
    const given = Object.keys(Properties.Environment.Variables).filter((name) => name !== 'NODE_OPTIONS');

    expect(given.sort()).toEqual(variablesOf(phase, config).sort());
  });

  function grantedTo(phase: string): string[] {
    const statements = resources
      .filter(({ Type, Properties }) => Type === 'AWS::IAM::Policy' && isFor(Properties.Roles, phase))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as { Action: string | string[] }[]);
    const actions = new Set(statements.flatMap(({ Action }) => Action));
    // What Lambda itself needs for every function.
    return [...actions].filter((action) => !/^(logs:(Create|Put)|xray:|ec2:)/.test(action));
  }
});

it('the exam day may do what its code does, and is given what it reads', () => {
  const { lifecycle, resources } = synthesised('instances and exam day');
  const granted = resources
    .filter(({ id, Type }) => Type === 'AWS::IAM::Policy' && id.startsWith('ExamDayScheduleNodes'))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as { Action: string | string[] }[])
    .flatMap(({ Action }) => Action);
  expect(granted.filter((action) => !/^(logs|xray):/.test(action)).sort()).toEqual(
    // Application Auto Scaling asks ECS with the rights of its caller.
    [...callsOf('schedule-nodes'), 'ecs:DescribeServices', 'ecs:UpdateService'].sort(),
  );
  lifecycle.hasResourceProperties('AWS::Lambda::Function', {
    Description: 'Begins and ends an exam day',
    Environment: { Variables: Match.objectLike({ CLUSTER_ARN: Match.anyValue(), PARAMETER_PREFIX: '/moodle/demo' }) },
  });
});

it.each(['dev', 'memcached and network'] as const)(
  'what removes leftovers may do what its code does, %s',
  (configuration) => {
    const granted = synthesised(configuration)
      .resources.filter(({ id, Type }) => Type === 'AWS::IAM::Policy' && id.startsWith('LeftoversRemoveRole'))
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as { Action: string | string[] }[])
      .flatMap(({ Action }) => Action)
      .filter((action) => !/^(logs:(Create|Put)|xray:)/.test(action));
    const calls = callsOf('remove-leftovers').filter((call) => deployed(call, configOf(configuration)));

    expect([...new Set(granted)].sort()).toEqual(calls.sort());
  },
);

it('each state waits longer than its function may take', () => {
  const states = stateMachineFiles().flatMap((file) => Object.values(readDefinition(file).States));
  const functions = Object.entries<Resource>(
    synthesised('dev').lifecycle.findResources('AWS::Lambda::Function') as Record<string, Resource>,
  );
  const checked = states.flatMap((state) => {
    const phase = functionCalledBy(state);
    const found = functions.find(([id]) => phase && id.startsWith(`Phases${phase}Function`));
    if (!found) return [];
    // The approval waits for a person far longer than its function takes.
    if (state.TimeoutSecondsPath === undefined)
      expect(state.TimeoutSeconds, phase).toBeGreaterThan(found[1].Properties.Timeout);
    return [phase];
  });

  expect(new Set(checked).size).toBe(phases.length);
});

function isFor(roles: readonly { Ref: string }[], phase: string): boolean {
  return roles.some(({ Ref }) => Ref.startsWith(`Phases${pascalCase(phase)}Role`));
}

const bundled = new Map<string, string>();

/** The code of a phase without packages, and without the one place that knows every variable. */
function codeOf(phase: string): string {
  const known = bundled.get(phase);
  if (known !== undefined) return known;
  const {
    outputFiles: [output],
  } = buildSync({
    entryPoints: [fileURLToPath(new URL(`../../lambdas/${phase}.ts`, import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    packages: 'external',
    write: false,
    logLevel: 'silent',
  });
  const code = output?.text ?? '';
  const [begin, end] = [
    code.indexOf('function settingsFrom'),
    code.indexOf('\n}\n', code.indexOf('function settingsFrom')),
  ];
  expect(begin).toBeGreaterThan(0);
  const without = code.slice(0, begin) + code.slice(end);
  bundled.set(phase, without);
  return without;
}

function callsOf(phase: string): string[] {
  const code = codeOf(phase);
  const packages = new Map(
    [...code.matchAll(/import \{([^}]+)\} from "@aws-sdk\/client-([a-z0-9-]+)"/g)].flatMap(
      ([, names = '', client = '']) =>
        names.split(',').map((name): [string, string] => [name.trim().split(' as ').at(-1) ?? '', client]),
    ),
  );
  const made = [...code.matchAll(/new (([A-Za-z]+)Command\d*)\(/g)].map(([, name = '', call = '']) => {
    const prefix = prefixes[packages.get(name) ?? ''];
    if (!prefix) throw new Error(`${phase} sends ${name}, of a client that this test does not know.`);
    return `${prefix}:${call}`;
  });
  return [...new Set(made)];
}

/** What is called of a cluster of Aurora, and what of an instance of RDS alone. */
const ofCluster = /^rds:(\w*DBCluster\w*|EnableHttpEndpoint|CreateDBInstance)$/;
const ofInstance = /^rds:(\w*DBSnapshots?|RestoreDBInstance\w+)$/;

/** Code that this configuration never reaches: the other driver's, the other session store's, the other database's. */
function deployed(call: string, { databaseAccess, databaseEngine, sessionStore, cacheKind }: Config): boolean {
  if (ofCluster.test(call)) return databaseEngine.startsWith('aurora-');
  if (ofInstance.test(call)) return !databaseEngine.startsWith('aurora-');
  if (call.startsWith('rds-data:')) return databaseAccess === 'data-api';
  if (call === 'elasticache:DescribeCacheClusters') return sessionStore === 'memcached';
  if (call === 'elasticache:DescribeServerlessCaches') return cacheKind === 'serverless';
  if (call === 'elasticache:DescribeReplicationGroups') return cacheKind === 'node-based';
  return true;
}

/** Read by the drivers of the database: which of them, the configuration decides. */
const both = ['DATABASE_ACCESS', 'DATABASE_ENGINE', 'DATABASE_NAME'];
const ofDriver = [...both, 'DATABASE_CLUSTER_ARN', 'DATABASE_HOST', 'DATABASE_PORT'];

function variablesOf(phase: string, { databaseAccess }: Config): string[] {
  const settings = readFileSync(new URL('../../lambdas/shared/settings.ts', import.meta.url), 'utf8');
  const variables = [...settings.matchAll(/get (\w+)\(\) \{\s+return \w+\((?:text\()?'([A-Z_]+)'/g)];
  expect(variables.length).toBeGreaterThan(30);
  const read = variables
    .filter(([, member]) => new RegExp(`\\b${member}\\b`).test(codeOf(phase)))
    .map(([, , variable = '']) => variable)
    .filter((variable) => !ofDriver.includes(variable));
  const driver =
    databaseAccess === 'network' ? [...both, 'DATABASE_HOST', 'DATABASE_PORT'] : [...both, 'DATABASE_CLUSTER_ARN'];
  return [...new Set(['SITE', ...read, ...driver])];
}
