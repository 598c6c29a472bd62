import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Network } from './network.ts';

export interface DatabaseProps {
  readonly network: Network;
  readonly minCapacity: number;
  readonly maxCapacity: number;
  readonly backupDays: number;
  readonly keepData: boolean;
}

/** Aurora PostgreSQL Serverless v2 with the Data API. Refuses connections without TLS. */
export class Database extends Construct {
  readonly databaseName = 'moodle';
  /** Prefix of Moodle's tables. */
  readonly tablePrefix = 'mdl_';
  readonly cluster: rds.DatabaseCluster;
  /** JSON with `username`, `password`, `host`, `port`, `dbname`. */
  readonly secret: secretsmanager.ISecret;

  constructor(scope: Construct, id: string, props: DatabaseProps) {
    super(scope, id);
    const { network, keepData } = props;
    const credentials = new rds.DatabaseSecret(this, 'Credentials', { username: 'moodle' }) as secretsmanager.ISecret;
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Database',
      allowAllOutbound: false,
    });
    this.cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
      writer: rds.ClusterInstance.serverlessV2('Writer', { autoMinorVersionUpgrade: true, publiclyAccessible: false }),
      serverlessV2MinCapacity: props.minCapacity,
      serverlessV2MaxCapacity: props.maxCapacity,
      defaultDatabaseName: this.databaseName,
      credentials: rds.Credentials.fromSecret(credentials),
      enableDataApi: true,
      parameters: { 'rds.force_ssl': '1' },
      vpc: network.vpc,
      vpcSubnets: network.dataSubnets,
      securityGroups: [securityGroup],
      storageEncrypted: true,
      backup: { retention: Duration.days(props.backupDays) },
      copyTagsToSnapshot: true,
      deletionProtection: keepData,
      // A final snapshot and not RETAIN: a cluster that stays behind would hold the network's deletion up.
      removalPolicy: keepData ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
    });
    this.secret = attached(this.cluster);
  }

  get host(): string {
    return this.cluster.clusterEndpoint.hostname;
  }

  /** As CloudFormation gives it: a token, written as text. */
  get port(): string {
    return this.cluster.clusterEndpoint.port.toString();
  }

  allowFrom(client: ec2.IConnectable): void {
    this.cluster.connections.allowDefaultPortFrom(client);
  }
}

function attached(cluster: rds.DatabaseCluster): secretsmanager.ISecret {
  if (cluster.secret === undefined) throw new Error('The database cluster was made without credentials.');
  return cluster.secret;
}
