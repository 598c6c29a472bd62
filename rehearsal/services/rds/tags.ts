import { AwsError, type Operation } from '../../endpoint/service.ts';
import {
  databaseRecords,
  findCluster,
  findInstance,
  keyOf,
  memberRecords,
  type Tag,
} from '../../machines/rds/records.ts';
import type { World } from '../../world.ts';
import { requestTags, resourceTags } from './input.ts';

export function tagOperations(world: World): Record<string, Operation> {
  return { AddTagsToResource: addTags(world) };
}

/** @throws AwsError UnsupportedParameter for what is neither a cluster nor an instance */
function find(world: World, arn: string) {
  const [, kind = '', identifier = ''] = /:(cluster|db):([^:]+)$/.exec(arn) ?? [];
  if (kind === '') throw new AwsError('UnsupportedParameter', `The rehearsal tags clusters and instances, not ${arn}.`);
  return kind === 'cluster' ? findCluster(world, identifier) : findInstance(world, identifier);
}

const addTags = (world: World): Operation<{ ResourceName: string; Tags: readonly Tag[] }> => ({
  members: ['ResourceName', 'Tags'],
  required: ['ResourceName', 'Tags'],
  permissions: ({ ResourceName, Tags }) => [
    {
      action: 'rds:AddTagsToResource',
      resource: ResourceName,
      conditions: { ...resourceTags(find(world, ResourceName)), ...requestTags(Tags) },
    },
  ],
  run({ ResourceName, Tags }) {
    const found = find(world, ResourceName);
    if (!found) throw new AwsError('DBInstanceNotFound', `${ResourceName} not found.`, 404);
    const keys = Tags.map(({ Key }) => Key);
    const tagged = { ...found, tags: [...found.tags.filter(({ Key }) => !keys.includes(Key)), ...Tags] };
    if (tagged.of === 'member') memberRecords(world).set(tagged.identifier, tagged);
    else databaseRecords(world).set(keyOf(tagged), tagged);
    return {};
  },
});
