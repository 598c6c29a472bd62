import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Network } from './network.ts';
import { elasticacheArn, type Store, storeSecurityGroup } from './store.ts';

export interface MemcachedStoreProps {
  readonly network: Network;
  readonly description: string;
  readonly nodeType: string;
}

/**
 * A Memcached cluster, without TLS: neither Moodle's session handler nor its cache store can speak it. One node: they do
 * not know ElastiCache's discovery of several.
 */
export class MemcachedStore extends Construct implements Store {
  readonly type = 'memcached';
  readonly kind = 'cache-cluster';
  readonly topology = 'single';
  readonly describe = 'elasticache:DescribeCacheClusters';
  readonly id: string;
  readonly endpoint: string;
  readonly arn: string;
  readonly #securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { network, description, nodeType }: MemcachedStoreProps) {
    super(scope, id);
    this.#securityGroup = storeSecurityGroup(this, network.vpc, description);
    const subnetGroup = new elasticache.CfnSubnetGroup(this, 'Subnets', {
      description,
      subnetIds: network.storeSubnets.subnetIds,
    });
    const cluster = new elasticache.CfnCacheCluster(this, 'Cluster', {
      engine: 'memcached',
      engineVersion: '1.6.22',
      cacheNodeType: nodeType,
      numCacheNodes: 1,
      cacheSubnetGroupName: subnetGroup.ref,
      vpcSecurityGroupIds: [this.#securityGroup.securityGroupId],
      autoMinorVersionUpgrade: true,
    });
    acknowledge(this, 'AwsSolutions-AEC5', 'The port is no secret: nodes alone are let in.');
    this.id = cluster.ref;
    this.arn = elasticacheArn(this, 'cluster', cluster.ref);
    this.endpoint = `${cluster.attrConfigurationEndpointAddress}:${cluster.attrConfigurationEndpointPort}`;
  }

  allowFrom(client: ec2.IConnectable): void {
    this.#securityGroup.connections.allowFrom(client, ec2.Port.tcp(11211));
  }
}
