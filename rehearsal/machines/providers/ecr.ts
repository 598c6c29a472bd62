import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn } from '../../world.ts';
import { repositoriesOf } from '../ecr-state.ts';

const repository: ResourceProvider = {
  type: 'AWS::ECR::Repository',
  properties: [
    'ImageScanningConfiguration',
    'ImageTagMutability',
    'RepositoryName',
    // Nothing is encrypted or expired here.
    'EmptyOnDelete',
    'EncryptionConfiguration',
    'LifecyclePolicy',
    'RepositoryPolicyText',
    'Tags',
  ],
  create(resource, world) {
    const { properties } = resource;
    const name = String(properties.RepositoryName ?? physicalName(world, resource, 256)).toLowerCase();
    const made = {
      repositoryName: name,
      repositoryArn: arn(world, 'ecr', `repository/${name}`),
      repositoryUri: `${world.account}.dkr.ecr.${world.region}.amazonaws.com/${name}`,
      imageTagMutability: String(properties.ImageTagMutability ?? 'MUTABLE'),
      scanOnPush: String(properties.ImageScanningConfiguration?.ScanOnPush) === 'true',
      createdAt: repositoriesOf(world).get(name)?.createdAt ?? new Date().toISOString(),
    };
    repositoriesOf(world).set(name, made);
    return { ref: name, attributes: { Arn: made.repositoryArn, RepositoryUri: made.repositoryUri } };
  },
};

export const ecrProviders: readonly ResourceProvider[] = [repository];
