import { physicalName } from '../template/physical-name.ts';
import type { ResourceProvider } from '../template/provider.ts';
import { parametersOf, readParameter, writeParameter } from './parameter-store.ts';

/**
 * A parameter is made with the template's value once. A later deploy writes only a value that the template changed, as
 * CloudFormation does: what a rollout set stays.
 */
export const parameterProvider: ResourceProvider = {
  type: 'AWS::SSM::Parameter',
  properties: ['AllowedPattern', 'DataType', 'Description', 'Name', 'Tags', 'Tier', 'Type', 'Value'],
  create(resource, world) {
    const { Name, Value, Type, Description } = resource.properties;
    const name: string = Name ?? `CFN-${physicalName(world, resource)}`;
    const value = String(Value);
    if (parametersOf(world).get(name)?.deployedValue !== value) {
      writeParameter(world, name, value, { type: Type, description: Description, deployedValue: value });
    }
    return { ref: name, attributes: { Type, Value: readParameter(world, name)?.value ?? value } };
  },
};
