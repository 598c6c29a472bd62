import { readdirSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { pascalCase } from '../../infra/constructs/phase-functions.ts';
import { stateMachineFiles } from '../support/state-machine-checks.ts';
import { configOf, contexts, type Resource, synthesised } from './synthesised.ts';

const configurations = Object.keys(contexts) as (keyof typeof contexts)[];

describe.each(configurations)('every configuration: %s', (configuration) => {
  const { settings, platform, lifecycle, resources } = synthesised(configuration);
  const config = configOf(configuration);
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);

  /** Instances that are a database of their own, and not a member of a cluster. */
  const standalone = () =>
    ofType('AWS::RDS::DBInstance').filter(({ Properties }) => !('DBClusterIdentifier' in Properties));

  it('encrypts what is stored', () => {
    for (const { id, Properties } of ofType('AWS::RDS::DBCluster').concat(standalone())) {
      expect(Properties.StorageEncrypted, id).toBe(true);
    }
    platform.allResourcesProperties('AWS::EFS::FileSystem', { Encrypted: true });
    for (const { id, Properties } of ofType('AWS::ElastiCache::ReplicationGroup')) {
      expect(Properties.AtRestEncryptionEnabled, id).toBe(true);
    }
    platform.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    platform.allResourcesProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  it('encrypts what travels', () => {
    const groups = [...ofType('AWS::RDS::DBClusterParameterGroup'), ...ofType('AWS::RDS::DBParameterGroup')];
    expect(groups).toHaveLength(1);
    const { Parameters } = groups[0]?.Properties ?? {};
    expect(Parameters['rds.force_ssl'] ?? Parameters.require_secure_transport).toMatch(/^(1|ON)$/);
    for (const { id, Properties } of ofType('AWS::ElastiCache::ReplicationGroup')) {
      expect(Properties.TransitEncryptionEnabled, id).toBe(true);
      expect(JSON.stringify(Properties.AuthToken), id).toContain('{{resolve:secretsmanager:');
    }
    platform.allResourcesProperties('AWS::ECS::TaskDefinition', {
      Volumes: [
        Match.objectLike({
          EFSVolumeConfiguration: Match.objectLike({
            TransitEncryption: 'ENABLED',
            AuthorizationConfig: { AccessPointId: Match.anyValue(), IAM: 'ENABLED' },
          }),
        }),
      ],
    });
    platform.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Principal: '*',
            Action: 'sns:Publish',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      }),
    });
  });

  it('keeps data out of the public: no address, and no way in but from security groups', () => {
    platform.allResourcesProperties('AWS::RDS::DBInstance', { PubliclyAccessible: false });
    for (const { Properties } of ofType('AWS::ECS::Service')) {
      expect(Properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp ?? 'DISABLED').toBe('DISABLED');
    }
    const open = ofType('AWS::EC2::SecurityGroup').filter(({ Properties }) => Properties.SecurityGroupIngress);
    expect(open.map(({ id }) => id)).toEqual(
      config.cloudFront ? [] : [expect.stringContaining('LoadBalancerSecurityGroup')],
    );
    for (const { id, Properties } of ofType('AWS::EC2::SecurityGroupIngress')) {
      const fromCloudFront = Properties.SourcePrefixListId !== undefined && id.startsWith('LoadBalancer');
      if (!fromCloudFront) expect(Properties, id).toHaveProperty('SourceSecurityGroupId');
    }
  });

  it('mounts the shared files only for roles that were granted it, as one user', () => {
    const [fileSystem] = ofType('AWS::EFS::FileSystem');
    for (const { Effect } of fileSystem?.Properties.FileSystemPolicy.Statement ?? []) expect(Effect).toBe('Deny');
    expect(fileSystem?.Properties.FileSystemPolicy.Statement).toHaveLength(1);
    platform.hasResourceProperties('AWS::EFS::AccessPoint', { PosixUser: { Uid: '33', Gid: '33' } });
  });

  it('gives no resource a name of its own but the settings: two sites fit into one account', () => {
    const names: Readonly<Record<string, readonly string[]>> = {
      'AWS::CloudWatch::Alarm': ['AlarmName'],
      'AWS::CloudWatch::Dashboard': ['DashboardName'],
      'AWS::CodeBuild::Project': ['Name'],
      'AWS::EC2::SecurityGroup': ['GroupName'],
      'AWS::ECR::Repository': ['RepositoryName'],
      'AWS::ECS::Cluster': ['ClusterName'],
      'AWS::ECS::Service': ['ServiceName'],
      'AWS::ElastiCache::CacheCluster': ['ClusterName'],
      'AWS::ElastiCache::ParameterGroup': ['CacheParameterGroupName'],
      'AWS::ElastiCache::ReplicationGroup': ['ReplicationGroupId'],
      'AWS::ElastiCache::SubnetGroup': ['CacheSubnetGroupName'],
      'AWS::ElasticLoadBalancingV2::LoadBalancer': ['Name'],
      'AWS::ElasticLoadBalancingV2::TargetGroup': ['Name'],
      'AWS::Events::Rule': ['Name'],
      'AWS::IAM::Role': ['RoleName'],
      'AWS::Lambda::Function': ['FunctionName'],
      'AWS::Logs::LogGroup': ['LogGroupName'],
      'AWS::Logs::MetricFilter': ['FilterName'],
      'AWS::RDS::DBCluster': ['DBClusterIdentifier'],
      'AWS::RDS::DBClusterParameterGroup': ['DBClusterParameterGroupName'],
      'AWS::RDS::DBInstance': ['DBInstanceIdentifier'],
      'AWS::RDS::DBParameterGroup': ['DBParameterGroupName'],
      'AWS::RDS::DBSubnetGroup': ['DBSubnetGroupName'],
      'AWS::S3::Bucket': ['BucketName'],
      'AWS::SNS::Topic': ['TopicName'],
      'AWS::SQS::Queue': ['QueueName'],
      'AWS::SecretsManager::Secret': ['Name'],
      'AWS::StepFunctions::StateMachine': ['StateMachineName'],
    };
    for (const { id, Type, Properties } of resources) {
      // WAF's logs have to begin so; the rest is made from the stack's name.
      if (String(Properties?.LogGroupName).startsWith(`aws-waf-logs-${pascalCase(config.site)}`)) continue;
      // Lambda's log of a function that CloudFormation brings along; its name is made from the stack's too.
      if (id.startsWith('DatabaseRotationLogs')) continue;
      for (const name of names[Type] ?? []) expect(Properties ?? {}, id).not.toHaveProperty(name);
    }
    // A family has no generated name; CDK makes it from the stack's, which begins with the site's.
    for (const { Properties } of ofType('AWS::ECS::TaskDefinition')) {
      expect(Properties.Family).toMatch(new RegExp(`^${pascalCase(config.site)}Platform`));
    }
  });

  it('starts with nothing: the settings are constant, and the services read their size from them', () => {
    const { site } = config;
    const values = Object.values<Resource>(settings.toJSON().Resources).map(({ Properties }) => [
      Properties.Name,
      Properties.Value,
    ]);
    expect(Object.fromEntries(values)).toEqual({
      [`/moodle/${site}/session-store`]: 'database',
      [`/moodle/${site}/image-tag`]: 'none',
      [`/moodle/${site}/desired-nodes`]: '0',
      [`/moodle/${site}/minimum-nodes`]: '0',
      [`/moodle/${site}/maximum-nodes`]: '1',
      [`/moodle/${site}/scheduled-nodes`]: '0',
      [`/moodle/${site}/cron-nodes`]: '0',
    });
  });

  it('reads what rollouts set anew at every deploy, so that none resets it', () => {
    const { Parameters, Conditions } = platform.toJSON() as {
      Parameters: Readonly<Record<string, { Type: string; Default: string }>>;
      Conditions: Readonly<Record<string, unknown>>;
    };
    const { site } = config;
    const settingOf = (value: { Ref: string }) => {
      expect(Parameters[value.Ref]?.Type).toBe('AWS::SSM::Parameter::Value<String>');
      return Parameters[value.Ref]?.Default.replace(`/moodle/${site}/`, '');
    };
    /** `Fn::If` as the settings that must be 0, what then, and what else. */
    const choice = ({ 'Fn::If': [condition = '', then, otherwise] }: { 'Fn::If': [string, unknown, unknown] }) => {
      const equals = JSON.stringify(Conditions[condition]).matchAll(/\{"Fn::Equals":\[(\{"Ref":"\w+"\}),"0"\]\}/g);
      return [[...equals].map(([, ref = '']) => settingOf(JSON.parse(ref))), then, otherwise];
    };
    const [web, cron] = ['WebService', 'CronService'].map(
      (start) => ofType('AWS::ECS::Service').find(({ id }) => id.startsWith(start))?.Properties,
    );
    const [range] = ofType('AWS::ApplicationAutoScaling::ScalableTarget');

    // What is left out of an update stays as it is: a deploy takes no node that a rollout or automatic scaling started.
    expect(choice(web.DesiredCount)).toEqual([['desired-nodes'], 0, { Ref: 'AWS::NoValue' }]);
    expect(choice(cron.DesiredCount)).toEqual([['cron-nodes'], 0, { Ref: 'AWS::NoValue' }]);
    const [usual, minimum, scheduled] = choice(range?.Properties.MinCapacity);
    expect([usual, settingOf(minimum as never), settingOf(scheduled as never)]).toEqual([
      ['scheduled-nodes', 'minimum-nodes'],
      'minimum-nodes',
      'scheduled-nodes',
    ]);
    expect(settingOf(range?.Properties.MaxCapacity)).toBe('maximum-nodes');
    for (const { Properties } of ofType('AWS::ECS::TaskDefinition')) {
      expect(settingOf(Properties.ContainerDefinitions[0].Image['Fn::Join'][1].at(-1))).toBe('image-tag');
    }
  });

  it('replaces nodes without a gap, and leaves the way back to the rollout', () => {
    platform.hasResourceProperties('AWS::ECS::Service', {
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: false },
      },
      LoadBalancers: Match.anyValue(),
      PlatformVersion: configuration === 'instances and exam day' ? Match.absent() : '1.4.0',
    });
  });

  it("gives a node all of the image's contract, and its secrets by reference alone", () => {
    for (const { id, Properties } of ofType('AWS::ECS::TaskDefinition')) {
      const [container] = Properties.ContainerDefinitions;
      const names = (members: readonly { Name: string }[]) => members.map(({ Name }) => Name).sort();
      const withToken = config.sessionStore === 'redis';

      expect(names(container.Environment), id).toEqual(
        [
          'MOODLE_ADMIN_EMAIL',
          'MOODLE_ADMIN_USER',
          'MOODLE_APPLICATION_STORE_ENDPOINT',
          'MOODLE_APPLICATION_STORE_SECRET_ARN',
          'MOODLE_APPLICATION_STORE_TOPOLOGY',
          'MOODLE_APPLICATION_STORE_TYPE',
          'MOODLE_DATABASE_HOST',
          'MOODLE_DATABASE_NAME',
          'MOODLE_DATABASE_PORT',
          'MOODLE_DATABASE_PREFIX',
          'MOODLE_DATABASE_SECRET_ARN',
          'MOODLE_DATABASE_TYPE',
          'MOODLE_DATAROOT',
          'MOODLE_DRAIN_SECONDS',
          'MOODLE_LANG',
          'MOODLE_REVERSEPROXYIGNORE',
          'MOODLE_SESSION_STORE_ENDPOINT',
          ...(withToken ? ['MOODLE_SESSION_STORE_SECRET_ARN'] : []),
          'MOODLE_SESSION_STORE_TOPOLOGY',
          'MOODLE_SESSION_STORE_TYPE',
          'MOODLE_SITE',
          'MOODLE_SITE_FULLNAME',
          'MOODLE_SITE_SHORTNAME',
          'MOODLE_UPLOAD_MAX',
          'MOODLE_WWWROOT',
        ].sort(),
      );
      expect(names(container.Secrets), id).toEqual(
        [
          'MOODLE_ADMIN_PASSWORD',
          'MOODLE_APPLICATION_STORE_PASSWORD',
          'MOODLE_DATABASE_PASSWORD',
          'MOODLE_DATABASE_USER',
          'MOODLE_SESSION_STORE',
          ...(withToken ? ['MOODLE_SESSION_STORE_PASSWORD'] : []),
          'MOODLE_UPGRADE_KEY',
        ].sort(),
      );
      expect(container.StopTimeout).toBe(120);
      expect(container.LinuxParameters.InitProcessEnabled).toBe(true);
      expect(container.MountPoints).toEqual([
        { ContainerPath: '/mnt/moodle', ReadOnly: false, SourceVolume: 'moodledata' },
      ]);
    }
  });

  it('tells the operator where everything is, and how to start', () => {
    const outputs = { ...platform.toJSON().Outputs, ...lifecycle.toJSON().Outputs };
    const told = Object.keys(outputs).filter((name) => !name.startsWith('ExportsOutput'));
    expect(told).toEqual(
      expect.arrayContaining([
        'SiteAddress',
        'LoadBalancerName',
        ...(config.cloudFront ? ['CloudFrontName'] : []),
        'AdministratorUser',
        'AdministratorSecretArn',
        'DatabaseSecretArn',
        'SessionStoreEndpoint',
        'ApplicationStoreEndpoint',
        'ClusterName',
        'WebServiceName',
        'WebServiceAddress',
        'CronServiceName',
        'InstallStateMachineArn',
        'InstallAddress',
        'InstallCommand',
      ]),
    );
    expect(JSON.stringify(outputs.InstallCommand.Value)).toMatch(/aws stepfunctions start-execution .*--input '\{\}'/);
    expect(JSON.stringify(outputs)).not.toContain('resolve:secretsmanager');
  });

  it('checks health at the web server alone, within seconds', () => {
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::TargetGroup', {
      HealthCheckPath: '/health/live',
      HealthCheckIntervalSeconds: 5,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 6,
      TargetType: 'ip',
    });
  });

  it('lets every log expire', () => {
    const logs = ofType('AWS::Logs::LogGroup');

    expect(logs.length).toBeGreaterThan(12);
    for (const { id, Properties, DeletionPolicy } of logs) {
      expect(Properties.RetentionInDays, id).toBe(config.logRetentionDays);
      expect(DeletionPolicy, id).toBe('Delete');
    }
  });

  it('has images that are pushed once, scanned, and cleared away', () => {
    platform.hasResourceProperties('AWS::ECR::Repository', {
      ImageTagMutability: 'IMMUTABLE',
      ImageScanningConfiguration: { ScanOnPush: true },
      LifecyclePolicy: Match.anyValue(),
    });
  });

  it('runs the functions on Node.js 24, each with a log, a trace and no more time than it needs', () => {
    // Not the CDK's own, which empty a bucket when its stack goes, bring values from one region to another, and ask a
    // custom resource until it is complete.
    const functions = ofType('AWS::Lambda::Function').filter(
      ({ id }) => !/^(Custom(S3|CrossRegion)|LeftoversProvider)/.test(id),
    );

    const sources = readdirSync(new URL('../../lambdas/', import.meta.url)).filter(
      (file) =>
        file.endsWith('.ts') &&
        (config.examDayNodes > 0 || file !== 'schedule-nodes.ts') &&
        (!config.keepData || file !== 'remove-leftovers.ts'),
    );

    expect(functions).toHaveLength(sources.length);
    for (const { id, Properties } of functions) {
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        MemorySize: 512,
        TracingConfig: { Mode: 'Active' },
      });
      // The one that reads the archives of all new plugins takes as long as their authors' servers do.
      expect(Properties.Timeout, id).toBeLessThanOrEqual(id.startsWith('PhasesFindUpdates') ? 300 : 120);
      expect(Properties.LoggingConfig, id).toHaveProperty('LogGroup');
      expect('VpcConfig' in Properties, id).toBe(id.startsWith('Phases') && config.databaseAccess === 'network');
    }
  });

  it('keeps what passes between the phases out of the log of the state machine', () => {
    lifecycle.allResourcesProperties('AWS::StepFunctions::StateMachine', {
      StateMachineType: 'STANDARD',
      LoggingConfiguration: Match.objectLike({ Level: 'ALL', IncludeExecutionData: false }),
      TracingConfiguration: { Enabled: true },
    });
  });

  // Not the one by which the CDK asks a custom resource until it is complete.
  const stateMachines = ofType('AWS::StepFunctions::StateMachine').filter(
    ({ id }) => !id.startsWith('LeftoversProvider'),
  );

  it('substitutes every name in the definition of each state machine, and no other', () => {
    for (const { id, Properties } of stateMachines) {
      const named = String(Properties.DefinitionString).matchAll(/\$\{(\w+)\}/g);
      const wanted = new Set([...named].map(([, name]) => name));

      expect(Object.keys(Properties.DefinitionSubstitutions).sort(), id).toEqual([...wanted].sort());
    }
  });

  it('names site and state machine in tags, by which the operator’s commands find them', () => {
    const tags = stateMachines.map(({ Properties }) =>
      Object.fromEntries(Properties.Tags.map(({ Key, Value }: { Key: string; Value: string }) => [Key, Value])),
    );
    const site = configuration === 'prod' ? 'moodle' : 'demo';

    expect(tags.every((each) => each['moodle-lifecycle:site'] === site)).toBe(true);
    expect(tags.map((each) => `${each['moodle-lifecycle:name']}.asl.json`).sort()).toEqual(stateMachineFiles());
  });
});

