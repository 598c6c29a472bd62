import { physicalName } from '../../template/physical-name.ts';
import type { ResourceProvider } from '../../template/provider.ts';
import { arn } from '../../world.ts';
import { failLeftBackups, vaultsOf } from '../backup-jobs.ts';

const vault: ResourceProvider = {
  type: 'AWS::Backup::BackupVault',
  // Nobody else is there to be kept from it or told of it.
  properties: ['AccessPolicy', 'BackupVaultName', 'BackupVaultTags', 'EncryptionKeyArn', 'Notifications'],
  create(resource, world) {
    const name = String(resource.properties.BackupVaultName ?? physicalName(world, resource, 50));
    failLeftBackups(world);
    vaultsOf(world).add(name);
    return {
      ref: name,
      attributes: { BackupVaultName: name, BackupVaultArn: arn(world, 'backup', `backup-vault:${name}`) },
    };
  },
};

export const backupProviders: readonly ResourceProvider[] = [vault];
