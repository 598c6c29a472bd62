import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeFindings } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { type DatabaseEngineName, databaseEngines } from '../database-engines.ts';
import type { Network } from './network.ts';
import { databaseUser } from './site-database.ts';

/** What a cluster and an instance are given alike. */
export function inCommon(scope: Construct, network: Network, config: Config) {
  const { databaseEngine, keepData } = config;
  acknowledgeChoices(scope, config);
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

function acknowledgeChoices(
  scope: Construct,
  { keepData, databaseMultiAz, databaseRotationDays, backups }: Config,
): void {
  acknowledge(scope, 'AwsSolutions-RDS6', 'Moodle logs in by password, over TLS; it has no token of IAM to give.');
  acknowledge(scope, 'AwsSolutions-RDS11', 'The port is no secret: only nodes and phase functions are let in at all.');
  acknowledge(scope, 'AwsSolutions-RDS14', 'Rollouts go back by a restore to a point in time, which every engine has.');
  acknowledge(
    scope,
    'NIST.800.53.R5-RDSEnhancedMonitoringEnabled',
    "Alarms stand on RDS's own metrics; what the operating system sees is one option more to pay for.",
  );
  acknowledgeFindings(
    scope,
    'NIST.800.53.R5-RDSLoggingEnabled',
    /^LogExport::/,
    'Statements hold what students wrote: the logs of the database stay inside of RDS.',
  );
  // The port of the security group is known only when it is deployed; what is let in are nodes and functions.
  for (const rule of ['NIST.800.53.R5-EC2RestrictedCommonPorts', 'NIST.800.53.R5-EC2RestrictedSSH']) {
    acknowledge(scope, rule, "One port, the database's own, and from two security groups of the site.");
  }
  if (databaseRotationDays === 0) {
    const choice = 'databaseRotationDays=0: the password is that of a user whom only the site knows, and stays.';
    acknowledge(scope, 'AwsSolutions-SMG4', choice);
    acknowledge(scope, 'NIST.800.53.R5-SecretsManagerRotationEnabled', choice);
  }
  if (!keepData) {
    const disposable = 'keepData=false: the site is made to be taken away whole.';
    acknowledge(scope, 'AwsSolutions-RDS10', disposable);
    acknowledge(scope, 'NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled', disposable);
  } else {
    acknowledge(
      scope,
      'NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled',
      'The cluster is protected, and with it its members.',
    );
  }
  if (!databaseMultiAz) {
    const choice = 'databaseMultiAz=false: minutes of outage were chosen over twice the price.';
    acknowledge(scope, 'AwsSolutions-RDS3', choice);
    acknowledge(scope, 'NIST.800.53.R5-RDSMultiAZSupport', choice);
  }
  acknowledge(
    scope,
    'NIST.800.53.R5-RDSInBackupPlan',
    backups
      ? 'The plan names the cluster, and with it its members.'
      : "backups=false: RDS's own backups, of databaseBackupDays, are what there is.",
  );
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
    // Of a database that is made new, and so of a new site's tables. MySQL's own since 8.0: it tells emoji from each other.
    // Those of MariaDB that do are refused by Moodle, which looks for them among the collations of a character set.
    collation_server: family === 'mysql' ? 'utf8mb4_0900_ai_ci' : 'utf8mb4_unicode_ci',
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
