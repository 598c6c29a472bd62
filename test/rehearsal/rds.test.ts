// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates have them.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CreateDBClusterSnapshotCommand,
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DeleteDBClusterCommand,
  DeleteDBClusterSnapshotCommand,
  DeleteDBInstanceCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  EnableHttpEndpointCommand,
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBClusterToPointInTimeCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import { roleCredentials } from '../../rehearsal/iam/credentials.ts';
import { rdsProviders } from '../../rehearsal/machines/providers/rds.ts';
import { rdsService } from '../../rehearsal/services/rds/service.ts';
import { eventually } from '../support/eventually.ts';
import { deploy } from './support/account.ts';
import { temporaryFolder, writeAssembly } from './support/assembly.ts';
import { auroraPostgreSql, auroraWriter, mariaDb, role } from './support/resources.ts';

const arnOf = (kind: string, name: string) => ({
  'Fn::Sub': `arn:aws:rds:\${AWS::Region}:\${AWS::AccountId}:${kind}:${name}`,
});
const login = { MasterUsername: 'moodle', MasterUserPassword: 'a password of the test' };
const tagged = { StringEquals: { 'aws:ResourceTag/of': 'update' } };

const cdkOut = writeAssembly({
  Demo: {
    template: {
      Resources: {
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: {
            SecretString: '{"username":"moodle","password":"a password of the test"}',
          },
        },
        Cluster: auroraPostgreSql({ DBClusterIdentifier: 'site', EnableHttpEndpoint: true, ...login }),
        Writer: auroraWriter('Cluster', 'site-writer'),
        Single: mariaDb({ DBInstanceIdentifier: 'single', ...login }),
        PoorRole: role(
          'lambda.amazonaws.com',
          {
            Effect: 'Allow',
            Action: 'rds:CreateDBClusterSnapshot',
            Resource: [arnOf('cluster', 'site'), arnOf('cluster-snapshot', 'before-*')],
          },
          { Effect: 'Allow', Action: 'rds:DeleteDBClusterSnapshot', Resource: '*', Condition: tagged },
        ),
      },
      Outputs: {
        SecretArn: { Value: { Ref: 'Secret' } },
        ClusterArn: { Value: arnOf('cluster', 'site') },
        PoorRoleArn: { Value: { 'Fn::GetAtt': ['PoorRole', 'Arn'] } },
        Port: { Value: { 'Fn::GetAtt': ['Cluster', 'Endpoint.Port'] } },
      },
    },
  },
});

