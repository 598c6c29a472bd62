import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stableLetters } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn } from '../../world.ts';
import { applyOwner, filesOf, sharedFolder } from '../files.ts';

const fileSystem: ResourceProvider = {
  type: 'AWS::EFS::FileSystem',
  properties: [
    // A folder of this computer has none of these.
    'AvailabilityZoneName',
    'BackupPolicy',
    'Encrypted',
    'FileSystemPolicy',
    'FileSystemProtection',
    'FileSystemTags',
    'KmsKeyId',
    'LifecyclePolicies',
    'PerformanceMode',
    'ProvisionedThroughputInMibps',
    'ThroughputMode',
  ],
  create(resource, world) {
    const fileSystemId = `fs-${stableLetters(world, `${resource.stackName}/${resource.logicalId}`, 17)}`;
    const fileSystemArn = arn(world, 'elasticfilesystem', `file-system/${fileSystemId}`);
    sharedFolder(world, fileSystemId, '/');
    filesOf(world).fileSystems.set(fileSystemId, { fileSystemId, fileSystemArn });
    return { ref: fileSystemId, attributes: { Arn: fileSystemArn, FileSystemId: fileSystemId } };
  },
};

const mountTarget: ResourceProvider = {
  type: 'AWS::EFS::MountTarget',
  properties: ['FileSystemId', 'IpAddress', 'SecurityGroups', 'SubnetId'],
  create(resource, world) {
    const id = `fsmt-${stableLetters(world, `${resource.stackName}/${resource.logicalId}`, 17)}`;
    return { ref: id, attributes: { Id: id, IpAddress: '127.0.0.1' } };
  },
};

const accessPoint: ResourceProvider = {
  type: 'AWS::EFS::AccessPoint',
  // PosixUser: nodes run as the user of the rehearsal.
  properties: ['AccessPointTags', 'ClientToken', 'FileSystemId', 'PosixUser', 'RootDirectory'],
  create(resource, world) {
    const { FileSystemId, RootDirectory = {} } = resource.properties;
    const accessPointId = `fsap-${stableLetters(world, `${resource.stackName}/${resource.logicalId}`, 17)}`;
    const accessPointArn = arn(world, 'elasticfilesystem', `access-point/${accessPointId}`);
    const path = String(RootDirectory.Path ?? '/');
    const isNew = !existsSync(join(world.directory, 'files', FileSystemId, path));
    const folder = sharedFolder(world, FileSystemId, path);
    const owner = RootDirectory.CreationInfo;
    if (isNew && owner) {
      applyOwner(folder, Number(owner.OwnerUid), Number(owner.OwnerGid), Number.parseInt(String(owner.Permissions), 8));
    }
    filesOf(world).accessPoints.set(accessPointId, { accessPointId, accessPointArn, fileSystemId: FileSystemId, path });
    return { ref: accessPointId, attributes: { AccessPointId: accessPointId, Arn: accessPointArn } };
  },
};

export const efsProviders: readonly ResourceProvider[] = [fileSystem, mountTarget, accessPoint];
