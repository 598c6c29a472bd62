import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { Config } from '../config.ts';
import { nodeZonesOf, zonesOf } from '../options/network.ts';
import { logGroup } from './logs.ts';
import type { Network } from './network.ts';

/** What nodes call: for their image, their secrets and settings, their log, and a shell into them. */
const nodeServices = {
  EcrApi: ec2.InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
  SecretsManager: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Logs: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Ssm: ec2.InterfaceVpcEndpointAwsService.SSM,
  SsmMessages: ec2.InterfaceVpcEndpointAwsService.SSM_MESSAGES,
};

/** A network of the site's own: nodes reach out through NAT, or not at all. */
export class OwnNetwork extends Construct implements Network {
  readonly vpc: ec2.IVpc;
  readonly publicSubnets: ec2.SelectedSubnets;
  readonly privateSubnets: ec2.SelectedSubnets;
  readonly nodeSubnets: ec2.SelectedSubnets;
  readonly databaseSubnets: ec2.SelectedSubnets;
  readonly storeSubnets: ec2.SelectedSubnets;
  readonly #endpoints: ec2.SecurityGroup | undefined;

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(config.vpcCidr),
      availabilityZones: [...zonesOf(config)],
      natGateways: { none: 0, one: 1, 'per-zone': config.nodeZones }[config.nat],
      subnetConfiguration: subnets(config),
      // Image layers come from S3: past the NAT gateway, which charges per gigabyte.
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    });
    acknowledge(
      this,
      'CloudFormation-Validate::W3010',
      'The zones are options of the app, so that a synthesis needs no credentials to look them up.',
    );
    acknowledge(
      this,
      'NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW',
      'Of the public subnets alone, in which nothing stands but load balancer and NAT.',
    );
    // Cast, here and wherever a construct is kept as its interface: CDK's classes do not match its own interfaces under
    // TypeScript's exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
    const availabilityZones = nodeZonesOf(config);
    this.publicSubnets = this.vpc.selectSubnets({ subnetGroupName: 'Public' });
    this.privateSubnets = this.vpc.selectSubnets({ subnetGroupName: 'Nodes' });
    this.nodeSubnets = this.vpc.selectSubnets({ subnetGroupName: 'Nodes', availabilityZones });
    this.databaseSubnets = this.vpc.selectSubnets({ subnetGroupName: 'Data' });
    this.storeSubnets = this.vpc.selectSubnets({ subnetGroupName: 'Data', availabilityZones });
    if (config.flowLogs) this.#logFlows(vpc, config.logRetentionDays);
    else {
      const choice = 'flowLogs=false: who talked with whom is not written down.';
      acknowledge(this, 'AwsSolutions-VPC7', choice);
      acknowledge(this, 'NIST.800.53.R5-VPCFlowLogsEnabled', choice);
    }
    if (config.interfaceEndpoints) this.#endpoints = this.#addEndpoints(vpc);
  }

  allowFrom(client: ec2.IConnectable): void {
    this.#endpoints?.connections.allowFrom(client, ec2.Port.tcp(443));
  }

  #logFlows(vpc: ec2.Vpc, retentionDays: number): void {
    const logs = logGroup(this, 'FlowLogs', retentionDays);
    vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logs) });
  }

  #addEndpoints(vpc: ec2.Vpc): ec2.SecurityGroup {
    const securityGroup = new ec2.SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: this.vpc,
      description: 'Endpoints of AWS services',
      allowAllOutbound: false,
    });
    for (const [name, service] of Object.entries(nodeServices)) {
      vpc.addInterfaceEndpoint(name, {
        service,
        subnets: this.nodeSubnets,
        securityGroups: [securityGroup],
        // Not the whole network: clients are let in one by one.
        open: false,
      });
    }
    return securityGroup;
  }
}

/** Of a /16: 4,096 addresses for nodes and 256 for each of the others in every zone; of a smaller range, its share. */
function subnets({ vpcCidr, nat }: Config): ec2.SubnetConfiguration[] {
  const range = Number(vpcCidr.split('/')[1]);
  const nodes = nat === 'none' ? ec2.SubnetType.PRIVATE_ISOLATED : ec2.SubnetType.PRIVATE_WITH_EGRESS;
  return [
    { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: range + 8, mapPublicIpOnLaunch: false },
    { name: 'Nodes', subnetType: nodes, cidrMask: range + 4 },
    { name: 'Data', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: range + 8 },
  ];
}
