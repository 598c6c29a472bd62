import { rmSync } from 'node:fs';
import { AwsError, type Operation, type Service } from '../endpoint/service.ts';
import { authorize } from '../iam/authorize.ts';
import { requireTrust } from '../iam/roles.ts';
import { type BackupJob, backupJobsOf, startBackup, vaultsOf } from '../machines/backup-jobs.ts';
import { arn, type World } from '../world.ts';

/** The part of AWS Backup's API that rollouts and operators use: file systems that are really copied. */
export function backupService(world: World): Service {
  return {
    signingName: 'backup',
    protocol: 'rest-json',
    paths: {
      'PUT /backup-jobs': 'StartBackupJob',
      'GET /backup-jobs/{BackupJobId}': 'DescribeBackupJob',
      'GET /backup-vaults/{BackupVaultName}/recovery-points': 'ListRecoveryPointsByBackupVault',
      'GET /backup-vaults/{BackupVaultName}/recovery-points/{RecoveryPointArn}': 'DescribeRecoveryPoint',
      'DELETE /backup-vaults/{BackupVaultName}/recovery-points/{RecoveryPointArn}': 'DeleteRecoveryPoint',
    },
    operations: {
      StartBackupJob: startBackupJob(world),
      DescribeBackupJob: describeBackupJob(world),
      ListRecoveryPointsByBackupVault: listRecoveryPoints(world),
      DescribeRecoveryPoint: describeRecoveryPoint(world),
      DeleteRecoveryPoint: deleteRecoveryPoint(world),
    },
  };
}

const vaultArn = (world: World, name: string) => arn(world, 'backup', `backup-vault:${name}`);

/** @throws AwsError ResourceNotFoundException */
function requireVault(world: World, name: string): void {
  if (vaultsOf(world).has(name)) return;
  throw new AwsError('ResourceNotFoundException', `Backup vault ${name} does not exist.`);
}

interface StartInput {
  readonly BackupVaultName: string;
  readonly ResourceArn: string;
  readonly IamRoleArn: string;
  readonly IdempotencyToken?: string;
  readonly Lifecycle?: { readonly DeleteAfterDays?: number };
  readonly RecoveryPointTags?: Readonly<Record<string, string>>;
}

const startBackupJob = (world: World): Operation<StartInput> => ({
  members: [
    'BackupVaultName',
    'ResourceArn',
    'IamRoleArn',
    'IdempotencyToken',
    'Lifecycle',
    'RecoveryPointTags',
    // Here it begins at once and takes as long as it takes.
    'StartWindowMinutes',
    'CompleteWindowMinutes',
  ],
  required: ['BackupVaultName', 'ResourceArn', 'IamRoleArn'],
  permissions: ({ BackupVaultName, IamRoleArn }) => [
    { action: 'backup:StartBackupJob', resource: vaultArn(world, BackupVaultName) },
    {
      action: 'iam:PassRole',
      resource: IamRoleArn,
      conditions: { 'iam:PassedToService': 'backup.amazonaws.com' },
    },
  ],
  run(input) {
    requireVault(world, input.BackupVaultName);
    const unknown = Object.keys(input.Lifecycle ?? {}).filter((member) => member !== 'DeleteAfterDays');
    if (unknown.length > 0) {
      throw new AwsError('UnsupportedParameter', `The rehearsal does not know ${unknown} of a lifecycle.`);
    }
    requireRole(world, input);
    const days = input.Lifecycle?.DeleteAfterDays;
    const job = startBackup(world, {
      vault: input.BackupVaultName,
      resourceArn: input.ResourceArn,
      roleArn: input.IamRoleArn,
      tags: input.RecoveryPointTags ?? {},
      ...(days === undefined ? {} : { deleteAfterDays: days }),
      ...(input.IdempotencyToken === undefined ? {} : { idempotencyToken: input.IdempotencyToken }),
    });
    return { BackupJobId: job.id, RecoveryPointArn: job.recoveryPointArn, CreationDate: new Date(job.created) };
  },
});

/** AWS Backup takes on the role, and reads the file system with it. @throws AwsError InvalidParameterValueException */
function requireRole(world: World, { IamRoleArn: roleArn, ResourceArn: resource }: StartInput): void {
  try {
    requireTrust(world, roleArn, 'backup.amazonaws.com');
    const principal = { kind: 'role', roleArn, sessionName: 'AWSBackup' } as const;
    authorize(world, principal, { action: 'elasticfilesystem:Backup', resource });
  } catch (error) {
    throw new AwsError('InvalidParameterValueException', error instanceof Error ? error.message : String(error));
  }
}

