import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { nodeZonesOf, zonesOf } from '../options/network.ts';
import type { Network } from './network.ts';

/** A network that was there before, by the ids of its subnets: a synthesis looks nothing up. */
export class ExistingNetwork extends Construct implements Network {
  readonly vpc: ec2.IVpc;
  readonly publicSubnets: ec2.SelectedSubnets;
  readonly privateSubnets: ec2.SelectedSubnets;
  readonly nodeSubnets: ec2.SelectedSubnets;
  readonly databaseSubnets: ec2.SelectedSubnets;
  readonly storeSubnets: ec2.SelectedSubnets;

  constructor(scope: Construct, id: string, config: Config, vpcId: string) {
    super(scope, id);
    const { publicSubnetIds = [], nodeSubnetIds = [], dataSubnetIds = [] } = config;
    this.vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId,
      availabilityZones: [...zonesOf(config)],
      publicSubnetIds: [...publicSubnetIds],
      privateSubnetIds: [...nodeSubnetIds],
      isolatedSubnetIds: [...dataSubnetIds],
    });
    const { PUBLIC, PRIVATE_WITH_EGRESS, PRIVATE_ISOLATED } = ec2.SubnetType;
    const availabilityZones = nodeZonesOf(config);
    this.publicSubnets = this.vpc.selectSubnets({ subnetType: PUBLIC });
    this.privateSubnets = this.vpc.selectSubnets({ subnetType: PRIVATE_WITH_EGRESS });
    this.nodeSubnets = this.vpc.selectSubnets({ subnetType: PRIVATE_WITH_EGRESS, availabilityZones });
    this.databaseSubnets = this.vpc.selectSubnets({ subnetType: PRIVATE_ISOLATED });
    this.storeSubnets = this.vpc.selectSubnets({ subnetType: PRIVATE_ISOLATED, availabilityZones });
  }

  /** Its endpoints, if it has any, are not ours to open. */
  allowFrom(): void {}
}
