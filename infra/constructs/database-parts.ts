import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { type DatabaseEngineName, databaseEngines } from '../database-engines.ts';
import type { Network } from './network.ts';
import { databaseUser } from './site-database.ts';

/** What a cluster and an instance are given alike. */
export function inCommon(scope: Construct, network: Network, { databaseEngine, keepData }: Config) {
  const secret = new rds.DatabaseSecret(scope, 'Credentials', { username: databaseUser }) as secretsmanager.ISecret;
  return {
    credentials: rds.Credentials.fromSecret(secret),
    parameters: databaseParameters(databaseEngine),
    vpc: network.vpc,
    vpcSubnets: network.databaseSubnets,
    securityGroups: [
      new ec2.SecurityGroup(scope, 'SecurityGroup', {
        vpc: network.vpc,
        description: 'Database',
        allowAllOutbound: false,
      }),
    ],
    storageEncrypted: true,
    copyTagsToSnapshot: true,
    deletionProtection: keepData,
    // A final snapshot and not RETAIN: a database that stays behind would hold the network's deletion up.
    removalPolicy: keepData ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
  };
}

export function backupRetention({ databaseBackupDays }: Config): Duration {
  return Duration.days(databaseBackupDays);
}

/** TLS or nothing, and Moodle's character set, in the words of each engine's parameter group. */
function databaseParameters(engine: DatabaseEngineName): Record<string, string> {
  const { family, kind } = databaseEngines[engine];
  if (family === 'postgresql') return { 'rds.force_ssl': '1' };
  return {
    // Aurora's group takes ON, RDS's a number.
    require_secure_transport: kind === 'cluster' ? 'ON' : '1',
    // Before 11.6, MariaDB makes a database in latin1, which Moodle refuses.
    character_set_server: 'utf8mb4',
    collation_server: 'utf8mb4_unicode_ci',
  };
}

/** The secret as the database completed it: with `host`, `port` and `dbname`. */
export function attachedSecret(database: { readonly secret?: secretsmanager.ISecret }): secretsmanager.ISecret {
  if (database.secret === undefined) throw new Error('The database was made without credentials.');
  return database.secret;
}

/** CDK puts `db.` before the type itself. */
export function instanceType({ databaseInstanceType }: Config): ec2.InstanceType {
  return new ec2.InstanceType(databaseInstanceType.replace(/^db\./, ''));
}
