import type { DBCluster, DBInstance, Tag } from '@aws-sdk/client-rds';

interface Snapshot {
  readonly identifier: string;
  Status: string;
  PercentProgress: number;
  readonly TagList: Tag[];
  readonly SnapshotCreateTime: Date;
}

const fault = (name: string, message = name) => Object.assign(new Error(message), { name });

/**
 * RDS in memory, for the decisions of phases: what takes it minutes is done when a test calls `settle()`. What is in the
 * databases, it does not know; `exchanged` tells a test when another one answers under the site's name.
 */
export class FakeRds {
  readonly clusters = new Map<string, DBCluster>();
  readonly instances = new Map<string, DBInstance>();
  readonly snapshots = new Map<string, Snapshot>();
  /** How far the backups reach, seconds before now. */
  backupLag = -3600;
  /** Called when a restored database has taken the site's name. */
  exchanged: () => Promise<void> = async () => undefined;
  /** Passwords of master users that were set; of all others it is that of the moment that they were restored to. */
  readonly passwords = new Map<object, string>();
  readonly #later: (() => void | Promise<void>)[] = [];
  readonly #kind: 'cluster' | 'instance';

  /** The database `campus-database`: a cluster of a writer and a reader, or one instance. */
  constructor(kind: 'cluster' | 'instance' = 'cluster') {
    this.#kind = kind;
    if (kind === 'instance') {
      const how = { DBInstanceStatus: 'available', DeletionProtection: true, MasterUsername: 'moodle' };
      this.#instance('campus-database', { Engine: 'mariadb', ...how });
      return;
    }
    for (const name of ['campus-reader', 'campus-writer']) {
      this.#instance(name, { DBClusterIdentifier: 'campus-database', DBInstanceStatus: 'available' });
    }
    this.clusters.set('campus-database', {
      DBClusterIdentifier: 'campus-database',
      DBClusterArn: 'arn:rds:campus-database',
      MasterUsername: 'moodle',
      Status: 'available',
      Engine: 'aurora-postgresql',
      HttpEndpointEnabled: true,
      DeletionProtection: true,
      DBSubnetGroup: 'subnets',
      VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-database' }],
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
      TagList: [
        { Key: 'aws:cloudformation:stack-name', Value: 'CampusPlatform' },
        { Key: 'owner', Value: 'us' },
      ],
      DBClusterMembers: [
        { DBInstanceIdentifier: 'campus-reader', IsClusterWriter: false },
        { DBInstanceIdentifier: 'campus-writer', IsClusterWriter: true },
      ],
    });
  }

  /** Whether a database answers under the site's name. */
  get answers(): boolean {
    const found =
      this.#kind === 'cluster'
        ? this.clusters.get('campus-database')?.Status
        : this.instances.get('campus-database')?.DBInstanceStatus;
    return found === 'available';
  }

