import {
  BackupClient,
  DeleteRecoveryPointCommand,
  ListRecoveryPointsByBackupVaultCommand,
  type RecoveryPointByBackupVault,
} from '@aws-sdk/client-backup';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { RDSClient } from '@aws-sdk/client-rds';
import { AwsNotAnswering } from './shared/errors.ts';
import { asPhaseError } from './shared/handler.ts';
import { tagListOf } from './shared/rds/databases.ts';
import { isMadeByRollout, tagValues } from './shared/rds/names.ts';
import { identifierOf, listDatabases, removeDatabase } from './shared/rds/remove.ts';
import { deleteSnapshot, listSnapshots } from './shared/rds/snapshots.ts';
import { type Settings, settingsFrom } from './shared/settings.ts';

export interface RemoveLeftoversClients {
  readonly rds: RDSClient;
  readonly backup: BackupClient;
  readonly logs: CloudWatchLogsClient;
  readonly stacks: CloudFormationClient;
  readonly settings: Settings;
}

/** What CloudFormation tells of the custom resource. */
export interface RemoveLeftoversEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly StackId: string;
}

/** As the provider framework of CDK reads it: asked again until it is complete. */
export interface RemoveLeftoversAnswer {
  readonly IsComplete: boolean;
}

/**
 * Removes what is the site's and of no stack: the snapshots and databases that updates left, the recovery points in the
 * vault, the log that Container Insights wrote. Called when the platform of a site is deleted that keeps no data, before
 * what these hang on: a vault with recovery points is not deleted, nor is a network in which a database stands.
 *
 * Each call begins what can be begun and says whether anything is still there, so that it can be killed anywhere.
 *
 * @throws Error once all has been tried, with what AWS refused to remove: the deletion stops, and CloudFormation shows it
 */
export async function removeLeftovers(
  clients: RemoveLeftoversClients,
  { RequestType, StackId }: RemoveLeftoversEvent,
): Promise<RemoveLeftoversAnswer> {
  if (RequestType !== 'Delete') return { IsComplete: true };
  // A deploy that turns keepData on deletes the custom resource too, and means the opposite.
  const { Stacks: [stack] = [] } = await clients.stacks.send(new DescribeStacksCommand({ StackName: StackId }));
  if (stack?.StackStatus !== 'DELETE_IN_PROGRESS') return { IsComplete: true };
  const left: string[] = [];
  const refused: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>, isFine = isPassing) => {
    try {
      await work();
    } catch (error) {
      if (!isFine(error)) refused.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const [kind, find] of Object.entries(leftovers)) {
    left.push(kind);
    await attempt(kind, async () => {
      const found = await find(clients);
      left.splice(left.indexOf(kind), 1, ...found.map(({ name }) => name));
      for (const { name, remove } of found) await attempt(name, remove, (error) => isPassing(error) || isGone(error));
    });
  }
  console.log(JSON.stringify({ level: 'info', event: 'removing leftovers', left, refused }));
  if (refused.length > 0) {
    throw new Error(
      `AWS refused to remove some of what updates left of ${clients.settings.site}: ${refused.join('; ')}. The rest is ` +
        'being removed. Mend the cause and destroy again; or delete the stack with --deletion-mode FORCE_DELETE_STACK, ' +
        'which leaves it.',
    );
  }
  return { IsComplete: left.length === 0 };
}

interface Leftover {
  readonly name: string;
  /** Begins it; until it is done, the leftover is found again. */
  remove(): Promise<unknown>;
}

/** Each by what a refusal calls it. */
const leftovers = { snapshots, databases, 'recovery points': recoveryPoints, logs: insightsLogs } as const;

/** Also what is still being made, renamed or deleted: RDS and AWS Backup take no change of it until then. */
function isPassing(error: unknown): boolean {
  return (
    (error instanceof Error && /^(InvalidDB\w*State|InvalidResourceState)/.test(error.name)) ||
    asPhaseError(error, 'removing leftovers') instanceof AwsNotAnswering
  );
}

/** By another call, or by itself, since it was found. */
function isGone(error: unknown): boolean {
  return error instanceof Error && /NotFound(Fault|Exception)?$/.test(error.name);
}

async function snapshots({ rds, settings }: RemoveLeftoversClients): Promise<Leftover[]> {
  return (await listSnapshots(rds, settings))
    .filter(({ identifier, tags }) => isMadeByRollout(identifier, tags, settings.site))
    .map(({ identifier: name }) => ({ name, remove: () => deleteSnapshot(rds, settings, name) }));
}

async function databases({ rds, settings }: RemoveLeftoversClients): Promise<Leftover[]> {
  return (await listDatabases(rds, settings))
    .filter((found) => isMadeByRollout(identifierOf(found), tagValues(tagListOf(found)), settings.site))
    .map((found) => ({ name: identifierOf(found), remove: () => removeDatabase(rds, found) }));
}

async function recoveryPoints({ backup, settings }: RemoveLeftoversClients): Promise<Leftover[]> {
  const { backupVaultName: BackupVaultName } = settings;
  const found: RecoveryPointByBackupVault[] = [];
  let NextToken: string | undefined;
  do {
    const page = { BackupVaultName, ...(NextToken ? { NextToken } : {}) };
    const answer = await backup.send(new ListRecoveryPointsByBackupVaultCommand(page));
    found.push(...(answer.RecoveryPoints ?? []));
    NextToken = answer.NextToken;
  } while (NextToken);
  return found.map(({ RecoveryPointArn, Status }) => ({
    name: RecoveryPointArn ?? '',
    remove: async () => {
      if (Status === 'CREATING' || Status === 'DELETING') return;
      await backup.send(new DeleteRecoveryPointCommand({ BackupVaultName, RecoveryPointArn }));
    },
  }));
}

async function insightsLogs({ logs, settings }: RemoveLeftoversClients): Promise<Leftover[]> {
  const { logGroups = [] } = await logs.send(
    new DescribeLogGroupsCommand({ logGroupNamePrefix: settings.insightsLogPrefix }),
  );
  return logGroups.map(({ logGroupName = '' }) => ({
    name: logGroupName,
    remove: () => logs.send(new DeleteLogGroupCommand({ logGroupName })),
  }));
}

let clients: RemoveLeftoversClients | undefined;

export const handler = async (event: RemoveLeftoversEvent): Promise<RemoveLeftoversAnswer> => {
  clients ??= {
    settings: settingsFrom(),
    rds: new RDSClient({}),
    backup: new BackupClient({}),
    logs: new CloudWatchLogsClient({}),
    stacks: new CloudFormationClient({}),
  };
  return removeLeftovers(clients, event);
};
