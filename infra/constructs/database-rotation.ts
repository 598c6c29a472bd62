import { Duration, Stack } from 'aws-cdk-lib';
import { HostedRotation, type SingleUserHostedRotationOptions } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { type DatabaseEngineName, databaseEngines } from '../database-engines.ts';
import type { Database } from './database.ts';
import { logGroup } from './logs.ts';
import type { Network } from './network.ts';

export interface DatabaseRotationProps {
  readonly config: Config;
  readonly database: Database;
  readonly network: Network;
}

/**
 * Gives the database's user a new password every so many days, by Secrets Manager's own function: CloudFormation brings
 * it along. It stands in the site's network, where alone it reaches the database, also of a site with the Data API.
 * Nodes and phase functions read the secret again when the database refuses the password that they know.
 */
export class DatabaseRotation extends Construct {
  /** Of the function that rotates. */
  readonly functionName: string;

  constructor(scope: Construct, id: string, { config, database, network }: DatabaseRotationProps) {
    super(scope, id);
    this.functionName = `${Stack.of(this).stackName}-database-rotation`;
    // Made first, or Lambda makes it, and it is kept for ever.
    const logs = logGroup(this, 'Logs', config.logRetentionDays, `/aws/lambda/${this.functionName}`);
    const rotation = hostedRotation(database.engine, {
      functionName: this.functionName,
      vpc: network.vpc,
      vpcSubnets: network.nodeSubnets,
    });
    const schedule = database.secret.addRotationSchedule('Rotation', {
      hostedRotation: rotation,
      automaticallyAfter: Duration.days(config.databaseRotationDays),
      // Not by a deploy: nodes that start at that moment would meet a secret that changes.
      rotateImmediatelyOnUpdate: false,
    });
    schedule.node.addDependency(logs);
    for (const part of [network, database]) part.allowFrom(rotation);
  }
}

function hostedRotation(engine: DatabaseEngineName, options: SingleUserHostedRotationOptions): HostedRotation {
  if (databaseEngines[engine].family === 'postgresql') return HostedRotation.postgreSqlSingleUser(options);
  return engine === 'mariadb' ? HostedRotation.mariaDbSingleUser(options) : HostedRotation.mysqlSingleUser(options);
}
