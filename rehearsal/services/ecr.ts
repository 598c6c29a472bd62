import { AwsError, type Operation, type Permission, type Service } from '../endpoint/service.ts';
import { type EcrImage, type EcrRepository, imagesOf, repositoriesOf } from '../machines/ecr-state.ts';
import { arn, type World } from '../world.ts';

/** ECR, as far as finding and removing images goes. Builds put them there. */
export function ecrService(world: World): Service {
  return {
    signingName: 'ecr',
    protocol: 'json-1.1',
    targetPrefix: 'AmazonEC2ContainerRegistry_V20150921',
    operations: {
      DescribeImages: describeImages(world),
      DescribeImageScanFindings: describeImageScanFindings(world),
      BatchDeleteImage: batchDeleteImage(world),
      DescribeRepositories: describeRepositories(world),
    },
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
    const images = imagesIn(world, repositoryName);
    const chosen = imageIds ? imageIds.map((id) => requireImage(world, repositoryName, images, id)) : images;
    return { imageDetails: describeByDigest(world, chosen, images) };
  },
});

interface ScanInput {
  readonly repositoryName: string;
  readonly registryId?: string;
  readonly imageId: ImageId;
}

/** What is pushed here is no image that could be scanned: it says so, in ECR's own word for that. */
const describeImageScanFindings = (world: World): Operation<ScanInput> => ({
  members: ['repositoryName', 'registryId', 'imageId', 'maxResults', 'nextToken'],
  required: ['repositoryName', 'imageId'],
  permissions: ({ repositoryName }) => [permission(world, 'DescribeImageScanFindings', repositoryName)],
  run({ repositoryName, imageId }) {
    const { scanOnPush } = requireRepository(world, repositoryName);
    const { imageDigest, imageTag, scan } = requireImage(
      world,
      repositoryName,
      imagesIn(world, repositoryName),
      imageId,
    );
    if (!scanOnPush) {
      throw new AwsError(
        'ScanNotFoundException',
        `Image scan does not exist for the image with '${JSON.stringify(imageId)}' in the repository with name '${repositoryName}' in the registry with id '${world.account}'`,
      );
    }
    return {
      registryId: world.account,
      repositoryName,
      imageId: { imageDigest, imageTag },
      ...(scan
        ? {
            imageScanStatus: { status: 'COMPLETE', description: 'The scan was completed successfully.' },
            imageScanFindings: { findingSeverityCounts: scan, findings: [] },
          }
        : {
            imageScanStatus: {
              status: 'UNSUPPORTED_IMAGE',
              description: 'UnsupportedImageError: the rehearsal builds no image that could be scanned.',
            },
          }),
    };
  },
});

interface DeleteInput {
  readonly repositoryName: string;
  readonly registryId?: string;
  readonly imageIds: readonly ImageId[];
}

const LARGEST_DELETE = 100;

/** Containers that run are not touched: they have their image already. */
const batchDeleteImage = (world: World): Operation<DeleteInput> => ({
  members: ['repositoryName', 'registryId', 'imageIds'],
  required: ['repositoryName', 'imageIds'],
  permissions: ({ repositoryName }) => [permission(world, 'BatchDeleteImage', repositoryName)],
  run({ repositoryName, imageIds }) {
    requireRepository(world, repositoryName);
    if (imageIds.length > LARGEST_DELETE) {
      throw new AwsError('InvalidParameterException', `At most ${LARGEST_DELETE} images can be deleted at once.`);
    }
    const deleted: ImageId[] = [];
    const failures: object[] = [];
    for (const imageId of imageIds) {
      const found = imagesIn(world, repositoryName).filter((image) => matches(image, imageId));
      for (const { imageTag, imageDigest } of found) {
        imagesOf(world).delete(`${repositoryName}:${imageTag}`);
        deleted.push({ imageTag, imageDigest });
      }
      if (found.length > 0) continue;
      failures.push({ imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' });
    }
    return { imageIds: deleted, failures };
  },
});

function imagesIn(world: World, repositoryName: string): EcrImage[] {
  return imagesOf(world)
    .entries()
    .map(([, image]) => image)
    .filter((image) => image.repositoryName === repositoryName);
}

function matches({ imageTag, imageDigest }: EcrImage, id: ImageId): boolean {
  return (id.imageTag ?? imageTag) === imageTag && (id.imageDigest ?? imageDigest) === imageDigest;
}

function requireImage(world: World, repositoryName: string, images: readonly EcrImage[], id: ImageId): EcrImage {
  const found = images.find((image) => matches(image, id));
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
