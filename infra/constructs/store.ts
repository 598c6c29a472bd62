import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/** What the nodes and the phase functions need to know of an ElastiCache store. */
export interface Store {
  /** What Moodle speaks with it. */
  readonly type: 'redis' | 'memcached';
  /** What ElastiCache calls it. */
  readonly kind: 'replication-group' | 'cache-cluster' | 'serverless';
  /** Whether a client has to ask which server of several has a key. */
  readonly topology: 'single' | 'cluster';
  /** Replication group id, cache cluster id or name of the serverless cache. */
  readonly id: string;
  /** `host:port`. */
  readonly endpoint: string;
  readonly arn: string;
  /** The call that tells whether it is up. */
  readonly describe: `elasticache:Describe${string}`;
  /** Holds the password as plain text; Memcached has none. */
  readonly secret?: secretsmanager.ISecret;
  allowFrom(client: ec2.IConnectable): void;
}

export function elasticacheArn(
  scope: Construct,
  kind: 'replicationgroup' | 'cluster' | 'serverlesscache',
  id: string,
): string {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  return Stack.of(scope).formatArn({ service: 'elasticache', resource: kind, resourceName: id, arnFormat });
}

/** Lets nobody in until `allowFrom` does, and nothing out. */
export function storeSecurityGroup(scope: Construct, vpc: ec2.IVpc, description: string): ec2.SecurityGroup {
  return new ec2.SecurityGroup(scope, 'SecurityGroup', { vpc, description, allowAllOutbound: false });
}

/** ElastiCache takes 16 to 128 characters, and few of the punctuation marks. */
export function storeSecret(scope: Construct, id: string, description: string): secretsmanager.ISecret {
  return new secretsmanager.Secret(scope, id, {
    description,
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
  }) as secretsmanager.ISecret;
}
