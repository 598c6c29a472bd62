import { describe, expect, it } from 'vitest';
import { configOf, contexts, existingNetwork, synthesised } from './synthesised.ts';

type Configuration = keyof typeof contexts;

const configurations = Object.keys(contexts) as Configuration[];
const own = configurations.filter((configuration) => configOf(configuration).vpcId === undefined);

const ofType = (configuration: Configuration, type: string) =>
  synthesised(configuration).resources.filter(({ Type }) => Type === type);

/** The subnets that a resource of this type is in, by their ids or logical ids. */
function subnetsOf(configuration: Configuration, type: string): string[] {
  return ofType(configuration, type).flatMap(({ Properties }) => {
    const ids = Properties.SubnetIds ?? [Properties.SubnetId];
    return (ids as (string | { Ref: string })[]).map((id) => (typeof id === 'string' ? id : id.Ref));
  });
}

describe.each(own)('the network of %s', (configuration) => {
  const { nat, nodeZones } = configOf(configuration);

  it('has data in subnets without a way out', () => {
    const targets = ['AWS::RDS::DBSubnetGroup', 'AWS::ElastiCache::SubnetGroup', 'AWS::EFS::MountTarget'];
    for (const id of targets.flatMap((type) => subnetsOf(configuration, type))) {
      expect(id).toMatch(/^NetworkVpcDataSubnet/);
    }
    const routed = ofType(configuration, 'AWS::EC2::Route').map(({ Properties }) => Properties.RouteTableId.Ref);
    expect(routed.length).toBeGreaterThan(1);
    expect(routed.filter((table) => table.includes('DataSubnet'))).toEqual([]);
    if (nat === 'none') expect(routed.filter((table) => table.includes('NodesSubnet'))).toEqual([]);
  });

  it('has the database in every zone, and nodes, files and caches in those that the options ask for', () => {
    expect(subnetsOf(configuration, 'AWS::RDS::DBSubnetGroup')).toHaveLength(2);
    expect(subnetsOf(configuration, 'AWS::EFS::MountTarget')).toHaveLength(nodeZones);
    for (const { Properties } of ofType(configuration, 'AWS::ElastiCache::SubnetGroup')) {
      expect(Properties.SubnetIds).toHaveLength(nodeZones);
    }
    for (const { Properties } of ofType(configuration, 'AWS::ECS::Service')) {
      expect(Properties.NetworkConfiguration.AwsvpcConfiguration.Subnets).toHaveLength(nodeZones);
    }
    const [balancer] = ofType(configuration, 'AWS::ElasticLoadBalancingV2::LoadBalancer');
    expect(balancer?.Properties.Subnets).toHaveLength(2);
  });

  it('has as many NAT gateways as the options ask for', () => {
    const wanted = { none: 0, one: 1, 'per-zone': nodeZones }[nat];

    expect(ofType(configuration, 'AWS::EC2::NatGateway')).toHaveLength(wanted);
  });

  it('gives nothing in it a public address', () => {
    for (const { Properties } of ofType(configuration, 'AWS::EC2::Subnet')) {
      expect(Properties.MapPublicIpOnLaunch).toBe(false);
    }
  });
});

it('costs as little as can be in development: one zone of nodes, one NAT gateway, no flow logs, no endpoints', () => {
  expect(configOf('dev')).toMatchObject({ nodeZones: 1, nat: 'one', flowLogs: false, interfaceEndpoints: false });
  expect(ofType('dev', 'AWS::EC2::FlowLog')).toEqual([]);
  expect(ofType('dev', 'AWS::EC2::VPCEndpoint').map(({ Properties }) => Properties.VpcEndpointType)).toEqual([
    'Gateway',
  ]);
});

it('logs in production who talked with whom, for as long as the other logs', () => {
  const [flow] = ofType('prod', 'AWS::EC2::FlowLog');
  const group = flow?.Properties.LogGroupName.Ref;
  const [logs] = synthesised('prod').resources.filter(({ id }) => id === group);

  expect(flow?.Properties.TrafficType).toBe('ALL');
  expect(logs?.Properties.RetentionInDays).toBe(90);
});

describe('without a way out', () => {
  const configuration = 'provisioned Aurora MySQL';

  it('has an endpoint for everything that a node calls, and lets in the nodes alone', () => {
    const endpoints = ofType(configuration, 'AWS::EC2::VPCEndpoint').filter(
      ({ Properties }) => Properties.VpcEndpointType === 'Interface',
    );

    const services = endpoints.map(({ Properties }) => JSON.stringify(Properties.ServiceName).replace(/[^a-z.-]/g, ''));
    for (const service of ['ecr.api', 'ecr.dkr', 'secretsmanager', 'logs', 'ssm', 'ssmmessages']) {
      expect(services.some((name) => name.endsWith(`.${service}`))).toBe(true);
    }
    for (const { Properties } of endpoints) expect(Properties.PrivateDnsEnabled).toBe(true);
    const ingress = ofType(configuration, 'AWS::EC2::SecurityGroupIngress').filter(({ Properties }) =>
      JSON.stringify(Properties.GroupId).includes('EndpointSecurityGroup'),
    );
    expect(ingress).toHaveLength(1);
    expect(ingress[0]?.Properties).toMatchObject({ FromPort: 443, ToPort: 443 });
    expect(JSON.stringify(ingress[0]?.Properties.SourceSecurityGroupId)).toContain('NodesSecurityGroup');
  });
});

describe('an existing network', () => {
  const configuration = 'MariaDB with a standby';

  it('is used as it is: nothing of a network is made', () => {
    const made = synthesised(configuration).resources.filter(
      ({ Type }) => Type.startsWith('AWS::EC2::') && !Type.startsWith('AWS::EC2::SecurityGroup'),
    );

    expect(made).toEqual([]);
  });

  it('has each part in the subnets that it was given for', () => {
    const [balancer] = ofType(configuration, 'AWS::ElasticLoadBalancingV2::LoadBalancer');
    const { publicSubnetIds, nodeSubnetIds, dataSubnetIds } = existingNetwork;

    expect(balancer?.Properties.Subnets).toEqual(publicSubnetIds.split(','));
    expect(subnetsOf(configuration, 'AWS::RDS::DBSubnetGroup')).toEqual(dataSubnetIds.split(','));
    expect(subnetsOf(configuration, 'AWS::EFS::MountTarget')).toEqual(dataSubnetIds.split(',').slice(0, 1));
    for (const { Properties } of ofType(configuration, 'AWS::ECS::Service')) {
      expect(Properties.NetworkConfiguration.AwsvpcConfiguration.Subnets).toEqual(nodeSubnetIds.split(',').slice(0, 1));
    }
    const [first] = ofType(configuration, 'AWS::Lambda::Function');
    expect(first?.Properties.VpcConfig.SubnetIds).toEqual(nodeSubnetIds.split(',').slice(0, 1));
  });
});
