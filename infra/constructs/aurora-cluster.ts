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

/** Aurora PostgreSQL or Aurora MySQL, with the Data API where the phase functions use it. */
export class AuroraCluster extends Construct implements SiteDatabase {
  readonly kind = 'cluster';
  readonly engine: DatabaseEngineName;
  readonly cluster: rds.DatabaseCluster;
  readonly secret: secretsmanager.ISecret;

  constructor(scope: Construct, id: string, network: Network, config: Config) {
    super(scope, id);
    this.engine = config.databaseEngine;
    const serverless = config.databaseCapacity === 'serverless';
    this.cluster = new rds.DatabaseCluster(this, 'Cluster', {
      ...inCommon(this, network, config),
      engine: clusterEngine(config),
      writer: member(config, 'Writer'),
      readers: config.databaseReader ? [member(config, 'Reader')] : [],
      ...(serverless && {
        serverlessV2MinCapacity: config.databaseMinCapacity,
        serverlessV2MaxCapacity: config.databaseMaxCapacity,
      }),
      defaultDatabaseName: databaseName,
      enableDataApi: config.databaseAccess === 'data-api',
      backup: { retention: backupRetention(config), preferredWindow: databaseBackupWindow },
      preferredMaintenanceWindow: databaseMaintenanceWindow,
    });
    this.secret = attachedSecret(this.cluster);
  }

  get host(): string {
    return this.cluster.clusterEndpoint.hostname;
  }

  get port(): string {
    return this.cluster.clusterEndpoint.port.toString();
  }

  get arn(): string {
    return this.cluster.clusterArn;
  }

  get identifier(): string {
    return this.cluster.clusterIdentifier;
  }

  allowFrom(client: ec2.IConnectable): void {
    this.cluster.connections.allowDefaultPortFrom(client);
  }
}

function clusterEngine({ databaseEngine, databaseVersion }: Config): rds.IClusterEngine {
  const { full, major } = versionOf(databaseEngine, databaseVersion);
  return databaseEngine === 'aurora-mysql'
    ? rds.DatabaseClusterEngine.auroraMysql({ version: rds.AuroraMysqlEngineVersion.of(full, major) })
    : rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.of(full, major) });
}

/** A reader has the writer's size at all times: it may have to take the writer's place. */
function member(config: Config, id: 'Writer' | 'Reader'): rds.IClusterInstance {
  const alike = { autoMinorVersionUpgrade: true, publiclyAccessible: false };
  return config.databaseCapacity === 'serverless'
    ? rds.ClusterInstance.serverlessV2(id, { ...alike, ...(id === 'Reader' && { scaleWithWriter: true }) })
    : rds.ClusterInstance.provisioned(id, { ...alike, instanceType: instanceType(config) });
}