describe('development', () => {
  const { platform, resources } = synthesised('dev');

  it('leaves nothing behind when it is destroyed', () => {
    for (const { id, DeletionPolicy } of resources) expect(DeletionPolicy ?? 'Delete', id).toBe('Delete');
    platform.hasResourceProperties('AWS::ECR::Repository', { EmptyOnDelete: true });
    platform.hasResourceProperties('AWS::RDS::DBCluster', { DeletionProtection: false });
  });

  it('answers over HTTP', () => {
    platform.resourceCountIs('AWS::ElasticLoadBalancingV2::Listener', 1);
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', { Port: 80, Protocol: 'HTTP' });
  });
});

describe('production', () => {
  const { platform } = synthesised('prod');

  it('keeps the data when it is destroyed', () => {
    platform.hasResource('AWS::RDS::DBCluster', {
      DeletionPolicy: 'Snapshot',
      UpdateReplacePolicy: 'Snapshot',
      Properties: { DeletionProtection: true, BackupRetentionPeriod: 14 },
    });
    platform.hasResource('AWS::EFS::FileSystem', {
      DeletionPolicy: 'Retain',
    });
    platform.hasResource('AWS::ECR::Repository', { DeletionPolicy: 'Retain' });
    platform.hasResource('AWS::Backup::BackupVault', { DeletionPolicy: 'Retain' });
  });

  it('says in an output of the platform everything that it keeps', () => {
    const { Resources, Outputs } = platform.toJSON();
    const said = JSON.stringify(Outputs.KeptWhenDestroyed.Value);
    const kept = Object.entries<Resource>(Resources).filter(
      ([, { DeletionPolicy = 'Delete' }]) => DeletionPolicy !== 'Delete',
    );

    expect(kept.length).toBeGreaterThan(3);
    for (const [id] of kept) expect(said).toContain(`{"Ref":"${id}"}`);
    expect(synthesised('dev').platform.toJSON().Outputs).not.toHaveProperty('KeptWhenDestroyed');
  });

  it('survives the loss of a zone', () => {
    platform.allResourcesProperties('AWS::ElastiCache::ReplicationGroup', {
      AutomaticFailoverEnabled: true,
      MultiAZEnabled: true,
      NumCacheClusters: 2,
    });
  });

  it('answers over HTTPS alone', () => {
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 443,
      SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09',
    });
    platform.hasResourceProperties('AWS::ElasticLoadBalancingV2::Listener', {
      Port: 80,
      DefaultActions: [
        { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
      ],
    });
  });
});

