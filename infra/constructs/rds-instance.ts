import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { databaseBackupWindow, databaseMaintenanceWindow } from '../backup-times.ts';
import type { Config } from '../config.ts';
import { type DatabaseEngineName, versionOf } from '../database-engines.ts';
import { attachedSecret, backupRetention, inCommon, instanceType } from './database-parts.ts';
import type { Network } from './network.ts';
import { databaseName, type SiteDatabase } from './site-database.ts';

/** One instance of PostgreSQL, MySQL or MariaDB, with a copy that stands by where the options ask for it. */
export class RdsInstance extends Construct implements SiteDatabase {
  readonly kind = 'instance';
  readonly engine: DatabaseEngineName;
  readonly instance: rds.DatabaseInstance;
  readonly secret: secretsmanager.ISecret;

  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id);
    const { keepData, databaseStorageGiB, databaseMaxStorageGiB } = config;
    this.engine = config.databaseEngine;
    this.instance = new rds.DatabaseInstance(this, 'Instance', {
      ...inCommon(this, network, config),
      engine: instanceEngine(config),
      instanceType: instanceType(config),
      multiAz: config.databaseMultiAz,
      storageType: rds.StorageType.GP3,
      allocatedStorage: databaseStorageGiB,
      ...(databaseMaxStorageGiB > databaseStorageGiB && { maxAllocatedStorage: databaseMaxStorageGiB }),
      databaseName,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: true,
      backupRetention: backupRetention(config),
      preferredBackupWindow: databaseBackupWindow,
      preferredMaintenanceWindow: databaseMaintenanceWindow,
      deleteAutomatedBackups: !keepData,
    });
    this.secret = attachedSecret(this.instance);
  }

  get host(): string {
    return this.instance.dbInstanceEndpointAddress;
  }

  get port(): string {
    return this.instance.dbInstanceEndpointPort;
  }

  get arn(): string {
    return this.instance.instanceArn;
  }

  get identifier(): string {
    return this.instance.instanceIdentifier;
  }

  allowFrom(client: ec2.IConnectable): void {
    this.instance.connections.allowDefaultPortFrom(client);
  }
}

function instanceEngine({ databaseEngine, databaseVersion }: Config): rds.IInstanceEngine {
  const { full, major } = versionOf(databaseEngine, databaseVersion);
  switch (databaseEngine) {
    case 'mysql':
      return rds.DatabaseInstanceEngine.mysql({ version: rds.MysqlEngineVersion.of(full, major) });
    case 'mariadb':
      return rds.DatabaseInstanceEngine.mariaDb({ version: rds.MariaDbEngineVersion.of(full, major) });
    default:
      return rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.of(full, major) });
  }
}
