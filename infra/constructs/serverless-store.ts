import { Names } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import type { Network } from './network.ts';
import { elasticacheArn, type Store, storeSecret, storeSecurityGroup } from './store.ts';

export interface ServerlessStoreProps {
  readonly network: Network;
  readonly description: string;
  readonly config: Pick<Config, 'cacheEngine'>;
}

const majorVersions = { redis: '7', valkey: '8' } as const;

/**
 * A serverless cache: it speaks TLS and is a cluster always, and knows users and no token. Moodle's cache store can give
 * a password and no name, so the user is the one that Redis takes where none is named, with this site's own password.
 */
export class ServerlessStore extends Construct implements Store {
  readonly type = 'redis';
  readonly kind = 'serverless';
  readonly topology = 'cluster';
  readonly describe = 'elasticache:DescribeServerlessCaches';
  readonly id: string;
  readonly endpoint: string;
  readonly secret: secretsmanager.ISecret;
  readonly arn: string;
  readonly #securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { network, description, config }: ServerlessStoreProps) {
    super(scope, id);
    const { cacheEngine: engine } = config;
    this.#securityGroup = storeSecurityGroup(this, network.vpc, description);
    this.secret = storeSecret(this, 'Password', `${description}: password`);
    // None of these has a generated name.
    const name = (of: string) =>
      `${Names.uniqueResourceName(this, { maxLength: 30, separator: '-' })}-${of}`.toLowerCase();
    const user = new elasticache.CfnUser(this, 'User', {
      engine,
      userId: name('user'),
      userName: 'default',
      // All data, and what Moodle asks of the server; not what changes or watches the server itself.
      accessString: 'on ~* &* +@all -@admin -@dangerous +info',
      authenticationMode: { Type: 'password', Passwords: [this.secret.secretValue.unsafeUnwrap()] },
    });
    const users = new elasticache.CfnUserGroup(this, 'Users', {
      engine,
      userGroupId: name('users'),
      userIds: [user.ref],
    });
    const cache = new elasticache.CfnServerlessCache(this, 'Cache', {
      engine,
      majorEngineVersion: majorVersions[engine],
      serverlessCacheName: name('cache'),
      description,
      // It wants subnets of two or three zones, in however many of them nodes are.
      subnetIds: network.databaseSubnets.subnetIds,
      securityGroupIds: [this.#securityGroup.securityGroupId],
      userGroupId: users.ref,
    });
    const password =
      'ElastiCache takes a new password only by a change of the user; nodes read the secret when they start.';
    acknowledge(this, 'AwsSolutions-SMG4', password);
    acknowledge(this, 'NIST.800.53.R5-SecretsManagerRotationEnabled', password);
    this.id = cache.ref;
    this.arn = elasticacheArn(this, 'serverlesscache', cache.ref);
    this.endpoint = `${cache.attrEndpointAddress}:${cache.attrEndpointPort}`;
  }

  allowFrom(client: ec2.IConnectable): void {
    // The second port is that of the readers, which the cluster's own directory names beside the first.
    this.#securityGroup.connections.allowFrom(client, ec2.Port.tcpRange(6379, 6380));
  }
}
