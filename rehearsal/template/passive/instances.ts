import { arn } from '../../world.ts';
import { ec2Id, type PassiveType } from './passive-type.ts';

/** EC2 instances for nodes: every node is a process of this one computer. */
export const instanceTypes: readonly PassiveType[] = [
  {
    type: 'AWS::EC2::LaunchTemplate',
    properties: ['LaunchTemplateData', 'LaunchTemplateName', 'TagSpecifications'],
    ref: ec2Id('lt'),
    attributes: () => ({ LatestVersionNumber: '1', DefaultVersionNumber: '1' }),
  },
  {
    type: 'AWS::IAM::InstanceProfile',
    properties: ['Path', 'Roles'],
    attributes: (_resource, world, ref) => ({
      Arn: arn({ ...world, region: '' }, 'iam', `instance-profile/${ref}`),
    }),
  },
  {
    type: 'AWS::AutoScaling::AutoScalingGroup',
    properties: [
      'MaxSize',
      'MetricsCollection',
      'MinSize',
      'MixedInstancesPolicy',
      'NewInstancesProtectedFromScaleIn',
      'Tags',
      'VPCZoneIdentifier',
    ],
  },
  { type: 'AWS::ECS::CapacityProvider', properties: ['AutoScalingGroupProvider', 'Tags'] },
];
