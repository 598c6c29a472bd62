import type { Operation, Permission } from '../../endpoint/service.ts';
import {
  allSnapshots,
  clusterArn,
  type DatabaseRecord,
  identifierOf,
  instanceArn,
  keyOf,
  requireCluster,
  requireInstance,
  requireSnapshot,
  type SnapshotRecord,
  snapshotArn,
  snapshotRecords,
  type Tag,
} from '../../machines/rds/records.ts';
import { createSnapshot, deleteSnapshot } from '../../machines/rds/snapshots.ts';
import type { World } from '../../world.ts';
import { describeSnapshot } from './describe.ts';
import { requestTags, resourceTags } from './input.ts';
import { requireStandalone } from './instances.ts';
import { type PageInput, page } from './page.ts';

/** What the operations on snapshots of clusters and of instances differ in. */
interface Kind {
  readonly of: SnapshotRecord['of'];
  readonly noun: 'DBClusterSnapshot' | 'DBSnapshot';
  /** Member of the input that names the database. */
  readonly source: 'DBClusterIdentifier' | 'DBInstanceIdentifier';
  sourceArn(world: World, identifier: string): string;
  find(world: World, identifier: string): DatabaseRecord;
}

const kinds: readonly Kind[] = [
  {
    of: 'cluster',
    noun: 'DBClusterSnapshot',
    source: 'DBClusterIdentifier',
    sourceArn: clusterArn,
    find: requireCluster,
  },
  {
    of: 'instance',
    noun: 'DBSnapshot',
    source: 'DBInstanceIdentifier',
    sourceArn: instanceArn,
    find: (world, identifier) => requireStandalone(requireInstance(world, identifier)),
  },
];

export function snapshotOperations(world: World): Record<string, Operation> {
  return Object.fromEntries(
    kinds.flatMap((kind) => [
      [`Create${kind.noun}`, create(world, kind)],
      [`Describe${kind.noun}s`, describe(world, kind)],
      [`Delete${kind.noun}`, remove(world, kind)],
    ]),
  );
}

type Input = Readonly<Record<string, string | undefined>>;

function permission(
  world: World,
  action: string,
  { of, noun }: Kind,
  identifier: string,
  tags: readonly Tag[] = [],
): Permission {
  const name = identifier.replace(/^arn:.*:(cluster-)?snapshot:/, '').toLowerCase();
  return {
    action: `rds:${action.replace('*', noun)}`,
    resource: snapshotArn(world, of, name),
    conditions: { ...resourceTags(snapshotRecords(world).get(keyOf({ of, identifier: name }))), ...requestTags(tags) },
  };
}

function create(world: World, kind: Kind): Operation<Input> {
  const identifier = `${kind.noun}Identifier`;
  const tagsOf = (input: Input) => (input as { readonly Tags?: readonly Tag[] }).Tags;
  return {
    members: [identifier, kind.source, 'Tags'],
    required: [identifier, kind.source],
    permissions(input) {
      const name = input[identifier] ?? '';
      const tags = tagsOf(input);
      return [
        { action: `rds:Create${kind.noun}`, resource: kind.sourceArn(world, (input[kind.source] ?? '').toLowerCase()) },
        permission(world, 'Create*', kind, name, tags),
        ...(tags === undefined ? [] : [permission(world, 'AddTagsToResource', kind, name, tags)]),
      ];
    },
    run(input) {
      const source = kind.find(world, input[kind.source] ?? '');
      const snapshot = createSnapshot(world, source, {
        identifier: identifierOf(identifier, input[identifier] ?? '', 255),
        type: 'manual',
        tags: tagsOf(input) ?? [],
      });
      return { [kind.noun]: describeSnapshot(world, snapshot) };
    },
  };
}

function describe(world: World, kind: Kind): Operation<Input & PageInput> {
  const identifier = `${kind.noun}Identifier`;
  return {
    members: [identifier, kind.source, 'SnapshotType', 'MaxRecords', 'Marker'],
    permissions: (input) => [permission(world, 'Describe*s', kind, input[identifier] ?? '*')],
    run(input) {
      const { SnapshotType: type, [identifier]: wanted, [kind.source]: source } = input;
      const all = allSnapshots(world).filter(({ of }) => of === kind.of);
      const named = wanted === undefined ? all : [requireSnapshot(world, kind.of, wanted)];
      const found = named
        .filter((snapshot) => type === undefined || snapshot.type === type)
        .filter((snapshot) => source === undefined || snapshot.source.identifier === source.toLowerCase());
      const { items, Marker } = page(found, input);
      return { [`${kind.noun}s`]: items.map((snapshot) => describeSnapshot(world, snapshot)), Marker };
    },
  };
}

function remove(world: World, kind: Kind): Operation<Input> {
  const identifier = `${kind.noun}Identifier`;
  return {
    members: [identifier],
    required: [identifier],
    permissions: (input) => [permission(world, 'Delete*', kind, input[identifier] ?? '')],
    run(input) {
      const snapshot = requireSnapshot(world, kind.of, input[identifier] ?? '');
      deleteSnapshot(world, snapshot);
      return { [kind.noun]: { ...describeSnapshot(world, snapshot), Status: 'deleted' } };
    },
  };
}
