import type { World } from '../world.ts';

/** An image repository as the ECR API describes it. */
export interface EcrRepository {
  readonly repositoryName: string;
  readonly repositoryArn: string;
  readonly repositoryUri: string;
  readonly imageTagMutability: string;
  readonly scanOnPush: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface EcrImage {
  readonly repositoryName: string;
  readonly imageTag: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly imageDigest: string;
  /** ISO 8601. */
  readonly imagePushedAt: string;
  readonly imageSizeInBytes: number;
  /** How many findings of each severity a scan gave. Nothing is scanned here; a test lays one there. */
  readonly scan?: Readonly<Record<string, number>>;
}

type Stateful = Pick<World, 'state'>;

/** By repository name. */
export function repositoriesOf(world: Stateful) {
  return world.state.collection<EcrRepository>('ecr-repositories');
}

/** By `<repository name>:<tag>`. */
export function imagesOf(world: Stateful) {
  return world.state.collection<EcrImage>('ecr-images');
}

/** The repository and the tag that the image of a task definition names; undefined when it is not in this account. */
export function findRepository(world: Stateful, image: string): { repository: EcrRepository; tag: string } | undefined {
  for (const [, repository] of repositoriesOf(world).entries()) {
    if (image.startsWith(`${repository.repositoryUri}:`)) {
      return { repository, tag: image.slice(repository.repositoryUri.length + 1) };
    }
  }
  return undefined;
}