const describeBackupJob = (world: World): Operation<{ BackupJobId: string }> => ({
  members: ['BackupJobId'],
  required: ['BackupJobId'],
  permissions: () => [{ action: 'backup:DescribeBackupJob', resource: '*' }],
  run({ BackupJobId }) {
    const job = backupJobsOf(world).get(BackupJobId);
    if (!job) throw new AwsError('ResourceNotFoundException', `Backup job ${BackupJobId} does not exist.`);
    return {
      AccountId: world.account,
      BackupJobId: job.id,
      BackupVaultName: job.vault,
      BackupVaultArn: vaultArn(world, job.vault),
      RecoveryPointArn: job.recoveryPointArn,
      ResourceArn: job.resourceArn,
      ResourceType: 'EFS',
      IamRoleArn: job.roleArn,
      CreationDate: new Date(job.created),
      CompletionDate: job.completed === undefined ? undefined : new Date(job.completed),
      State: job.state,
      StatusMessage: job.problem,
      PercentDone: job.state === 'COMPLETED' ? '100.0' : '0.0',
    };
  },
});

/** Recovery points are what is left of jobs that came to their end. */
function recoveryPoints(world: World, vault: string): BackupJob[] {
  requireVault(world, vault);
  return backupJobsOf(world)
    .entries()
    .map(([, job]) => job)
    .filter((job) => job.vault === vault && job.state === 'COMPLETED');
}

function describe(world: World, job: BackupJob): object {
  const { created, completed, deleteAfterDays: days } = job;
  const deleteAt = days === undefined ? undefined : new Date((completed ?? created) + days * 86_400_000);
  return {
    RecoveryPointArn: job.recoveryPointArn,
    BackupVaultName: job.vault,
    BackupVaultArn: vaultArn(world, job.vault),
    ResourceArn: job.resourceArn,
    ResourceType: 'EFS',
    IamRoleArn: job.roleArn,
    Status: 'COMPLETED',
    CreationDate: new Date(created),
    CompletionDate: completed === undefined ? undefined : new Date(completed),
    ...(days === undefined
      ? {}
      : { Lifecycle: { DeleteAfterDays: days }, CalculatedLifecycle: { DeleteAt: deleteAt } }),
  };
}

interface ListInput {
  readonly BackupVaultName: string;
  readonly resourceArn?: string;
  readonly maxResults?: string;
  readonly nextToken?: string;
}

const listRecoveryPoints = (world: World): Operation<ListInput> => ({
  members: ['BackupVaultName', 'resourceArn', 'maxResults', 'nextToken'],
  required: ['BackupVaultName'],
  permissions: ({ BackupVaultName }) => [
    { action: 'backup:ListRecoveryPointsByBackupVault', resource: vaultArn(world, BackupVaultName) },
  ],
  run({ BackupVaultName, resourceArn, maxResults = '1000', nextToken = '0' }) {
    const all = recoveryPoints(world, BackupVaultName).filter(
      (job) => resourceArn === undefined || job.resourceArn === resourceArn,
    );
    const end = Number(nextToken) + Number(maxResults);
    return {
      RecoveryPoints: all.slice(Number(nextToken), end).map((job) => describe(world, job)),
      NextToken: end < all.length ? String(end) : undefined,
    };
  },
});

interface PointInput {
  readonly BackupVaultName: string;
  readonly RecoveryPointArn: string;
}

function requirePoint(world: World, { BackupVaultName, RecoveryPointArn }: PointInput): BackupJob {
  const found = recoveryPoints(world, BackupVaultName).find((job) => job.recoveryPointArn === RecoveryPointArn);
  if (found) return found;
  throw new AwsError('ResourceNotFoundException', `Recovery point ${RecoveryPointArn} does not exist.`);
}

const describeRecoveryPoint = (world: World): Operation<PointInput> => ({
  members: ['BackupVaultName', 'RecoveryPointArn'],
  required: ['BackupVaultName', 'RecoveryPointArn'],
  permissions: ({ RecoveryPointArn }) => [{ action: 'backup:DescribeRecoveryPoint', resource: RecoveryPointArn }],
  run: (input) => describe(world, requirePoint(world, input)),
});

const deleteRecoveryPoint = (world: World): Operation<PointInput> => ({
  members: ['BackupVaultName', 'RecoveryPointArn'],
  required: ['BackupVaultName', 'RecoveryPointArn'],
  permissions: ({ RecoveryPointArn }) => [{ action: 'backup:DeleteRecoveryPoint', resource: RecoveryPointArn }],
  run(input) {
    const job = requirePoint(world, input);
    rmSync(job.folder, { recursive: true, force: true });
    backupJobsOf(world).delete(job.id);
    return {};
  },
});
