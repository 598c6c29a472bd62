import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { DISABLE_CREATION_STACK_TRACES, DISABLE_METADATA_STACK_TRACE } from 'aws-cdk-lib/cx-api';
import { afterAll } from 'vitest';
import { type Config, readConfig } from '../../infra/config.ts';
import type { FunctionBundles } from '../../infra/function-bundles.ts';
import { MoodleApp } from '../../infra/moodle-app.ts';

/** A resource of a template, as CloudFormation reads it. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a resource's properties is CloudFormation's, per type.
  readonly Properties?: any;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface Synthesised {
  readonly settings: Template;
  /** Only where CloudFront needs something of us-east-1. */
  readonly edge?: Template;
  /** Only with CloudFront. */
  readonly edgeWatching?: Template;
  readonly platform: Template;
  readonly lifecycle: Template;
  readonly watching: Template;
  /** Every resource of the stacks, with the name of its stack and its logical id. */
  readonly resources: readonly (Resource & { readonly stack: string; readonly id: string })[];
}

const https = {
  domainName: 'moodle.example.org',
  certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555',
};

/** A zone in which the site's name is an alias, and which proves certificates. */
export const zone = {
  domainName: 'moodle.example.org',
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
  hostedZoneName: 'example.org',
} as const;

export const existingNetwork = {
  vpcId: 'vpc-0123456789abcdef0',
  availabilityZones: 'eu-west-1b,eu-west-1c',
  publicSubnetIds: 'subnet-00000000000000001,subnet-00000000000000002',
  nodeSubnetIds: 'subnet-00000000000000003,subnet-00000000000000004',
  dataSubnetIds: 'subnet-00000000000000005,subnet-00000000000000006',
} as const;

/** The configurations that the tests look at. */
export const contexts = {
  dev: {},
  prod: { config: 'prod', ...https },
  'memcached and network': {
    sessionStore: 'memcached',
    databaseAccess: 'network',
    databaseRotationDays: '30',
    notificationEmail: 'operator@example.com',
  },
  'provisioned Aurora MySQL': {
    databaseEngine: 'aurora-mysql',
    databaseCapacity: 'provisioned',
    databaseReader: 'true',
    nat: 'none',
    interfaceEndpoints: 'true',
    sharedCache: 'true',
    cacheEngine: 'redis',
    filesZones: 'one-zone',
    filesThroughput: 'provisioned',
    filesInfrequentAccessDays: '0',
  },
  'MariaDB with a standby': {
    databaseEngine: 'mariadb',
    databaseAccess: 'network',
    databaseMultiAz: 'true',
    cacheKind: 'serverless',
    ...existingNetwork,
    keepData: 'true',
  },
  'instances and exam day': {
    compute: 'ec2',
    cpuTargetPercent: '0',
    scaleOutPercent: '75',
    scaleInPercent: '25',
    requestsPerTarget: '600',
    examDayStart: 'cron(30 7 15 6 ? 2027)',
    examDayEnd: 'cron(0 12 15 6 ? 2027)',
    examDayNodes: '8',
    timeZone: 'Europe/Berlin',
  },
  'CloudFront and a zone': {
    ...zone,
    cloudFront: 'true',
    waf: 'true',
    stickiness: 'true',
    originTimeoutSeconds: '180',
  },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

/** What the options of a configuration are, after defaults. */
export function configOf(configuration: keyof typeof contexts): Config {
  return readConfig(contexts[configuration]);
}

/** CDK then remembers of no construct where it was made, which takes a tenth of a synthesis. */
export const withoutTraces = {
  [DISABLE_CREATION_STACK_TRACES]: true,
  [DISABLE_METADATA_STACK_TRACE]: true,
} as const;

const made = new Map<string, Synthesised>();
const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** Synthesises a configuration once for all tests of a file, with a stub in place of the bundled functions. */
export function synthesised(configuration: keyof typeof contexts): Synthesised {
  const known = made.get(configuration);
  if (known) return known;
  const fresh = templatesOf(appOf(configuration));
  made.set(configuration, fresh);
  return fresh;
}

/** The same for options that only one test looks at. */
export function synthesisedFrom(context: Readonly<Record<string, string>>): Synthesised {
  return templatesOf(appWith(context, false));
}

/**
 * @param validated whether CDK checks the templates against CloudFormation's schemas; the check takes seconds to start
 */
export function appOf(configuration: keyof typeof contexts, validated = false): MoodleApp {
  return appWith(contexts[configuration], validated);
}

function appWith(context: Readonly<Record<string, string>>, validated: boolean): MoodleApp {
  const directory = mkdtempSync(join(tmpdir(), 'moodle-lifecycle-test-'));
  directories.push(directory);
  return new MoodleApp(
    {
      outdir: join(directory, 'cdk.out'),
      context: { ...context, ...withoutTraces },
      builtinCloudFormationValidation: validated,
      treeMetadata: false,
    },
    () => stubBundles(join(directory, 'stub')),
  );
}

function templatesOf(app: MoodleApp): Synthesised {
  const templates = {
    settings: Template.fromStack(app.settings),
    ...(app.edge && { edge: Template.fromStack(app.edge) }),
    ...(app.edgeWatching && { edgeWatching: Template.fromStack(app.edgeWatching) }),
    platform: Template.fromStack(app.platform),
    lifecycle: Template.fromStack(app.lifecycle),
    watching: Template.fromStack(app.watching),
  };
  const resources = Object.entries(templates).flatMap(([stack, template]) =>
    Object.entries<Resource>(template.toJSON().Resources).map(([id, resource]) => ({ ...resource, stack, id })),
  );
  return { ...templates, resources };
}

function stubBundles(directory: string): FunctionBundles {
  mkdirSync(directory);
  writeFileSync(join(directory, 'index.mjs'), 'export const handler = async () => ({});\n');
  return { folderOf: () => directory };
}