describe('capacity on Fargate', () => {
  const { platform } = synthesised('dev');

  it('starts the first node on demand and further ones mostly on Spot; cron never', () => {
    platform.hasResourceProperties('AWS::ECS::Service', {
      LoadBalancers: Match.anyValue(),
      LaunchType: Match.absent(),
      CapacityProviderStrategy: [
        { CapacityProvider: 'FARGATE', Base: 1, Weight: 1 },
        { CapacityProvider: 'FARGATE_SPOT', Weight: 3 },
      ],
    });
    platform.hasResourceProperties('AWS::ECS::Service', {
      LoadBalancers: Match.absent(),
      CapacityProviderStrategy: [{ CapacityProvider: 'FARGATE', Weight: 1 }],
    });
  });

  it('lets operators into a node by ECS Exec alone, and logs each session', () => {
    platform.allResourcesProperties('AWS::ECS::Service', { EnableExecuteCommand: true });
    platform.hasResourceProperties('AWS::ECS::Cluster', {
      Configuration: {
        ExecuteCommandConfiguration: {
          Logging: 'OVERRIDE',
          LogConfiguration: { CloudWatchLogGroupName: { Ref: Match.stringLikeRegexp('^NodesShellLogs') } },
        },
      },
    });
    platform.resourceCountIs('AWS::EC2::Instance', 0);
  });
});

