import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import type { Network } from './network.ts';
import { elasticacheArn, type Store, storeSecret, storeSecurityGroup } from './store.ts';

export interface RedisStoreProps {
  readonly network: Network;
  readonly description: string;
  readonly config: Pick<Config, 'cacheEngine' | 'cacheNodeType' | 'cacheReplicas'>;
  readonly evictionPolicy: EvictionPolicy;
}

/** Which keys give way when memory is full. */
export type EvictionPolicy = 'allkeys-lru' | 'volatile-ttl' | 'noeviction';

/** Redis OSS ends with 7.1 at ElastiCache; Valkey goes on, and answers INFO with the version of Redis it stands for. */
const engines = {
  redis: { version: '7.1', family: 'redis7' },
  valkey: { version: '8.1', family: 'valkey8' },
} as const;

/**
 * A replication group of Redis or Valkey that is encrypted in transit and at rest and asks for a token. Level 1: CDK has
 * no other.
 */
export class RedisStore extends Construct implements Store {
  readonly type = 'redis';
  readonly kind = 'replication-group';
  readonly topology = 'single';
  readonly describe = 'elasticache:DescribeReplicationGroups';
  readonly id: string;
  readonly endpoint: string;
  readonly secret: secretsmanager.ISecret;
  readonly arn: string;
  readonly #securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, props: RedisStoreProps) {
    super(scope, id);
    const { network, description } = props;
    const { cacheEngine: engine, cacheReplicas: replicas } = props.config;
    this.#securityGroup = storeSecurityGroup(this, network.vpc, description);
    this.secret = storeSecret(this, 'Token', `${description}: AUTH token`);
    const subnetGroup = new elasticache.CfnSubnetGroup(this, 'Subnets', {
      description,
      subnetIds: network.storeSubnets.subnetIds,
    });
    const parameterGroup = new elasticache.CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: engines[engine].family,
      description,
      properties: { 'maxmemory-policy': props.evictionPolicy },
    });
    const group = new elasticache.CfnReplicationGroup(this, 'ReplicationGroup', {
      replicationGroupDescription: description,
      engine,
      engineVersion: engines[engine].version,
      cacheNodeType: props.config.cacheNodeType,
      numCacheClusters: 1 + replicas,
      automaticFailoverEnabled: replicas > 0,
      multiAzEnabled: replicas > 0,
      cacheSubnetGroupName: subnetGroup.ref,
      cacheParameterGroupName: parameterGroup.ref,
      securityGroupIds: [this.#securityGroup.securityGroupId],
      transitEncryptionEnabled: true,
      atRestEncryptionEnabled: true,
      // CloudFormation fetches the token itself: it is in no template.
      authToken: this.secret.secretValue.unsafeUnwrap(),
      autoMinorVersionUpgrade: true,
    });
    const choice =
      'A session or a cache entry that is lost is made again; a backup of them would keep what students do.';
    acknowledge(this, 'NIST.800.53.R5-ElastiCacheRedisClusterAutomaticBackup', choice);
    acknowledge(
      this,
      'AwsSolutions-AEC4',
      'cacheReplicas=0: minutes without a cache were chosen over twice the price.',
    );
    acknowledge(this, 'AwsSolutions-AEC5', 'The port is no secret: nodes alone are let in, with TLS and a token.');
    const token = 'ElastiCache takes a new token only by a change of the group; nodes read the secret when they start.';
    acknowledge(this, 'AwsSolutions-SMG4', token);
    acknowledge(this, 'NIST.800.53.R5-SecretsManagerRotationEnabled', token);
    this.id = group.ref;
    this.arn = elasticacheArn(this, 'replicationgroup', group.ref);
    this.endpoint = `${group.attrPrimaryEndPointAddress}:${group.attrPrimaryEndPointPort}`;
  }

  allowFrom(client: ec2.IConnectable): void {
    this.#securityGroup.connections.allowFrom(client, ec2.Port.tcp(6379));
  }
}
