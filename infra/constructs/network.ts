import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';

export interface NetworkProps {
  readonly availabilityZones: readonly string[];
  readonly natGateways: number;
}

/** The site's own network: the load balancer is public, nodes reach out through NAT, data has no way out at all. */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;

  constructor(scope: Construct, id: string, { availabilityZones, natGateways }: NetworkProps) {
    super(scope, id);
    const vpc = new ec2.Vpc(this, 'Vpc', {
      availabilityZones: [...availabilityZones],
      natGateways,
      subnetConfiguration: [
        { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'Nodes', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
        { name: 'Data', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      // Image layers come from S3: past the NAT gateway, which charges per gigabyte.
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    });
    Validations.of(this).acknowledge({
      id: 'CloudFormation-Validate::W3010',
      reason: 'The zones are options of the app, so that a synthesis needs no credentials to look them up.',
    });
    // Cast, here and wherever a construct is kept as its interface: CDK's classes do not match its own interfaces under
    // TypeScript's exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
  }

  get nodeSubnets(): ec2.SelectedSubnets {
    return this.vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS });
  }

  get dataSubnets(): ec2.SelectedSubnets {
    return this.vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_ISOLATED });
  }
}
