import { describe, expect, it } from 'vitest';
import { synthesisedFrom } from './synthesised.ts';

/**
 * Longest physical names by service, where a template gives one. From the services' API references (ECS, ELB, ElastiCache,
 * IAM, Lambda, Scheduler, Step Functions, RDS, S3, Backup, WAF); of CloudFront's VPC origin, see site-distribution.ts.
 */
const longest: Readonly<Record<string, readonly [property: string, characters: number]>> = {
  'AWS::Backup::BackupVault': ['BackupVaultName', 50],
  'AWS::CloudFront::ResponseHeadersPolicy': ['ResponseHeadersPolicyConfig.Name', 128],
  'AWS::CloudFront::VpcOrigin': ['VpcOriginEndpointConfig.Name', 64],
  'AWS::CloudFront::CachePolicy': ['CachePolicyConfig.Name', 128],
  'AWS::CloudWatch::Alarm': ['AlarmName', 255],
  'AWS::CloudWatch::Dashboard': ['DashboardName', 255],
  'AWS::ECS::Cluster': ['ClusterName', 255],
  'AWS::ECS::Service': ['ServiceName', 255],
  'AWS::ECS::TaskDefinition': ['Family', 255],
  'AWS::ElastiCache::ReplicationGroup': ['ReplicationGroupId', 40],
  'AWS::ElastiCache::ServerlessCache': ['ServerlessCacheName', 40],
  'AWS::ElastiCache::User': ['UserId', 40],
  'AWS::ElastiCache::UserGroup': ['UserGroupId', 40],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['Name', 32],
  'AWS::ElasticLoadBalancingV2::TargetGroup': ['Name', 32],
  'AWS::IAM::Role': ['RoleName', 64],
  'AWS::Lambda::Function': ['FunctionName', 64],
  'AWS::Logs::LogGroup': ['LogGroupName', 512],
  'AWS::RDS::DBCluster': ['DBClusterIdentifier', 63],
  'AWS::RDS::DBInstance': ['DBInstanceIdentifier', 63],
  'AWS::S3::Bucket': ['BucketName', 63],
  'AWS::SNS::Topic': ['TopicName', 256],
  'AWS::Scheduler::Schedule': ['Name', 64],
  'AWS::Scheduler::ScheduleGroup': ['Name', 64],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 80],
  'AWS::WAFv2::WebACL': ['Name', 128],
};

describe('the longest site in the region of the longest name', () => {
  // Twenty characters, and fourteen.
  const { resources } = synthesisedFrom({
    config: 'prod',
    site: 'campus-university-o1',
    region: 'ap-southeast-2',
    cloudFront: 'true',
    allowHttp: 'true',
  });
  const named = resources.flatMap(({ Type, Properties, id }) => {
    const [path = '', characters = 0] = longest[Type] ?? [];
    // biome-ignore lint/suspicious/noExplicitAny: the shape of a resource's properties is CloudFormation's, per type.
    const name = path.split('.').reduce<any>((value, key) => value?.[key], Properties);
    return typeof name === 'string' ? [{ id, name, characters }] : [];
  });

  it('has names in its templates at all, a VPC origin among them', () => {
    expect(named.length).toBeGreaterThan(2);
    expect(resources.some(({ Type }) => Type === 'AWS::CloudFront::VpcOrigin')).toBe(true);
  });

  it.each(named)('$id: $name has at most $characters characters', ({ name, characters }) => {
    expect(name.length).toBeLessThanOrEqual(characters);
  });
});
