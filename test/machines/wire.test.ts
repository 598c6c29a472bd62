import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CodeBuildClient, ListProjectsCommand } from '@aws-sdk/client-codebuild';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  ModifyTargetGroupAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DescribeCacheClustersCommand,
  DescribeReplicationGroupsCommand,
  ElastiCacheClient,
} from '@aws-sdk/client-elasticache';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import { machineProviders, machineServices } from '../../rehearsal/machines/index.ts';
import { deploy } from '../rehearsal/support/account.ts';
import { writeAssembly } from '../rehearsal/support/assembly.ts';
import { eventually } from '../support/eventually.ts';

/** Real SDK clients over the wire against a small hand-written platform: shapes that they cannot read fail here. */
let account: Account;
beforeAll(async () => {
  const assembly = writeAssembly({ Small: { template: { Resources: resources, Outputs: outputs } } });
  account = await deploy(assembly, { providers: machineProviders, services: machineServices });
});
afterAll(() => account?.close());

const resources = {
  Balancer: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Type: 'application' } },
  Group: {
    Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
    Properties: { Port: 8080, Protocol: 'HTTP', TargetType: 'ip', HealthCheckPath: '/health/live' },
  },
  Listener: {
    Type: 'AWS::ElasticLoadBalancingV2::Listener',
    Properties: {
      Port: 80,
      Protocol: 'HTTP',
      LoadBalancerArn: { Ref: 'Balancer' },
      DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Group' } }],
    },
  },
  Sessions: {
    Type: 'AWS::ElastiCache::CacheCluster',
    Properties: { Engine: 'memcached', NumCacheNodes: 1, CacheNodeType: 'cache.t4g.micro' },
  },
  Application: {
    Type: 'AWS::ElastiCache::ReplicationGroup',
    Properties: {
      Engine: 'redis',
      TransitEncryptionEnabled: true,
      AuthToken: 'a-token-of-the-test',
      ReplicationGroupDescription: 'Application cache',
    },
  },
  Repository: { Type: 'AWS::ECR::Repository', Properties: { RepositoryName: 'images' } },
  Cluster: { Type: 'AWS::ECS::Cluster' },
  Task: {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: 'web',
      ContainerDefinitions: [
        {
          Name: 'moodle',
          Image: { 'Fn::Join': [':', [{ 'Fn::GetAtt': ['Repository', 'RepositoryUri'] }, 'none']] },
          PortMappings: [{ ContainerPort: 8080 }],
        },
      ],
    },
  },
  Service: {
    Type: 'AWS::ECS::Service',
    DependsOn: 'Listener',
    Properties: {
      Cluster: { Ref: 'Cluster' },
      DesiredCount: 0,
      TaskDefinition: { Ref: 'Task' },
      LoadBalancers: [{ ContainerName: 'moodle', ContainerPort: 8080, TargetGroupArn: { Ref: 'Group' } }],
    },
  },
};

const outputs = Object.fromEntries(
  ['Balancer', 'Group', 'Sessions', 'Application', 'Cluster', 'Service'].map((name) => [
    name,
    { Value: { Ref: name } },
  ]),
);

test('ElastiCache', async () => {
  const client = new ElastiCacheClient(account.clientConfiguration);
  const groups = await client.send(
    new DescribeReplicationGroupsCommand({ ReplicationGroupId: account.output('Application') }),
  );
  expect(groups.ReplicationGroups).toMatchObject([
    {
      Status: 'available',
      TransitEncryptionEnabled: true,
      AuthTokenEnabled: true,
      ClusterEnabled: false,
      NodeGroups: [{ PrimaryEndpoint: { Address: '127.0.0.1', Port: expect.any(Number) } }],
    },
  ]);
  const clusters = await client.send(
    new DescribeCacheClustersCommand({ CacheClusterId: account.output('Sessions'), ShowCacheNodeInfo: true }),
  );
  expect(clusters.CacheClusters).toMatchObject([
    { CacheClusterStatus: 'available', Engine: 'memcached', CacheNodes: [{ Endpoint: { Address: '127.0.0.1' } }] },
  ]);
  await expect(client.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: 'none' }))).rejects.toMatchObject(
    {
      name: 'ReplicationGroupNotFoundFault',
    },
  );
});

