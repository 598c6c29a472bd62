import { requireTrust } from '../../iam/roles.ts';
import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn } from '../../world.ts';
import { endLeftBuilds, projectsOf } from '../code-build/builds.ts';

const project: ResourceProvider = {
  type: 'AWS::CodeBuild::Project',
  properties: [
    'Environment',
    'LogsConfig',
    'Name',
    'ServiceRole',
    'Source',
    // The computer, its limits and its caches are this one's.
    'Artifacts',
    'Cache',
    'Description',
    'EncryptionKey',
    'LogsConfig',
    'QueuedTimeoutInMinutes',
    'Tags',
    'TimeoutInMinutes',
  ],
  create(resource, world) {
    const { Environment, LogsConfig, Source, ServiceRole, Name } = resource.properties;
    if (Source?.Type !== 'S3') throw new Error(`the rehearsal builds from an asset (S3), not from ${Source?.Type}.`);
    const name = String(Name ?? physicalName(world, resource, 150));
    const projectArn = arn(world, 'codebuild', `project/${name}`);
    requireTrust(world, ServiceRole, 'codebuild.amazonaws.com');
    endLeftBuilds(world);
    projectsOf(world).set(name, {
      name,
      arn: projectArn,
      serviceRole: ServiceRole,
      sourceLocation: Source.Location,
      environmentVariables: ((Environment?.EnvironmentVariables ?? []) as Variable[]).map(plainVariable),
      exportedVariables: exportedVariables(Source.BuildSpec),
      logGroup: String(LogsConfig?.CloudWatchLogs?.GroupName ?? `/aws/codebuild/${name}`),
    });
    return { ref: name, attributes: { Arn: projectArn } };
  },
};

interface Variable {
  readonly Name: string;
  readonly Value: string;
  readonly Type?: string;
}

function plainVariable({ Name, Value, Type = 'PLAINTEXT' }: Variable) {
  if (Type !== 'PLAINTEXT') throw new Error(`the rehearsal does not know environment variables of the type ${Type}.`);
  return { name: Name, value: String(Value), type: Type };
}

function exportedVariables(buildSpec: unknown): string[] {
  try {
    const { env } = JSON.parse(String(buildSpec)) as { env?: { 'exported-variables'?: string[] } };
    return env?.['exported-variables'] ?? [];
  } catch {
    throw new Error('the rehearsal reads build specifications in JSON only, as CDK writes them into the template.');
  }
}

export const codeBuildProviders: readonly ResourceProvider[] = [project];
