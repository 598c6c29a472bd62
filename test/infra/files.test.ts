import { describe, expect, it } from 'vitest';
import { backupHour, databaseBackupWindow, databaseMaintenanceWindow } from '../../infra/backup-times.ts';
import { type contexts, type Resource, synthesised } from './synthesised.ts';

type Configuration = keyof typeof contexts;

function only(configuration: Configuration, type: string): Resource & { readonly id: string } {
  const [found, ...others] = synthesised(configuration).resources.filter(({ Type }) => Type === type);
  expect(others).toEqual([]);
  if (!found) throw new Error(`There is no ${type}.`);
  return found;
}

describe('shared files', () => {
  it('survive the loss of a zone, and move to cheaper storage while nobody uses them', () => {
    for (const configuration of ['dev', 'prod'] as const) {
      const { Properties } = only(configuration, 'AWS::EFS::FileSystem');

      expect(Properties).not.toHaveProperty('AvailabilityZoneName');
      expect(Properties.ThroughputMode).toBe('elastic');
      expect(Properties.LifecyclePolicies).toEqual([
        { TransitionToIA: 'AFTER_30_DAYS' },
        { TransitionToPrimaryStorageClass: 'AFTER_1_ACCESS' },
      ]);
    }
  });

  it('can be kept in the one zone of the nodes, with bought throughput, and where they are', () => {
    const configuration = 'provisioned Aurora MySQL';
    const { Properties } = only(configuration, 'AWS::EFS::FileSystem');

    expect(Properties).toMatchObject({
      AvailabilityZoneName: 'eu-west-1a',
      ThroughputMode: 'provisioned',
      ProvisionedThroughputInMibps: 32,
    });
    expect(Properties).not.toHaveProperty('LifecyclePolicies');
    const target = only(configuration, 'AWS::EFS::MountTarget').Properties.SubnetId.Ref;
    const subnet = synthesised(configuration).resources.find(({ id }) => id === target);
    expect(subnet?.Properties.AvailabilityZone).toBe('eu-west-1a');
  });
});

describe('backups', () => {
  it('copy files and database in one plan, and keep the copies', () => {
    const selection = only('prod', 'AWS::Backup::BackupSelection').Properties.BackupSelection;
    const copied = JSON.stringify(selection.Resources);
    const { id: files } = only('prod', 'AWS::EFS::FileSystem');
    const { id: cluster } = only('prod', 'AWS::RDS::DBCluster');

    expect(selection.Resources).toHaveLength(2);
    expect(copied).toContain(files);
    expect(copied).toContain(cluster);
    const [rule, ...others] = only('prod', 'AWS::Backup::BackupPlan').Properties.BackupPlan.BackupPlanRule;
    expect(others).toEqual([]);
    expect(rule).toMatchObject({ Lifecycle: { DeleteAfterDays: 35 }, ScheduleExpression: 'cron(0 3 * * ? *)' });
    expect(rule.TargetBackupVault).toEqual({
      'Fn::GetAtt': [only('prod', 'AWS::Backup::BackupVault').id, 'BackupVaultName'],
    });
  });

  it('are left out in development, where the vault is there for rollouts alone', () => {
    const types = synthesised('dev').resources.map(({ Type }) => Type);

    expect(types).toContain('AWS::Backup::BackupVault');
    expect(types).not.toContain('AWS::Backup::BackupPlan');
    expect(only('dev', 'AWS::EFS::FileSystem').Properties).toMatchObject({ BackupPolicy: { Status: 'DISABLED' } });
  });

  it("may touch the site's database and files alone", () => {
    const policy = synthesised('prod').resources.find(
      ({ id, Type }) => Type === 'AWS::IAM::Policy' && id.startsWith('BackupsRole'),
    );
    const statements = policy?.Properties.PolicyDocument.Statement as {
      Action: string | string[];
      Resource: unknown;
    }[];

    for (const { Action, Resource } of statements) {
      if (Resource === '*') expect(Action).toBe('tag:GetResources');
    }
    expect(JSON.stringify(statements)).toContain('snapshot:awsbackup:*');
  });

  it('run when RDS is not at work itself: an hour and more away from its backup and its maintenance', () => {
    const minutes = (text = '') => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
    const [, backupEnd] = databaseBackupWindow.split('-');
    const maintenance = databaseMaintenanceWindow.slice(4, 9);

    expect(Number(backupHour) * 60 - minutes(backupEnd)).toBeGreaterThan(60);
    expect(minutes(maintenance) - Number(backupHour) * 60).toBeGreaterThan(120);
    expect(only('prod', 'AWS::RDS::DBCluster').Properties).toMatchObject({
      PreferredBackupWindow: databaseBackupWindow,
      PreferredMaintenanceWindow: databaseMaintenanceWindow,
    });
  });
});
