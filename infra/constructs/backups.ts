import { ArnFormat, Duration, Fn, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as backup from 'aws-cdk-lib/aws-backup';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeFindings } from '../acknowledge.ts';
import { backupHour } from '../backup-times.ts';
import type { Config } from '../config.ts';
import type { Database } from './database.ts';
import type { Files } from './files.ts';

export interface BackupsProps {
  readonly config: Config;
  readonly database: Database;
  readonly files: Files;
}

/**
 * The vault for copies of the shared files, which rollouts use too; and, where the options ask for it, a plan that
 * copies files and database at one time, so that each can be restored to the other.
 */
export class Backups extends Construct {
  readonly vault: backup.BackupVault;
  /** What AWS Backup works with; whoever starts a backup hands it over. */
  readonly role: iam.Role;
  /** Absent where the options ask for no copies. */
  readonly plan: backup.BackupPlan | undefined;

  constructor(scope: Construct, id: string, { config, database, files }: BackupsProps) {
    super(scope, id);
    this.vault = new backup.BackupVault(this, 'Vault', {
      backupVaultName: vaultName(this),
      removalPolicy: config.keepData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('backup.amazonaws.com') });
    for (const statement of this.#statements(database, files)) this.role.addToPolicy(statement);
    this.plan = config.backups ? this.#plan(config, database, files) : undefined;
    acknowledgeFindings(
      this.role,
      'AwsSolutions-IAM5',
      /^Resource::(\*|arn:aws:backup:\*:\*:recovery-point:\*|arn:aws:kms:.*:key\/\*|arn:aws:rds:.*:(cluster-)?snapshot:awsbackup:\*)$/,
      'Snapshots and recovery points that AWS Backup names itself, the key of RDS by way of RDS alone, and tags, which have no resource.',
    );
  }

  #plan({ backupRetentionDays }: Config, database: Database, files: Files): backup.BackupPlan {
    const plan = new backup.BackupPlan(this, 'Plan', {
      backupPlanRules: [
        new backup.BackupPlanRule({
          ruleName: 'daily',
          backupVault: this.vault,
          scheduleExpression: events.Schedule.cron({ hour: backupHour, minute: '0' }),
          startWindow: Duration.hours(1),
          completionWindow: Duration.hours(3),
          deleteAfter: Duration.days(backupRetentionDays),
        }),
      ],
    });
    const selection = plan.addSelection('Data', {
      role: this.role as iam.IRole,
      disableDefaultBackupPolicy: true,
      resources: [
        backup.BackupResource.fromEfsFileSystem(files.fileSystem),
        backup.BackupResource.fromArn(database.arn),
      ],
    });
    // Made before its role may do anything, it would fail its first night.
    selection.node.addDependency(this.role);
    return plan;
  }

  /** Of AWS's own policy for this service what concerns files and databases, for those of the site. */
  #statements(database: Database, files: Files): iam.PolicyStatement[] {
    const stack = Stack.of(this);
    const snapshots = backupSnapshotArns(stack);
    return [
      new iam.PolicyStatement({
        actions: ['elasticfilesystem:Backup', 'elasticfilesystem:DescribeTags'],
        resources: [files.fileSystem.fileSystemArn],
      }),
      new iam.PolicyStatement({
        actions: [
          'rds:AddTagsToResource',
          'rds:CreateDBClusterSnapshot',
          'rds:CreateDBSnapshot',
          'rds:DeleteDBClusterSnapshot',
          'rds:DeleteDBSnapshot',
          'rds:DescribeDBClusterSnapshots',
          'rds:DescribeDBClusters',
          'rds:DescribeDBInstances',
          'rds:DescribeDBSnapshots',
          'rds:ListTagsForResource',
        ],
        resources: [database.arn, ...snapshots],
      }),
      new iam.PolicyStatement({ actions: ['backup:DescribeBackupVault'], resources: [this.vault.backupVaultArn] }),
      // A file system has a Name, which its recovery points get. As in AWS's managed policy for this service (version 30).
      new iam.PolicyStatement({
        actions: ['backup:TagResource'],
        resources: [`arn:${stack.partition}:backup:*:*:recovery-point:*`],
        conditions: { StringEquals: { 'aws:PrincipalAccount': '${aws:ResourceAccount}' } },
      }),
      // What RDS does with its own key for a copy of what is encrypted with it.
      new iam.PolicyStatement({
        actions: ['kms:CreateGrant', 'kms:DescribeKey'],
        resources: [stack.formatArn({ service: 'kms', resource: 'key', resourceName: '*' })],
        conditions: { StringEquals: { 'kms:ViaService': `rds.${stack.region}.amazonaws.com` } },
      }),
      // AWS Backup finds by tag what it copies; the Tagging API has no resource to name.
      new iam.PolicyStatement({ actions: ['tag:GetResources'], resources: ['*'] }),
    ];
  }
}

/**
 * A vault has no generated name. Its own has the last part of the stack's id in it, so that a site can be deployed
 * again beside the vault that its earlier deployment left.
 */
function vaultName(scope: Construct): string {
  const stackUuid = Fn.select(2, Fn.split('/', Stack.of(scope).stackId));
  return `${Names.uniqueResourceName(scope, { maxLength: 40 })}-${Fn.select(0, Fn.split('-', stackUuid))}`;
}

/** Snapshots of databases that AWS Backup makes; their names tell no site. */
export function backupSnapshotArns(stack: Stack): string[] {
  return ['snapshot', 'cluster-snapshot'].map((resource) =>
    stack.formatArn({
      service: 'rds',
      resource,
      resourceName: 'awsbackup:*',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    }),
  );
}