  /** All that RDS would do in a while. */
  async settle(): Promise<void> {
    for (let next = this.#later.shift(); next; next = this.#later.shift()) await next();
  }

  readonly operations: Record<string, (input: never) => object> = {
    DescribeDBClusters: ({ DBClusterIdentifier }: { DBClusterIdentifier?: string }) => {
      const latest = new Date(Date.now() - this.backupLag * 1000);
      const told = (cluster: DBCluster) => ({
        ...cluster,
        ...(cluster.TagList?.some(({ Key }) => Key === 'no-backups') ? {} : { LatestRestorableTime: latest }),
      });
      if (!DBClusterIdentifier) return { DBClusters: [...this.clusters.values()].map(told) };
      const found = this.clusters.get(DBClusterIdentifier);
      if (!found) throw fault('DBClusterNotFoundFault');
      return { DBClusters: [told(found)] };
    },
    DescribeDBInstances: ({ DBInstanceIdentifier }: { DBInstanceIdentifier?: string }) => {
      const latest = new Date(Date.now() - this.backupLag * 1000);
      if (!DBInstanceIdentifier) return { DBInstances: [...this.instances.values()] };
      const found = this.instances.get(DBInstanceIdentifier);
      if (!found) throw fault('DBInstanceNotFoundFault');
      return { DBInstances: [{ ...found, LatestRestorableTime: latest }] };
    },
    RestoreDBClusterToPointInTime: (input: DBCluster & Restore) => this.#restoreCluster(input),
    RestoreDBClusterFromSnapshot: (input: DBCluster & Restore) => this.#restoreCluster(input),
    RestoreDBInstanceToPointInTime: (input: DBInstance & Restore) =>
      this.#restoreInstance(input.TargetDBInstanceIdentifier ?? '', input),
    RestoreDBInstanceFromDBSnapshot: (input: DBInstance & Restore) =>
      this.#restoreInstance(input.DBInstanceIdentifier ?? '', input),
    CreateDBInstance: ({ DBInstanceIdentifier = '', Tags = [], ...rest }: DBInstance & Restore) => {
      if (this.instances.has(DBInstanceIdentifier)) throw fault('DBInstanceAlreadyExistsFault');
      const cluster = this.clusters.get(rest.DBClusterIdentifier ?? '');
      if (cluster?.Status !== 'available') throw fault('InvalidDBClusterStateFault');
      const instance = this.#instance(DBInstanceIdentifier, { ...rest, TagList: Tags, DBInstanceStatus: 'creating' });
      const IsClusterWriter = !cluster.DBClusterMembers?.length;
      cluster.DBClusterMembers = [...(cluster.DBClusterMembers ?? []), { DBInstanceIdentifier, IsClusterWriter }];
      this.#later.push(() => {
        instance.DBInstanceStatus = 'available';
      });
      return {};
    },
    EnableHttpEndpoint: ({ ResourceArn }: { ResourceArn: string }) => {
      const cluster = [...this.clusters.values()].find(({ DBClusterArn }) => DBClusterArn === ResourceArn);
      if (cluster) cluster.HttpEndpointEnabled = true;
      return {};
    },
    AddTagsToResource: ({ ResourceName, Tags }: { ResourceName: string; Tags: Tag[] }) => {
      const all = [...this.clusters.values(), ...this.instances.values()];
      const found = all.find(
        (one) => ('DBClusterArn' in one ? one.DBClusterArn : (one as DBInstance).DBInstanceArn) === ResourceName,
      );
      if (!found) throw fault('ResourceNotFound');
      const names = Tags.map(({ Key }) => Key);
      found.TagList = [...(found.TagList ?? []).filter(({ Key }) => !names.includes(Key)), ...Tags];
      return {};
    },
    ModifyDBCluster: (input: {
      DBClusterIdentifier: string;
      NewDBClusterIdentifier?: string;
      MasterUserPassword?: string;
      DeletionProtection?: boolean;
    }) => {
      const cluster = this.clusters.get(input.DBClusterIdentifier);
      if (cluster?.Status !== 'available') throw fault('InvalidDBClusterStateFault');
      const { MasterUserPassword } = input;
      if (MasterUserPassword) {
        Object.assign(cluster, {
          Status: 'resetting-master-credentials',
          PendingModifiedValues: { MasterUserPassword: '****' },
        });
        this.#later.push(() => {
          Object.assign(cluster, { Status: 'available', PendingModifiedValues: undefined });
          this.passwords.set(cluster, MasterUserPassword);
        });
      }
      if (input.DeletionProtection !== undefined) cluster.DeletionProtection = input.DeletionProtection;
      const to = input.NewDBClusterIdentifier;
      if (to) {
        if (this.clusters.has(to)) throw fault('DBClusterAlreadyExistsFault');
        cluster.Status = 'renaming';
        this.#later.push(async () => {
          this.clusters.delete(input.DBClusterIdentifier);
          this.clusters.set(to, cluster);
          Object.assign(cluster, { DBClusterIdentifier: to, DBClusterArn: `arn:rds:${to}`, Status: 'available' });
          for (const { DBInstanceIdentifier = '' } of cluster.DBClusterMembers ?? []) {
            Object.assign(this.instances.get(DBInstanceIdentifier) ?? {}, { DBClusterIdentifier: to });
          }
          if (to === 'campus-database') await this.exchanged();
        });
      }
      return {};
    },
    ModifyDBInstance: (input: {
      DBInstanceIdentifier: string;
      NewDBInstanceIdentifier?: string;
      MasterUserPassword?: string;
      DeletionProtection?: boolean;
    }) => {
      const instance = this.instances.get(input.DBInstanceIdentifier);
      if (instance?.DBInstanceStatus !== 'available') throw fault('InvalidDBInstanceStateFault');
      const { MasterUserPassword } = input;
      if (MasterUserPassword) {
        Object.assign(instance, {
          DBInstanceStatus: 'resetting-master-credentials',
          PendingModifiedValues: { MasterUserPassword: '****' },
        });
        this.#later.push(() => {
          Object.assign(instance, { DBInstanceStatus: 'available', PendingModifiedValues: undefined });
          this.passwords.set(instance, MasterUserPassword);
        });
      }
      if (input.DeletionProtection !== undefined) instance.DeletionProtection = input.DeletionProtection;
      const to = input.NewDBInstanceIdentifier;
      if (to) {
        if (this.instances.has(to)) throw fault('DBInstanceAlreadyExistsFault');
        instance.DBInstanceStatus = 'renaming';
        this.#later.push(async () => {
          this.instances.delete(input.DBInstanceIdentifier);
          this.instances.set(to, instance);
          Object.assign(instance, {
            DBInstanceIdentifier: to,
            DBInstanceArn: `arn:rds:${to}`,
            DBInstanceStatus: 'available',
          });
          for (const cluster of this.clusters.values()) {
            for (const member of cluster.DBClusterMembers ?? []) {
              if (member.DBInstanceIdentifier === input.DBInstanceIdentifier) member.DBInstanceIdentifier = to;
            }
          }
          if (to === 'campus-database') await this.exchanged();
        });
      }
      return {};
    },
    DeleteDBInstance: ({ DBInstanceIdentifier }: { DBInstanceIdentifier: string }) => {
      const instance = this.instances.get(DBInstanceIdentifier);
      if (!instance) throw fault('DBInstanceNotFoundFault');
      if (instance.DeletionProtection) throw fault('InvalidParameterCombination');
      instance.DBInstanceStatus = 'deleting';
      this.#later.push(() => {
        this.instances.delete(DBInstanceIdentifier);
      });
      return {};
    },
    DeleteDBCluster: ({ DBClusterIdentifier }: { DBClusterIdentifier: string }) => {
      const cluster = this.clusters.get(DBClusterIdentifier);
      if (!cluster) throw fault('DBClusterNotFoundFault');
      if (cluster.DeletionProtection) throw fault('InvalidParameterCombination');
      const left = (cluster.DBClusterMembers ?? []).some(
        ({ DBInstanceIdentifier = '' }) => this.instances.get(DBInstanceIdentifier)?.DBInstanceStatus === 'available',
      );
      if (left) throw fault('InvalidDBClusterStateFault');
      cluster.Status = 'deleting';
      this.#later.push(() => {
        this.clusters.delete(DBClusterIdentifier);
      });
      return {};
    },
    CreateDBClusterSnapshot: (input: { DBClusterSnapshotIdentifier: string; Tags: Tag[] }) =>
      this.#snapshot(input.DBClusterSnapshotIdentifier, input.Tags),
    CreateDBSnapshot: (input: { DBSnapshotIdentifier: string; Tags: Tag[] }) =>
      this.#snapshot(input.DBSnapshotIdentifier, input.Tags),
    DescribeDBClusterSnapshots: ({ DBClusterSnapshotIdentifier: one }: { DBClusterSnapshotIdentifier?: string }) => ({
      DBClusterSnapshots: this.#found(one, 'DBClusterSnapshotNotFoundFault').map(({ identifier, ...rest }) => ({
        DBClusterSnapshotIdentifier: identifier,
        ...rest,
      })),
    }),
    DescribeDBSnapshots: ({ DBSnapshotIdentifier: one }: { DBSnapshotIdentifier?: string }) => ({
      DBSnapshots: this.#found(one, 'DBSnapshotNotFoundFault').map(({ identifier, ...rest }) => ({
        DBSnapshotIdentifier: identifier,
        ...rest,
      })),
    }),
    DeleteDBClusterSnapshot: ({ DBClusterSnapshotIdentifier }: { DBClusterSnapshotIdentifier: string }) => {
      this.snapshots.delete(DBClusterSnapshotIdentifier);
      return {};
    },
    DeleteDBSnapshot: ({ DBSnapshotIdentifier }: { DBSnapshotIdentifier: string }) => {
      this.snapshots.delete(DBSnapshotIdentifier);
      return {};
    },
  };

  #instance(name: string, members: Partial<DBInstance>): DBInstance {
    const instance = { DBInstanceIdentifier: name, DBInstanceArn: `arn:rds:${name}`, TagList: [], ...members };
    this.instances.set(name, instance);
    return instance;
  }

  #restoreCluster({
    DBClusterIdentifier = '',
    Tags = [],
    VpcSecurityGroupIds = [],
    DBSubnetGroupName = '',
    ...rest
  }: DBCluster & Restore) {
    if (this.clusters.has(DBClusterIdentifier)) throw fault('DBClusterAlreadyExistsFault');
    const cluster: DBCluster = {
      ...rest,
      DBClusterIdentifier,
      DBClusterArn: `arn:rds:${DBClusterIdentifier}`,
      Status: 'creating',
      Engine: 'aurora-postgresql',
      MasterUsername: 'moodle',
      DBSubnetGroup: DBSubnetGroupName,
      VpcSecurityGroups: VpcSecurityGroupIds.map((id) => ({ VpcSecurityGroupId: id })),
      HttpEndpointEnabled: false,
      DBClusterMembers: [],
      TagList: Tags,
    };
    this.clusters.set(DBClusterIdentifier, cluster);
    this.#later.push(() => {
      cluster.Status = 'available';
    });
    return {};
  }

  #restoreInstance(name: string, { Tags = [], ...rest }: DBInstance & Restore) {
    if (this.instances.has(name)) throw fault('DBInstanceAlreadyExistsFault');
    const instance = this.#instance(name, {
      ...rest,
      MasterUsername: 'moodle',
      TagList: Tags,
      DBInstanceStatus: 'creating',
    });
    instance.DBInstanceIdentifier = name;
    this.#later.push(() => {
      instance.DBInstanceStatus = 'available';
    });
    return {};
  }

  #snapshot(identifier: string, tags: Tag[]) {
    if (this.snapshots.has(identifier)) throw fault('DBClusterSnapshotAlreadyExistsFault');
    const snapshot = {
      identifier,
      Status: 'creating',
      PercentProgress: 10,
      TagList: tags,
      SnapshotCreateTime: new Date(),
    };
    this.snapshots.set(identifier, snapshot);
    this.#later.push(() => {
      Object.assign(snapshot, { Status: 'available', PercentProgress: 100 });
    });
    return {};
  }

  #found(one: string | undefined, missing: string): Snapshot[] {
    if (one === undefined) return [...this.snapshots.values()];
    const found = this.snapshots.get(one);
    if (!found) throw fault(missing);
    return [found];
  }
}

/** Members of a request that are none of what is restored. */
interface Restore {
  readonly Tags?: Tag[];
  readonly VpcSecurityGroupIds?: string[];
  readonly DBSubnetGroupName?: string;
  readonly TargetDBInstanceIdentifier?: string;
}
