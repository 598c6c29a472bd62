import { AwsError, type Operation, type Permission, type Service } from '../endpoint/service.ts';
import { type EcrImage, type EcrRepository, imagesOf, repositoriesOf } from '../machines/ecr-state.ts';
import { arn, type World } from '../world.ts';

/** ECR, as far as finding images goes. Builds put them there. */
export function ecrService(world: World): Service {
  return {
    signingName: 'ecr',
    protocol: 'json-1.1',
    targetPrefix: 'AmazonEC2ContainerRegistry_V20150921',
    operations: { DescribeImages: describeImages(world), DescribeRepositories: describeRepositories(world) },
  };
}

function permission(world: World, action: string, repositoryName: string): Permission {
  return { action: `ecr:${action}`, resource: arn(world, 'ecr', `repository/${repositoryName}`) };
}

function requireRepository(world: World, name: string): EcrRepository {
  const found = repositoriesOf(world).get(name);
  if (found) return found;
  throw new AwsError(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${world.account}'`,
  );
}

interface ImageId {
  readonly imageTag?: string;
  readonly imageDigest?: string;
}

interface DescribeImagesInput {
  readonly repositoryName: string;
  readonly registryId?: string;
  readonly imageIds?: readonly ImageId[];
}

const describeImages = (world: World): Operation<DescribeImagesInput> => ({
  members: ['repositoryName', 'registryId', 'imageIds'],
  required: ['repositoryName'],
  permissions: ({ repositoryName }) => [permission(world, 'DescribeImages', repositoryName)],
  run({ repositoryName, imageIds }) {
    requireRepository(world, repositoryName);
    const images = imagesOf(world)
      .entries()
      .map(([, image]) => image)
      .filter((image) => image.repositoryName === repositoryName);
    const chosen = imageIds ? imageIds.map((id) => requireImage(world, repositoryName, images, id)) : images;
    return { imageDetails: describeByDigest(world, chosen, images) };
  },
});

function requireImage(world: World, repositoryName: string, images: readonly EcrImage[], id: ImageId): EcrImage {
  const found = images.find(
    ({ imageTag, imageDigest }) =>
      (id.imageTag === undefined || id.imageTag === imageTag) &&
      (id.imageDigest === undefined || id.imageDigest === imageDigest),
  );
  if (found) return found;
  throw new AwsError(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'} does not exist within the repository with name '${repositoryName}' in the registry with id '${world.account}'`,
  );
}

/** An image that has several tags is one image. */
function describeByDigest(world: World, chosen: readonly EcrImage[], all: readonly EcrImage[]): object[] {
  return [...new Set(chosen.map(({ imageDigest }) => imageDigest))].map((digest) => {
    const tagged = all.filter(({ imageDigest }) => imageDigest === digest);
    const [first] = tagged;
    return {
      registryId: world.account,
      repositoryName: first?.repositoryName,
      imageDigest: digest,
      imageTags: tagged.map(({ imageTag }) => imageTag),
      imageSizeInBytes: first?.imageSizeInBytes,
      imagePushedAt: first && new Date(first.imagePushedAt),
    };
  });
}

const describeRepositories = (
  world: World,
): Operation<{ repositoryNames?: readonly string[]; registryId?: string }> => ({
  members: ['repositoryNames', 'registryId'],
  permissions: ({ repositoryNames = ['*'] }) =>
    repositoryNames.map((name) => permission(world, 'DescribeRepositories', name)),
  run({ repositoryNames }) {
    const found = repositoryNames
      ? repositoryNames.map((name) => requireRepository(world, name))
      : repositoriesOf(world)
          .entries()
          .map(([, repository]) => repository);
    return {
      repositories: found.map((repository) => ({
        registryId: world.account,
        repositoryArn: repository.repositoryArn,
        repositoryName: repository.repositoryName,
        repositoryUri: repository.repositoryUri,
        imageTagMutability: repository.imageTagMutability,
        createdAt: new Date(repository.createdAt),
      })),
    };
  },
});
