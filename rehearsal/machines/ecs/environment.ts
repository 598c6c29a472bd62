import type { Prepared } from './start-up.ts';
import { containerOf } from './task-definitions.ts';
import type { TaskDefinition, TaskOverride } from './types.ts';

/**
 * The environment that ECS gives to a container. A value that is a mounted path, or lies below one, becomes the folder
 * that stands for it on this computer, where nothing is mounted.
 */
export function containerEnvironment(
  definition: TaskDefinition,
  overrides: TaskOverride,
  { secrets, mounts }: Pick<Prepared, 'secrets' | 'mounts'>,
): Record<string, string> {
  const declared = [
    ...(containerOf(definition).environment ?? []),
    ...(overrides.containerOverrides?.[0]?.environment ?? []),
  ];
  const open = declared.map(({ name, value }) => [name, atFolder(value, mounts)] as const);
  return { ...Object.fromEntries(open), ...secrets };
}

function atFolder(value: string, mounts: ReadonlyMap<string, string>): string {
  for (const [path, folder] of mounts) {
    if (value === path || value.startsWith(`${path}/`)) return `${folder}${value.slice(path.length)}`;
  }
  return value;
}
