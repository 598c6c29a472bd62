import { ec2Id, type PassiveType } from './passive-type.ts';

const rule = ['CidrIp', 'CidrIpv6', 'Description', 'FromPort', 'GroupId', 'IpProtocol', 'ToPort'];

/** Networks: on this computer every part reaches every other over loopback. */
export const networkTypes: readonly PassiveType[] = [
  {
    type: 'AWS::EC2::VPC',
    properties: ['CidrBlock', 'EnableDnsHostnames', 'EnableDnsSupport', 'InstanceTenancy', 'Tags'],
    ref: ec2Id('vpc'),
    attributes: ({ properties }, _, ref) => ({
      VpcId: ref,
      CidrBlock: properties.CidrBlock,
      DefaultSecurityGroup: ref.replace('vpc-', 'sg-'),
      DefaultNetworkAcl: ref.replace('vpc-', 'acl-'),
    }),
  },
  {
    type: 'AWS::EC2::Subnet',
    properties: ['AvailabilityZone', 'CidrBlock', 'MapPublicIpOnLaunch', 'Tags', 'VpcId'],
    ref: ec2Id('subnet'),
    attributes: ({ properties }, _, ref) => ({
      SubnetId: ref,
      VpcId: properties.VpcId,
      AvailabilityZone: properties.AvailabilityZone,
      CidrBlock: properties.CidrBlock,
    }),
  },
  {
    type: 'AWS::EC2::RouteTable',
    properties: ['Tags', 'VpcId'],
    ref: ec2Id('rtb'),
    attributes: (_resource, _world, ref) => ({ RouteTableId: ref }),
  },
  {
    type: 'AWS::EC2::SubnetRouteTableAssociation',
    properties: ['RouteTableId', 'SubnetId'],
    ref: ec2Id('rtbassoc'),
  },
  {
    type: 'AWS::EC2::Route',
    properties: ['DestinationCidrBlock', 'DestinationIpv6CidrBlock', 'GatewayId', 'NatGatewayId', 'RouteTableId'],
  },
  {
    type: 'AWS::EC2::InternetGateway',
    properties: ['Tags'],
    ref: ec2Id('igw'),
    attributes: (_resource, _world, ref) => ({ InternetGatewayId: ref }),
  },
  { type: 'AWS::EC2::VPCGatewayAttachment', properties: ['InternetGatewayId', 'VpcId'] },
  {
    type: 'AWS::EC2::EIP',
    properties: ['Domain', 'Tags'],
    ref: () => '192.0.2.1',
    attributes: (resource, world, ref) => ({ AllocationId: ec2Id('eipalloc')(resource, world), PublicIp: ref }),
  },
  {
    type: 'AWS::EC2::NatGateway',
    properties: ['AllocationId', 'SubnetId', 'Tags'],
    ref: ec2Id('nat'),
    attributes: (_resource, _world, ref) => ({ NatGatewayId: ref }),
  },
  {
    type: 'AWS::EC2::SecurityGroup',
    properties: ['GroupDescription', 'SecurityGroupEgress', 'SecurityGroupIngress', 'Tags', 'VpcId'],
    ref: ec2Id('sg'),
    attributes: ({ properties }, _, ref) => ({ GroupId: ref, Id: ref, VpcId: properties.VpcId }),
  },
  {
    type: 'AWS::EC2::SecurityGroupIngress',
    properties: [...rule, 'SourcePrefixListId', 'SourceSecurityGroupId', 'SourceSecurityGroupOwnerId'],
    ref: ec2Id('sgr'),
    attributes: (_resource, _world, ref) => ({ Id: ref }),
  },
  {
    type: 'AWS::EC2::SecurityGroupEgress',
    properties: [...rule, 'DestinationPrefixListId', 'DestinationSecurityGroupId'],
    ref: ec2Id('sgr'),
    attributes: (_resource, _world, ref) => ({ Id: ref }),
  },
  {
    type: 'AWS::EC2::VPCEndpoint',
    properties: [
      'PolicyDocument',
      'PrivateDnsEnabled',
      'RouteTableIds',
      'SecurityGroupIds',
      'ServiceName',
      'SubnetIds',
      'Tags',
      'VpcEndpointType',
      'VpcId',
    ],
    ref: ec2Id('vpce'),
    attributes: (_resource, _world, ref) => ({ Id: ref }),
  },
  {
    type: 'AWS::EC2::FlowLog',
    properties: [
      'DeliverLogsPermissionArn',
      'LogDestination',
      'LogDestinationType',
      'LogGroupName',
      'MaxAggregationInterval',
      'ResourceId',
      'ResourceType',
      'Tags',
      'TrafficType',
    ],
    ref: ec2Id('fl'),
    attributes: (_resource, _world, ref) => ({ Id: ref }),
  },
];
