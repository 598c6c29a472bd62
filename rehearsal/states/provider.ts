import { readFileSync } from 'node:fs';
import { findRole } from '../iam/roles.ts';
import { assetPath } from '../template/assets.ts';
import { physicalName } from '../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../template/provider.ts';
import { arn, type World } from '../world.ts';
import { parseDefinition, substitute } from './definition.ts';
import { stateMachinesOf } from './state-machines.ts';
import { taskFor } from './tasks.ts';

export const stateMachineProvider: ResourceProvider = {
  type: 'AWS::StepFunctions::StateMachine',
  properties: [
    'DefinitionS3Location',
    'DefinitionString',
    'DefinitionSubstitutions',
    'LoggingConfiguration',
    'RoleArn',
    'StateMachineName',
    'StateMachineType',
    'Tags',
    'TracingConfiguration',
  ],
  create(resource, world) {
    const { properties } = resource;
    if ((properties.StateMachineType ?? 'STANDARD') !== 'STANDARD') throw new Error('only STANDARD is rehearsed.');
    requireStatesTrust(world, properties.RoleArn);
    const name: string = properties.StateMachineName ?? physicalName(world, resource, 80);
    const stateMachineArn = arn(world, 'states', `stateMachine:${name}`);
    const definitionText = substitute(definitionOf(world, resource), properties.DefinitionSubstitutions ?? {});
    const definition = parseDefinition(definitionText);
    for (const [stateName, state] of Object.entries(definition.States)) {
      if (state.Type === 'Task') taskFor(world, stateName, state);
    }
    stateMachinesOf(world).set(stateMachineArn, {
      name,
      stateMachineArn,
      roleArn: properties.RoleArn,
      definitionText,
      definition,
      created: new Date(),
      tags: tagsOf(properties.Tags),
    });
    return { ref: stateMachineArn, attributes: { Arn: stateMachineArn, Name: name } };
  },
};

function tagsOf(tags: readonly { readonly Key: string; readonly Value: string }[] = []): Record<string, string> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

/** Older templates name Step Functions with the region. */
function requireStatesTrust(world: World, roleArn: string): void {
  const { trusted, roleName } = findRole(world, roleArn);
  const names = ['states.amazonaws.com', `states.${world.region}.amazonaws.com`];
  if (!names.some((name) => trusted.includes(name))) {
    throw new Error(`The role ${roleName} does not trust ${names[0]} to assume it.`);
  }
}

function definitionOf(world: World, { properties }: ResolvedResource): string {
  if (properties.DefinitionString !== undefined) return properties.DefinitionString;
  const { Key, Bucket, ...others } = properties.DefinitionS3Location ?? {};
  if (Key === undefined || Bucket === undefined || Object.keys(others).length > 0) {
    throw new Error('the definition must be a DefinitionString or an asset in DefinitionS3Location.');
  }
  return readFileSync(assetPath(world.cloudAssembly, Key), 'utf8');
}