describe('capacity on instances, thresholds and an exam day', () => {
  const { platform, lifecycle } = synthesised('instances and exam day');

  it('starts instances for nodes, encrypted, without an address, and with credentials that containers cannot get', () => {
    platform.hasResourceProperties('AWS::EC2::LaunchTemplate', {
      LaunchTemplateData: Match.objectLike({
        MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
        BlockDeviceMappings: [Match.objectLike({ Ebs: Match.objectLike({ Encrypted: true }) })],
        NetworkInterfaces: [Match.objectLike({ AssociatePublicIpAddress: false })],
        KeyName: Match.absent(),
      }),
    });
    platform.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', {
      MinSize: '0',
      MaxSize: '22',
      MixedInstancesPolicy: Match.objectLike({
        InstancesDistribution: {
          OnDemandBaseCapacity: 1,
          OnDemandPercentageAboveBaseCapacity: 25,
          SpotAllocationStrategy: 'price-capacity-optimized',
        },
      }),
    });
    platform.hasResourceProperties('AWS::ECS::CapacityProvider', {
      AutoScalingGroupProvider: Match.objectLike({
        ManagedScaling: Match.objectLike({ Status: 'ENABLED', TargetCapacity: 100 }),
        ManagedDraining: 'ENABLED',
        // Protected instances would withstand the deletion of a stack that is to leave nothing behind.
        ManagedTerminationProtection: 'DISABLED',
      }),
    });
  });

  it('gives the nodes an interface of their own, and one-off tasks the same capacity', () => {
    platform.allResourcesProperties('AWS::ECS::TaskDefinition', {
      RequiresCompatibilities: ['EC2'],
      NetworkMode: 'awsvpc',
    });
    const [provider = ''] = Object.keys(platform.findResources('AWS::ECS::CapacityProvider'));
    const [service] = Object.values(platform.findResources('AWS::ECS::Service'));
    expect(service?.Properties.CapacityProviderStrategy).toEqual([{ CapacityProvider: { Ref: provider }, Weight: 1 }]);
    lifecycle.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          TASK_CAPACITY_PROVIDER: { 'Fn::ImportValue': Match.stringLikeRegexp(`Ref${provider}`) },
        }),
      },
    });
  });

  it('scales by thresholds and by requests, and by nothing that pulls against them', () => {
    const policies = Object.values(platform.findResources('AWS::ApplicationAutoScaling::ScalingPolicy'));
    expect(
      policies.map(
        ({ Properties: { PolicyType, ...policy } }) =>
          policy.TargetTrackingScalingPolicyConfiguration?.PredefinedMetricSpecification.PredefinedMetricType ??
          `${PolicyType} ${policy.StepScalingPolicyConfiguration.StepAdjustments[0].ScalingAdjustment}`,
      ),
    ).toEqual(['ALBRequestCountPerTarget', 'StepScaling -1', 'StepScaling 1']);
    platform.hasResourceProperties('AWS::CloudWatch::Alarm', { Threshold: 75, EvaluationPeriods: 3, Period: 60 });
    platform.hasResourceProperties('AWS::CloudWatch::Alarm', { Threshold: 25, EvaluationPeriods: 3, Period: 60 });
  });

  it('begins and ends the exam day in its time zone', () => {
    const schedules = Object.values(lifecycle.findResources('AWS::Scheduler::Schedule'));
    expect(schedules.map(({ Properties }) => Properties.ScheduleExpression)).toEqual([
      'cron(30 7 15 6 ? 2027)',
      'cron(0 12 15 6 ? 2027)',
    ]);
    const inputs = schedules.map(({ Properties }) => JSON.parse(Properties.Target.Input).nodes);
    expect(inputs).toEqual([8, 0]);
    for (const { Properties } of schedules) expect(Properties.ScheduleExpressionTimezone).toBe('Europe/Berlin');
    // Automatic scaling's own: its values would be those of the last deploy, and lost while a rollout holds the scaling.
    platform.allResourcesProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ScheduledActions: Match.absent(),
    });
  });
});

describe('Memcached, and functions that speak PostgreSQL', () => {
  const { platform, lifecycle } = synthesised('memcached and network');

  it('has Memcached for the sessions and Redis for the application cache', () => {
    platform.resourceCountIs('AWS::ElastiCache::CacheCluster', 1);
    platform.resourceCountIs('AWS::ElastiCache::ReplicationGroup', 1);
  });

  it('lets nodes and functions into the database, and what rotates its password', () => {
    const ingress = Object.values(platform.findResources('AWS::EC2::SecurityGroupIngress'));
    const intoDatabase = ingress.filter(({ Properties }) => JSON.stringify(Properties.GroupId).includes('Database'));

    expect(intoDatabase).toHaveLength(3);
  });

  it('gives the functions where the database is, and no Data API', () => {
    lifecycle.allResourcesProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ DATABASE_ACCESS: 'network', DATABASE_HOST: Match.anyValue() }) },
    });
    expect(JSON.stringify(lifecycle.toJSON())).not.toContain('rds-data:');
  });

  it('tells the operator by e-mail', () => {
    platform.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'operator@example.com',
    });
  });
});