describe('databases that are copied and restored', () => {
  const directory = temporaryFolder();
  let account: Account;
  let rds: RDSClient;

  const open = async () => {
    // Fast enough for RDS's five minutes between two uploads of its log.
    account = await deploy(cdkOut, {
      directory,
      pace: 600,
      providers: rdsProviders,
      services: (world) => [rdsService(world)],
    });
    rds = new RDSClient(account.clientConfiguration);
  };
  beforeAll(open);
  afterAll(() => account?.close());

  /** By the Data API, which names the cluster by its identifier. */
  async function sql(text: string): Promise<string> {
    const { formattedRecords } = await new RDSDataClient({ ...account.clientConfiguration, maxAttempts: 1 }).send(
      new ExecuteStatementCommand({
        resourceArn: account.output('ClusterArn'),
        secretArn: account.output('SecretArn'),
        database: 'moodle',
        sql: text,
        formatRecordsAs: 'JSON',
      }),
    );
    return formattedRecords ?? '';
  }

  /** Directly at an endpoint, as nodes do. */
  async function notesAt(port: number | undefined): Promise<string[]> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: port ?? 0,
      user: 'moodle',
      password: 'a password of the test',
      database: 'moodle',
      ssl: { ca: readFileSync(account.world.certificateAuthorityFile, 'utf8') },
    });
    await client.connect();
    try {
      const { rows } = await client.query<{ note: string }>('SELECT note FROM notes ORDER BY note');
      return rows.map(({ note }) => note);
    } finally {
      await client.end();
    }
  }

  const cluster = async (DBClusterIdentifier: string) =>
    (await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier }))).DBClusters?.[0];
  const instance = async (DBInstanceIdentifier: string) =>
    (await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier }))).DBInstances?.[0];
  const untilCluster = (id: string) => eventually(async () => expect((await cluster(id))?.Status).toBe('available'));
  const untilInstance = (id: string, status = 'available') =>
    eventually(async () => expect((await instance(id))?.DBInstanceStatus).toBe(status));

  let moment: Date;

  it('takes a snapshot, which the role may take and only a tagged one may remove', async () => {
    await sql('CREATE TABLE notes (note text PRIMARY KEY)');
    await sql("INSERT INTO notes VALUES ('in the snapshot')");
    const poor = new RDSClient({
      ...account.clientConfiguration,
      credentials: roleCredentials(account.world, account.output('PoorRoleArn')),
    });
    const snapshot = { DBClusterIdentifier: 'site', DBClusterSnapshotIdentifier: 'before-update' };
    await expect(
      poor.send(new CreateDBClusterSnapshotCommand({ ...snapshot, DBClusterSnapshotIdentifier: 'other' })),
    ).rejects.toThrow(/rds:CreateDBClusterSnapshot on resource: arn:aws:rds:.*:cluster-snapshot:other/);
    const made = await poor.send(new CreateDBClusterSnapshotCommand(snapshot));
    expect(made.DBClusterSnapshot).toMatchObject({
      Status: 'creating',
      SnapshotType: 'manual',
      Engine: 'aurora-postgresql',
    });
    await expect(rds.send(new CreateDBClusterSnapshotCommand(snapshot))).rejects.toMatchObject({
      name: 'DBClusterSnapshotAlreadyExistsFault',
    });
    await eventually(async () => {
      const { DBClusterSnapshots } = await rds.send(
        new DescribeDBClusterSnapshotsCommand({ DBClusterIdentifier: 'site', SnapshotType: 'manual' }),
      );
      expect(DBClusterSnapshots).toMatchObject([{ Status: 'available', PercentProgress: 100 }]);
    });
    await expect(
      poor.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: 'before-update' })),
    ).rejects.toThrow(/rds:DeleteDBClusterSnapshot/);
  });

  it('restores to a given moment beside the cluster, without instance, HTTP endpoint and capacity', async () => {
    await sql("INSERT INTO notes VALUES ('before the moment')");
    await wait(50);
    moment = new Date();
    await wait(50);
    await sql("INSERT INTO notes VALUES ('too late')");
    const request = { SourceDBClusterIdentifier: 'site', DBClusterIdentifier: 'restored', RestoreToTime: moment };
    // A moment that RDS has not uploaded the log of yet, a clone of the past, and a time before there was any backup.
    const { scaled } = account.world;
    account.world.scaled = (seconds) => seconds * 1_000;
    await expect(rds.send(new RestoreDBClusterToPointInTimeCommand(request))).rejects.toThrow(/latest restorable time/);
    account.world.scaled = scaled;
    await expect(
      rds.send(new RestoreDBClusterToPointInTimeCommand({ ...request, RestoreType: 'copy-on-write' })),
    ).rejects.toMatchObject({ name: 'InvalidParameterCombination' });
    await expect(
      rds.send(new RestoreDBClusterToPointInTimeCommand({ ...request, RestoreToTime: new Date(0) })),
    ).rejects.toThrow(/earliest restorable time/);
    await eventually(async () =>
      expect((await cluster('site'))?.LatestRestorableTime?.getTime()).toBeGreaterThan(moment.getTime()),
    );
    const { DBCluster: begun } = await rds.send(new RestoreDBClusterToPointInTimeCommand(request));
    expect(begun).toMatchObject({ Status: 'creating', HttpEndpointEnabled: false, DeletionProtection: false });
    await untilCluster('restored');
    expect(await cluster('restored')).toMatchObject({ VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-default' }] });
    expect((await cluster('restored'))?.DBClusterMembers ?? []).toEqual([]);
    // There is data, and nothing that answers.
    await expect(notesAt((await cluster('restored'))?.Port)).rejects.toThrow(/ECONNREFUSED/);
    const newInstance = {
      DBInstanceIdentifier: 'restored-writer',
      DBClusterIdentifier: 'restored',
      DBInstanceClass: 'db.serverless',
      Engine: 'aurora-postgresql',
    };
    await expect(rds.send(new CreateDBInstanceCommand(newInstance))).rejects.toThrow(/Set the Serverless v2 scaling/);
    await rds.send(
      new ModifyDBClusterCommand({
        DBClusterIdentifier: 'restored',
        ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
      }),
    );
    await rds.send(new CreateDBInstanceCommand(newInstance));
    await untilInstance('restored-writer');
    expect(await notesAt((await cluster('restored'))?.Port)).toEqual(['before the moment', 'in the snapshot']);
  });

  it('swaps them by renaming: identifier, ARN and endpoint lead to the restored data', async () => {
    const rename = (DBClusterIdentifier: string, NewDBClusterIdentifier: string) =>
      rds.send(new ModifyDBClusterCommand({ DBClusterIdentifier, NewDBClusterIdentifier, ApplyImmediately: true }));
    await expect(rename('restored', 'site')).rejects.toMatchObject({ name: 'DBClusterAlreadyExistsFault' });
    expect((await rename('site', 'site-before')).DBCluster).toMatchObject({
      Status: 'renaming',
      PendingModifiedValues: { DBClusterIdentifier: 'site-before' },
    });
    await untilCluster('site-before');
    await expect(cluster('site')).rejects.toMatchObject({ name: 'DBClusterNotFoundFault' });
    await rename('restored', 'site');
    await untilCluster('site');
    await expect(sql('SELECT 1')).rejects.toMatchObject({ name: 'HttpEndpointNotEnabledException' });
    await rds.send(new EnableHttpEndpointCommand({ ResourceArn: account.output('ClusterArn') }));
    expect(JSON.parse(await sql('SELECT note FROM notes ORDER BY note'))).toEqual([
      { note: 'before the moment' },
      { note: 'in the snapshot' },
    ]);
    expect(await notesAt(Number(account.output('Port')))).toEqual(['before the moment', 'in the snapshot']);
    expect(await notesAt((await cluster('site-before'))?.Port)).toContain('too late');
    await rds.send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: 'site-writer',
        NewDBInstanceIdentifier: 'site-before-writer',
        ApplyImmediately: true,
      }),
    );
    await untilInstance('site-before-writer');
    expect(await instance('site-before-writer')).toMatchObject({ DBClusterIdentifier: 'site-before' });
  });

  it('keeps what was swapped when the rehearsal goes on from its folder', async () => {
    await account.close();
    await open();
    expect(await notesAt(Number(account.output('Port')))).toEqual(['before the moment', 'in the snapshot']);
    expect(await notesAt((await cluster('site-before'))?.Port)).toContain('too late');
  });

  it('removes a cluster that is not protected and has no instance, and keeps its snapshots', async () => {
    const remove = () =>
      rds.send(new DeleteDBClusterCommand({ DBClusterIdentifier: 'site-before', SkipFinalSnapshot: true }));
    await expect(remove()).rejects.toThrow(/still contains DB instances/);
    await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'site-before-writer' }));
    await expect(remove()).rejects.toThrow(/disable deletion protection/);
    await rds.send(new ModifyDBClusterCommand({ DBClusterIdentifier: 'site-before', DeletionProtection: false }));
    await remove();
    await eventually(async () =>
      expect(cluster('site-before')).rejects.toMatchObject({ name: 'DBClusterNotFoundFault' }),
    );
    const again = {
      DBClusterIdentifier: 'again',
      SnapshotIdentifier: 'before-update',
      Engine: 'aurora-postgresql',
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 1 },
    };
    await rds.send(new RestoreDBClusterFromSnapshotCommand(again));
    await untilCluster('again');
    const writer = new CreateDBInstanceCommand({
      DBInstanceIdentifier: 'again-writer',
      DBClusterIdentifier: 'again',
      DBInstanceClass: 'db.serverless',
      Engine: 'aurora-postgresql',
    });
    // What cannot be brought about has a status that says so, and can be removed.
    const stranger = createServer((socket) => socket.destroy()).listen((await cluster('again'))?.Port, '127.0.0.1');
    await once(stranger, 'listening');
    await rds.send(writer);
    await untilInstance('again-writer', 'failed');
    stranger.close();
    expect(readFileSync(join(directory, 'logs', 'rds.log'), 'utf8')).toMatch(/PostgreSQL did not start/);
    await rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'again-writer' }));
    await eventually(async () =>
      expect(instance('again-writer')).rejects.toMatchObject({ name: 'DBInstanceNotFoundFault' }),
    );
    await rds.send(writer);
    await untilInstance('again-writer');
    expect(await notesAt((await cluster('again'))?.Port)).toEqual(['in the snapshot']);
    await rds.send(new DeleteDBClusterSnapshotCommand({ DBClusterSnapshotIdentifier: 'before-update' }));
    const left = await rds.send(new DescribeDBClusterSnapshotsCommand({ SnapshotType: 'manual' }));
    expect(left.DBClusterSnapshots ?? []).toEqual([]);
  });

  it('copies and restores an instance that belongs to no cluster, also of MariaDB, also to a moment', {
    timeout: 180_000,
  }, async () => {
    const statements = async (id: string, ...texts: string[]) => {
      const { Endpoint } = (await instance(id)) ?? {};
      const connection = await createConnection({
        host: Endpoint?.Address ?? '',
        port: Endpoint?.Port ?? 0,
        user: 'moodle',
        password: 'a password of the test',
        database: 'moodle',
        ssl: { ca: readFileSync(account.world.certificateAuthorityFile, 'utf8') },
      });
      try {
        for (const text of texts) await connection.query(text);
        return (await connection.query<RowDataPacket[]>('SELECT note FROM notes ORDER BY note'))[0];
      } finally {
        await connection.end();
      }
    };
    await statements('single', 'CREATE TABLE notes (note varchar(20))', "INSERT INTO notes VALUES ('in the snapshot')");
    const Tags = [{ Key: 'of', Value: 'update' }];
    const snapshot = { DBInstanceIdentifier: 'single', Tags };
    // RDS's own backup may come at the same time.
    for (const name of ['of-single', 'meanwhile']) {
      await rds.send(new CreateDBSnapshotCommand({ ...snapshot, DBSnapshotIdentifier: name }));
    }
    for (const DBSnapshotIdentifier of ['of-single', 'meanwhile']) {
      await eventually(async () => {
        const { DBSnapshots } = await rds.send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier }));
        expect(DBSnapshots).toMatchObject([{ Status: 'available', TagList: Tags }]);
      });
    }
    await statements('single', "INSERT INTO notes VALUES ('before the moment')");
    // Its log tells whole seconds.
    await wait(1_000 - (Date.now() % 1_000));
    const RestoreTime = new Date();
    await wait(1_000);
    await statements('single', "INSERT INTO notes VALUES ('too late')");
    await eventually(async () =>
      expect((await instance('single'))?.LatestRestorableTime?.getTime()).toBeGreaterThan(RestoreTime.getTime()),
    );
    const source = { SourceDBInstanceIdentifier: 'single', TargetDBInstanceIdentifier: 'then' };
    await rds.send(new RestoreDBInstanceToPointInTimeCommand({ ...source, RestoreTime }));
    await rds.send(
      new RestoreDBInstanceFromDBSnapshotCommand({ DBInstanceIdentifier: 'twin', DBSnapshotIdentifier: 'of-single' }),
    );
    await Promise.all([untilInstance('then'), untilInstance('twin')]);
    expect(await statements('then')).toEqual([{ note: 'before the moment' }, { note: 'in the snapshot' }]);
    expect(await statements('twin')).toEqual([{ note: 'in the snapshot' }]);
    const another = { DBInstanceIdentifier: 'x', DBInstanceClass: 'db.t4g.small', Engine: 'postgres' };
    await expect(rds.send(new CreateDBInstanceCommand(another))).rejects.toMatchObject({
      name: 'UnsupportedParameter',
    });
  });
});
