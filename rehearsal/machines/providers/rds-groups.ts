import { physicalName } from '../../template/physical-name.ts';
import type { ResolvedResource, ResourceProvider } from '../../template/provider.ts';
import type { World } from '../../world.ts';
import { parameterGroupsOf } from '../rds/parameter-groups.ts';

const subnetGroup: ResourceProvider = {
  type: 'AWS::RDS::DBSubnetGroup',
  properties: ['DBSubnetGroupDescription', 'DBSubnetGroupName', 'SubnetIds', 'Tags'],
  create: (resource, world) => ({ ref: physicalName(world, resource).toLowerCase(), attributes: {} }),
};

const clusterParameterGroup: ResourceProvider = {
  type: 'AWS::RDS::DBClusterParameterGroup',
  properties: ['Description', 'Family', 'Parameters', 'Tags'],
  create: (resource, world) => parameterGroup(resource, world, 'cluster'),
};

const instanceParameterGroup: ResourceProvider = {
  type: 'AWS::RDS::DBParameterGroup',
  properties: ['Description', 'Family', 'Parameters', 'Tags'],
  create: (resource, world) => parameterGroup(resource, world, 'instance'),
};

/** Which settings a server knows, it says when it is started with them. */
function parameterGroup({ properties, ...resource }: ResolvedResource, world: World, of: 'cluster' | 'instance') {
  const ref = physicalName(world, resource).toLowerCase();
  const settings = Object.entries(properties.Parameters ?? {}).map(([name, value]) => [name, String(value)]);
  parameterGroupsOf(world)[of].set(ref, Object.fromEntries(settings));
  return { ref, attributes: {} };
}

export const rdsGroupProviders: readonly ResourceProvider[] = [
  subnetGroup,
  clusterParameterGroup,
  instanceParameterGroup,
];
