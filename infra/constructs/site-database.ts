import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { DatabaseEngineName } from '../database-engines.ts';

/** The name of Moodle's database on the server. */
export const databaseName = 'moodle';
/** The name of its owner, which the nodes and the phase functions connect as. */
export const databaseUser = 'moodle';

/** What the nodes and the phase functions need to know of the site's database, whichever it is. */
export interface SiteDatabase {
  readonly engine: DatabaseEngineName;
  readonly host: string;
  /** As CloudFormation gives it: a token, written as text. */
  readonly port: string;
  /** JSON with `username` and `password`. */
  readonly secret: secretsmanager.ISecret;
  /** Of the cluster or of the instance. */
  readonly arn: string;
  /** Of the cluster or of the instance, as RDS names it in its events and metrics. */
  readonly identifier: string;
  allowFrom(client: ec2.IConnectable): void;
}
