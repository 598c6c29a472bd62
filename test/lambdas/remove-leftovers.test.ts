import { describe, expect, it } from 'vitest';
import { type RemoveLeftoversClients, removeLeftovers } from '../../lambdas/remove-leftovers.ts';
import { namesOf, tagNames, tagsOf } from '../../lambdas/shared/rds/names.ts';
import { settingsFrom } from '../../lambdas/shared/settings.ts';
import { FakeRds } from './fake-rds.ts';

const prefix = '/aws/ecs/containerinsights/CampusPlatform-NodesCluster-';
const kinds = ['cluster', 'instance'] as const;
type Kind = (typeof kinds)[number];

const destroyed = { RequestType: 'Delete', StackId: 'arn:stack/CampusPlatform' } as const;

/** AWS Backup, CloudFormation and CloudWatch Logs in memory, beside the RDS of the other tests: none of them can be had here. */
class Aws {
  readonly rds: FakeRds;
  readonly recoveryPoints = new Map<string, string>();
  readonly logGroups = new Set<string>();
  readonly calls: string[] = [];
  stackStatus = 'DELETE_IN_PROGRESS';
  /** The faults that a call meets, by its name. */
  readonly faults = new Map<string, Error>();
  readonly clients: RemoveLeftoversClients;

  constructor(kind: Kind) {
    this.rds = new FakeRds(kind);
    const others: Record<string, (input: never) => object> = {
      ListRecoveryPointsByBackupVault: ({ BackupVaultName, NextToken }: Record<string, string | undefined>) => {
        expect(BackupVaultName).toBe('campus-vault');
        const all = [...this.recoveryPoints].map(([RecoveryPointArn, Status]) => ({ RecoveryPointArn, Status }));
        return NextToken ? { RecoveryPoints: all.slice(1) } : { RecoveryPoints: all.slice(0, 1), NextToken: 'more' };
      },
      DeleteRecoveryPoint: ({ RecoveryPointArn }: { RecoveryPointArn: string }) => {
        this.recoveryPoints.delete(RecoveryPointArn);
        return {};
      },
      DescribeStacks: ({ StackName }: { StackName: string }) => ({
        Stacks: [{ StackId: StackName, StackStatus: this.stackStatus }],
      }),
      DescribeLogGroups: ({ logGroupNamePrefix }: { logGroupNamePrefix: string }) => ({
        logGroups: [...this.logGroups]
          .filter((name) => name.startsWith(logGroupNamePrefix))
          .map((logGroupName) => ({ logGroupName })),
      }),
      DeleteLogGroup: ({ logGroupName }: { logGroupName: string }) => {
        this.logGroups.delete(logGroupName);
        return {};
      },
    };
    const client = {
      send: async (command: { input: never; constructor: { name: string } }) => {
        const name = command.constructor.name.replace(/Command$/, '');
        this.calls.push(name);
        const fault = this.faults.get(name);
        if (fault) throw fault;
        const operation = others[name] ?? this.rds.operations[name];
        if (!operation) throw new Error(`There is no call ${name}.`);
        return structuredClone(operation(command.input));
      },
    };
    this.clients = {
      rds: client as never,
      backup: client as never,
      logs: client as never,
      stacks: client as never,
      settings: settingsFrom({
        SITE: 'campus',
        DATABASE_ENGINE: kind === 'cluster' ? 'aurora-postgresql' : 'mariadb',
        BACKUP_VAULT_NAME: 'campus-vault',
        INSIGHTS_LOG_PREFIX: prefix,
      }),
    };
  }

  call(name: string, input: object): void {
    this.rds.operations[name]?.(input as never);
  }

  /** What two updates of a site leave: snapshots, a database that the way back set aside, one half restored. */
  async leave(kind: Kind, site: string): Promise<string[]> {
    const made = ['first', 'second'].map((execution) => ({
      names: namesOf({ site, execution }),
      Tags: tagsOf({ [tagNames.site]: site, [tagNames.execution]: execution }),
    }));
    for (const { names, Tags } of made) {
      const of = kind === 'cluster' ? 'DBClusterSnapshot' : 'DBSnapshot';
      this.call(`Create${of}`, { [`${of}Identifier`]: names.snapshot, Tags });
    }
    const databases = [made[0]?.names.before, made[1]?.names.restored].map(String);
    for (const [index, name] of databases.entries()) {
      const { Tags } = made[index] ?? {};
      if (kind === 'cluster') {
        this.call('RestoreDBClusterToPointInTime', { DBClusterIdentifier: name, DeletionProtection: true, Tags });
        await this.rds.settle();
        this.call('CreateDBInstance', { DBInstanceIdentifier: `${name}-1`, DBClusterIdentifier: name });
      } else {
        this.call('RestoreDBInstanceToPointInTime', {
          TargetDBInstanceIdentifier: name,
          DeletionProtection: true,
          Tags,
        });
      }
    }
    await this.rds.settle();
    return [...made.map(({ names }) => names.snapshot), ...databases];
  }

