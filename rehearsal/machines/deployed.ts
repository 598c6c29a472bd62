import { createHash } from 'node:crypto';
import type { ResolvedResource } from '../template/provider.ts';
import type { World } from '../world.ts';

/**
 * Which properties of a resource the template gives another value than when this folder was last deployed to; all of
 * them the first time. CloudFormation changes these and leaves the others as they are, also when they were changed
 * behind its back: that is how capacity that a rollout set outlives a later deploy.
 *
 * Only hashes are kept, since a property can hold a secret.
 */
export function changedProperties(world: Pick<World, 'state'>, resource: ResolvedResource): ReadonlySet<string> {
  const deployed = world.state.collection<Record<string, string>>('deployed-properties');
  const key = `${resource.stackName}/${resource.logicalId}`;
  const before = deployed.get(key) ?? {};
  const now = Object.fromEntries(Object.entries(resource.properties).map(([name, value]) => [name, hash(value)]));
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  deployed.set(key, now);
  return new Set([...names].filter((name) => before[name] !== now[name]));
}

function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