test('Elastic Load Balancing', async () => {
  const client = new ElasticLoadBalancingV2Client(account.clientConfiguration);
  const TargetGroupArn = account.output('Group');
  const { LoadBalancers } = await client.send(new DescribeLoadBalancersCommand({}));
  expect(LoadBalancers).toMatchObject([{ State: { Code: 'active' }, CreatedTime: expect.any(Date) }]);
  const { TargetGroups } = await client.send(new DescribeTargetGroupsCommand({ TargetGroupArns: [TargetGroupArn] }));
  expect(TargetGroups).toMatchObject([
    { LoadBalancerArns: [account.output('Balancer')], HealthCheckTimeoutSeconds: 5 },
  ]);
  const Attributes = [{ Key: 'stickiness.enabled', Value: 'true' }];
  await client.send(new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes }));
  const attributes = await client.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }));
  expect(attributes.Attributes).toContainEqual(Attributes[0]);
  await expect(
    client.send(
      new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes: [{ Key: 'no.such', Value: '1' }] }),
    ),
  ).rejects.toThrow('no.such');
  expect((await client.send(new DescribeTargetHealthCommand({ TargetGroupArn }))).TargetHealthDescriptions).toEqual([]);
});

test('ECS, to a task that cannot be started and says why', async () => {
  const client = new ECSClient(account.clientConfiguration);
  const cluster = account.output('Cluster');
  const { services, failures } = await client.send(
    new DescribeServicesCommand({ cluster, services: [account.output('Service'), 'missing'] }),
  );
  expect(services).toMatchObject([
    { desiredCount: 0, createdAt: expect.any(Date), deployments: [{ status: 'PRIMARY' }] },
  ]);
  expect(failures).toMatchObject([{ reason: 'MISSING' }]);
  const { taskDefinition } = await client.send(new DescribeTaskDefinitionCommand({ taskDefinition: 'web' }));
  expect(taskDefinition).toMatchObject({
    revision: 1,
    containerDefinitions: [{ portMappings: [{ containerPort: 8080 }] }],
  });
  const { tasks = [] } = await client.send(new RunTaskCommand({ cluster, taskDefinition: 'web', startedBy: 'test' }));
  const taskArn = tasks[0]?.taskArn ?? '';
  await eventually(async () => {
    const described = await client.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
    expect(described.tasks).toMatchObject([{ stopCode: 'TaskFailedToStart', stoppedAt: expect.any(Date) }]);
    expect(described.tasks?.[0]?.stoppedReason).toMatch(/^CannotPullContainerError/);
  });
  const listed = await client.send(new ListTasksCommand({ cluster, desiredStatus: 'STOPPED', startedBy: 'test' }));
  expect(listed.taskArns).toEqual([taskArn]);
  await expect(client.send(new UpdateServiceCommand({ cluster, service: 'missing' }))).rejects.toMatchObject({
    name: 'ServiceNotFoundException',
  });
  await expect(
    client.send(new UpdateServiceCommand({ cluster, service: account.output('Service'), propagateTags: 'NONE' })),
  ).rejects.toThrow('propagateTags');
});

test('Application Auto Scaling, and CodeBuild without a project', async () => {
  const client = new ApplicationAutoScalingClient(account.clientConfiguration);
  const [, ResourceId = ''] = account.output('Service').split(/:(?=service\/)/);
  const target = { ServiceNamespace: 'ecs', ResourceId, ScalableDimension: 'ecs:service:DesiredCount' } as const;
  await client.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 0, MaxCapacity: 2 }));
  const { ScalableTargets } = await client.send(
    new DescribeScalableTargetsCommand({ ServiceNamespace: 'ecs', ResourceIds: [ResourceId] }),
  );
  expect(ScalableTargets).toMatchObject([{ MinCapacity: 0, MaxCapacity: 2, CreationTime: expect.any(Date) }]);
  const codeBuild = new CodeBuildClient(account.clientConfiguration);
  expect((await codeBuild.send(new ListProjectsCommand({}))).projects).toEqual([]);
});