  get databases(): string[] {
    return [...this.rds.clusters.keys(), ...this.rds.instances.keys()].sort();
  }
}

async function removedWithin(aws: Aws, attempts: number): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if ((await removeLeftovers(aws.clients, destroyed)).IsComplete) return;
    await aws.rds.settle();
  }
  throw new Error('Leftovers are still there.');
}

describe.each(kinds)('leftovers of a site with a database of the kind %s', (kind) => {
  it('go, and nothing else: neither its own database, nor what is of another site', async () => {
    const aws = new Aws(kind);
    const own = aws.databases;
    const others = [...(await aws.leave(kind, 'campus-two')), ...(await aws.leave(kind, 'camp'))];
    // By their names alone they would be this site's.
    const untagged = namesOf({ site: 'campus', execution: 'by hand' });
    aws.call(kind === 'cluster' ? 'CreateDBClusterSnapshot' : 'CreateDBSnapshot', {
      [kind === 'cluster' ? 'DBClusterSnapshotIdentifier' : 'DBSnapshotIdentifier']: untagged.snapshot,
      Tags: [],
    });
    const kept = [...aws.databases, ...aws.rds.snapshots.keys()].sort();
    const left = await aws.leave(kind, 'campus');
    aws.recoveryPoints.set('one', 'COMPLETED').set('two', 'EXPIRED');
    aws.logGroups.add(`${prefix}abc/performance`).add('/aws/ecs/containerinsights/Another-NodesCluster-x/performance');

    await removedWithin(aws, 5);

    expect([...aws.databases, ...aws.rds.snapshots.keys()].sort()).toEqual(kept);
    expect(aws.databases).toEqual(expect.arrayContaining(own));
    expect(kept).toEqual(expect.arrayContaining(others));
    expect(kept.filter((name) => left.includes(name))).toEqual([]);
    expect([...aws.recoveryPoints]).toEqual([]);
    expect([...aws.logGroups]).toEqual(['/aws/ecs/containerinsights/Another-NodesCluster-x/performance']);
  });

  it('are waited for while they are being made, and while they go', async () => {
    const aws = new Aws(kind);
    await aws.leave(kind, 'campus');
    aws.recoveryPoints.set('one', 'CREATING');

    expect(await removeLeftovers(aws.clients, destroyed)).toEqual({ IsComplete: false });
    await aws.rds.settle();
    expect(await removeLeftovers(aws.clients, destroyed)).toEqual({ IsComplete: false });
    expect(aws.recoveryPoints.size).toBe(1);
    aws.recoveryPoints.set('one', 'COMPLETED');
    await removedWithin(aws, 2);
  });

  it('that AWS refuses to remove are told, and do not keep the others', async () => {
    const aws = new Aws(kind);
    await aws.leave(kind, 'campus');
    aws.recoveryPoints.set('one', 'COMPLETED');
    const denied = Object.assign(new Error('not authorized to perform backup:DeleteRecoveryPoint'), {
      name: 'AccessDeniedException',
    });
    aws.faults.set('DeleteRecoveryPoint', denied);

    const refusal = removeLeftovers(aws.clients, destroyed);
    await expect(refusal).rejects.toThrow(/one: not authorized .*destroy again/);
    await aws.rds.settle();
    expect(aws.databases.filter((name) => name.startsWith('moodle-campus-'))).toEqual([]);

    // One that went meanwhile is none that was refused, and throttling passes by itself.
    aws.faults.set('DeleteRecoveryPoint', Object.assign(new Error('gone'), { name: 'ResourceNotFoundException' }));
    expect(await removeLeftovers(aws.clients, destroyed)).toEqual({ IsComplete: false });
    aws.faults.set('DeleteRecoveryPoint', Object.assign(new Error('Rate exceeded'), { name: 'ThrottlingException' }));
    expect(await removeLeftovers(aws.clients, destroyed)).toEqual({ IsComplete: false });
    aws.faults.clear();
    await removedWithin(aws, 3);
  });
});

it.each(['Create', 'Update'] as const)('nothing is even looked at on %s', async (RequestType) => {
  const aws = new Aws('cluster');

  expect(await removeLeftovers(aws.clients, { ...destroyed, RequestType })).toEqual({ IsComplete: true });
  expect(aws.calls).toEqual([]);
});

it('a deploy that turns keepData on removes nothing, though it deletes the custom resource', async () => {
  const aws = new Aws('cluster');
  await aws.leave('cluster', 'campus');
  aws.stackStatus = 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS';

  expect(await removeLeftovers(aws.clients, destroyed)).toEqual({ IsComplete: true });
  expect(aws.calls).toEqual(['DescribeStacks']);
});
