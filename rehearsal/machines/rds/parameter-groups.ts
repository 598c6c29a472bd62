import { AwsError } from '../../endpoint/service.ts';
import { perWorld } from '../../per-world.ts';
import type { World } from '../../world.ts';

type Parameters = Readonly<Record<string, string>>;

/** Settings of the templates' parameter groups by the groups' names: those of clusters, and those of instances. */
export const parameterGroupsOf = perWorld(() => ({
  cluster: new Map<string, Parameters>(),
  instance: new Map<string, Parameters>(),
}));

/** What a server is started with. AWS's own groups change nothing here. */
export function parametersOf(world: World, of: 'cluster' | 'instance', groupName: string): Parameters {
  return parameterGroupsOf(world)[of].get(groupName) ?? {};
}

/** @throws AwsError DBClusterParameterGroupNotFound, DBParameterGroupNotFound */
export function requireParameterGroup(world: World, of: 'cluster' | 'instance', name: string): void {
  if (name.startsWith('default.') || parameterGroupsOf(world)[of].has(name)) return;
  throw of === 'cluster'
    ? new AwsError('DBClusterParameterGroupNotFound', `DBClusterParameterGroup not found: ${name}`, 404)
    : new AwsError('DBParameterGroupNotFound', `DBParameterGroup not found: ${name}`, 404);
}
