import { mkdirSync } from 'node:fs';
import { bucketFolder } from '../../machines/objects.ts';
import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn, type World } from '../../world.ts';
import { bucketsOf } from './buckets.ts';

export const bucketProvider: ResourceProvider = {
  type: 'AWS::S3::Bucket',
  properties: [
    'BucketEncryption',
    'BucketName',
    // Only the newest version is kept, nothing expires, and policies of buckets are not asked.
    'LifecycleConfiguration',
    'LoggingConfiguration',
    'OwnershipControls',
    'PublicAccessBlockConfiguration',
    'Tags',
    'VersioningConfiguration',
  ],
  create(resource, world) {
    const { BucketName, BucketEncryption } = resource.properties;
    const name = String(BucketName ?? physicalName(world, resource, 63)).toLowerCase();
    mkdirSync(bucketFolder(world, name), { recursive: true });
    const keyArn = keyOf(world, BucketEncryption);
    bucketsOf(world).set(name, { name, created: new Date(), ...(keyArn === undefined ? {} : { keyArn }) });
    return {
      ref: name,
      attributes: {
        Arn: `arn:${world.partition}:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${world.region}.amazonaws.com`,
      },
    };
  },
};

interface Encryption {
  readonly ServerSideEncryptionConfiguration?: readonly {
    readonly ServerSideEncryptionByDefault?: { readonly KMSMasterKeyID?: string };
  }[];
}

function keyOf(world: World, encryption: Encryption | undefined): string | undefined {
  const key = encryption?.ServerSideEncryptionConfiguration?.[0]?.ServerSideEncryptionByDefault?.KMSMasterKeyID;
  if (key === undefined || key.startsWith('arn:')) return key;
  return arn(world, 'kms', `key/${key}`);
}
