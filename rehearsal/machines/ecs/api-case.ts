/** Maps whose keys are the user's own words and not members of the API. */
const MAPS = ['Options', 'DockerLabels'];

/** Members whose names differ by more than the first letter between CloudFormation and the ECS API. */
const NAMES: Readonly<Record<string, string>> = {
  EFSVolumeConfiguration: 'efsVolumeConfiguration',
  FilesystemId: 'fileSystemId',
  IAM: 'iam',
};

/** A property of an ECS resource as the ECS API has it: `ContainerDefinitions` as `containerDefinitions`, all through. */
export function apiCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(apiCase);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      NAMES[key] ?? `${key.slice(0, 1).toLowerCase()}${key.slice(1)}`,
      MAPS.includes(key) ? member : apiCase(member),
    ]),
  );
}
