import { Stack } from 'aws-cdk-lib';
import { EventField, Rule } from 'aws-cdk-lib/aws-events';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Backups } from '../backups.ts';
import { publishLines } from './publish-lines.ts';

export interface BackupNoticesProps {
  readonly site: string;
  readonly backups: Backups;
  readonly topic: sns.ITopic;
}

/** Tells of each backup that was not made: nobody looks for one before it is needed. */
export class BackupNotices extends Construct {
  constructor(scope: Construct, id: string, { site, backups, topic }: BackupNoticesProps) {
    super(scope, id);
    const { region } = Stack.of(this);
    const { backupVaultName } = backups.vault;
    new Rule(this, 'NotMade', {
      description: `A backup of ${site} was not made`,
      eventPattern: {
        source: ['aws.backup'],
        detailType: ['Backup Job State Change'],
        detail: { backupVaultName: [backupVaultName], state: ['FAILED', 'EXPIRED', 'ABORTED'] },
      },
      targets: [
        publishLines(topic, [
          `Moodle site ${site}: a backup was not made (${EventField.fromPath('$.detail.state')})`,
          'Cause: AWS Backup says it in the job. Earlier backups are still there.',
          `Next: aws backup list-backup-jobs --region ${region} --by-backup-vault-name ${backupVaultName} ` +
            "--query 'BackupJobs[:4].[CreationDate,ResourceType,State,StatusMessage]' --output text",
          `Console: https://${region}.console.aws.amazon.com/backup/home?region=${region}#/jobs/backup`,
          'Runbook: docs/runbook.md#a-backup-was-not-made',
        ]),
      ],
    });
  }
}
