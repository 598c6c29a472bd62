import type { World } from '../world.ts';
import type { SynthesisedStack, Template, TemplateResource } from './assembly.ts';
import { type DeployedResource, type DeployedStack, deploymentOf, type StackOutput } from './deployment.ts';
import { resolveDynamicReferences } from './dynamic-references.ts';
import { TemplateError } from './errors.ts';
import { conditionHolds, resolve, type Scope } from './intrinsics.ts';
import { sortByDependencies } from './order.ts';
import { parameterValue } from './parameters.ts';
import { stableLetters } from './physical-name.ts';
import type { ResourceProvider } from './provider.ts';
import { referencesIn } from './references.ts';

/**
 * Makes the resources of one stack, each after those that it refers to or depends on.
 *
 * @throws TemplateError that names stack, logical id and property of what the rehearsal does not know
 */
export async function deployStack(world: World, synthesised: SynthesisedStack): Promise<DeployedStack> {
  const { stackName, template } = synthesised;
  const deployment = deploymentOf(world);
  const resources = new Map<string, DeployedResource>();
  const scope = scopeOf(world, synthesised, resources);
  const wanted = wantedResources(stackName, template, scope);
  refuseUnknown(stackName, wanted, deployment.providers);
  for (const logicalId of orderOf(stackName, wanted)) {
    const resource = wanted[logicalId];
    const provider = deployment.providers.get(resource?.Type ?? '');
    if (resource && provider) {
      const place = [`stack ${stackName}`, `resource ${logicalId} (${resource.Type})`];
      const properties = resolveProperties(place, resource, scope);
      resources.set(logicalId, {
        ...(await create(place, provider, { stackName, logicalId, type: resource.Type, properties }, world)),
        logicalId,
        type: resource.Type,
      });
    }
  }
  const outputs = outputsOf(stackName, template, scope);
  for (const { exportName, value } of outputs) if (exportName) deployment.exports.set(exportName, value);
  const stack: DeployedStack = { stackName, deployedAt: new Date(), resources, outputs };
  deployment.stacks.set(stackName, stack);
  return stack;
}

async function create(
  place: readonly string[],
  provider: ResourceProvider,
  resource: Parameters<ResourceProvider['create']>[0],
  world: World,
) {
  try {
    return await provider.create(resource, world);
  } catch (error) {
    throw new TemplateError(place, messageOf(error), { cause: error });
  }
}

function wantedResources(stackName: string, template: Template, scope: Scope): Record<string, TemplateResource> {
  return Object.fromEntries(
    Object.entries(template.Resources).filter(([logicalId, { Condition }]) =>
      at([`stack ${stackName}`, `resource ${logicalId}`, 'Condition'], () =>
        Condition === undefined ? true : conditionHolds(Condition, scope),
      ),
    ),
  );
}

/** All at once, before anything is made: a template that cannot be deployed leaves nothing half made. */
function refuseUnknown(
  stackName: string,
  resources: Readonly<Record<string, TemplateResource>>,
  providers: ReadonlyMap<string, ResourceProvider>,
): void {
  const problems = unknownIn(resources, providers);
  if (problems.length > 0)
    throw new TemplateError([`stack ${stackName}`], `nothing was made of it.\n${problems.join('\n')}`);
}

/** The resource types and properties that no provider knows, in words. */
export function unknownIn(
  resources: Readonly<Record<string, TemplateResource>>,
  providers: ReadonlyMap<string, ResourceProvider>,
): string[] {
  return Object.entries(resources).flatMap(([logicalId, { Type, Properties = {} }]) => {
    const provider = providers.get(Type);
    if (!provider) return [`${logicalId}: the rehearsal does not know the resource type ${Type}.`];
    return Object.keys(Properties)
      .filter((property) => !provider.properties.includes(property))
      .map((property) => `${logicalId} (${Type}): the rehearsal does not know the property ${property}.`);
  });
}

function orderOf(stackName: string, resources: Readonly<Record<string, TemplateResource>>): string[] {
  return at([`stack ${stackName}`], () =>
    sortByDependencies(Object.keys(resources), (logicalId) => {
      const resource = resources[logicalId];
      const explicit = resource?.DependsOn === undefined ? [] : [resource.DependsOn].flat();
      return [...referencesIn(resource?.Properties), ...explicit].filter((name) => Object.hasOwn(resources, name));
    }),
  );
}

function resolveProperties(
  place: readonly string[],
  resource: TemplateResource,
  scope: Scope,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(resource.Properties ?? {})
      .map(([name, value]) => [name, at([...place, `property ${name}`], () => resolve(value, scope))] as const)
      .filter(([, value]) => typeof value !== 'symbol'),
  );
}

function outputsOf(stackName: string, template: Template, scope: Scope): StackOutput[] {
  return Object.entries(template.Outputs ?? {}).flatMap(([key, output]) =>
    at([`stack ${stackName}`, `output ${key}`], () => {
      if (output.Condition !== undefined && !conditionHolds(output.Condition, scope)) return [];
      return [
        {
          key,
          value: String(resolve(output.Value, scope)),
          ...(output.Description === undefined ? {} : { description: output.Description }),
          ...(output.Export === undefined ? {} : { exportName: String(resolve(output.Export.Name, scope)) }),
        },
      ];
    }),
  );
}

function scopeOf(
  world: World,
  { stackName, template, region = world.region }: SynthesisedStack,
  resources: ReadonlyMap<string, DeployedResource>,
): Scope {
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': world.account,
    'AWS::Region': region,
    'AWS::Partition': world.partition,
    'AWS::StackName': stackName,
    'AWS::StackId': stackId(world, stackName),
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::NotificationARNs': [],
  };
  return {
    region,
    mappings: template.Mappings ?? {},
    conditions: template.Conditions ?? {},
    ref(name) {
      if (Object.hasOwn(pseudo, name)) return pseudo[name];
      const parameter = template.Parameters?.[name];
      if (parameter) return parameterValue(world, name, parameter);
      const resource = resources.get(name);
      if (!resource) throw new Error(`Ref: there is no “${name}”.`);
      return resource.ref;
    },
    attribute(logicalId, attribute) {
      const resource = resources.get(logicalId);
      const value = resource?.attributes[attribute];
      if (value !== undefined) return value;
      throw new Error(
        `Fn::GetAtt: the rehearsal does not know the attribute ${attribute} of ${logicalId} (${resource?.type ?? 'no such resource'}).`,
      );
    },
    importValue(name) {
      const value = deploymentOf(world).exports.get(name);
      if (value === undefined) throw new Error(`Fn::ImportValue: no deployed stack exports “${name}”.`);
      return value;
    },
    dynamicReferences: (text) => resolveDynamicReferences(world, text),
  };
}

/** ARN of a stack, as `AWS::StackId` and CloudFormation's API give it. */
export function stackId(world: World, stackName: string): string {
  return `arn:${world.partition}:cloudformation:${world.region}:${world.account}:stack/${stackName}/${stableLetters(world, stackName, 32)}`;
}

function at<Value>(place: readonly string[], work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw error instanceof TemplateError ? error : new TemplateError(place, messageOf(error), { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
