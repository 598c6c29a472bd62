import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import { Construct } from 'constructs';
import type { Network } from './network.ts';

/** Where nodes run: the cluster, and the security group that all of them share. */
export class Nodes extends Construct implements ec2.IConnectable {
  readonly cluster: ecs.ICluster;
  readonly securityGroup: ec2.SecurityGroup;
  readonly network: Network;

  constructor(scope: Construct, id: string, { network, site }: { readonly network: Network; readonly site: string }) {
    super(scope, id);
    this.network = network;
    this.cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: network.vpc,
      enableFargateCapacityProviders: false,
      containerInsightsV2: ecs.ContainerInsights.DISABLED,
    }) as ecs.ICluster;
    // Out to everywhere: Moodle fetches feeds, repositories, badges and mail from hosts that nobody can list.
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: `Nodes of ${site}`,
      allowAllOutbound: true,
    });
  }

  get connections(): ec2.Connections {
    return this.securityGroup.connections;
  }
}
