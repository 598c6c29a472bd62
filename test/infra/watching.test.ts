import { describe, expect, it } from 'vitest';
import { memoryOf, mostConnections } from '../../infra/constructs/watching/database-connections.ts';
import { rolloutStepPattern } from '../../infra/constructs/watching/rollout-alarms.ts';
import { untoldErrors } from '../../infra/constructs/watching/rollout-notices.ts';
import { failureNames, refusalNames, waitNames } from '../../lambdas/shared/errors.ts';
import { filterPattern } from '../support/filter-pattern.ts';
import { readDefinition, stateMachineFiles } from '../support/state-machine-checks.ts';
import { configOf, contexts, type Resource, synthesised, synthesisedFrom } from './synthesised.ts';

const configurations = Object.keys(contexts) as (keyof typeof contexts)[];

describe.each(configurations)('alarms, %s', (configuration) => {
  const { resources } = synthesised(configuration);
  // Automatic scaling has alarms too, in the stack of the services.
  const alarms = resources.filter(({ Type, stack }) => Type === 'AWS::CloudWatch::Alarm' && stack === 'watching');
  const named = (start: string) => alarms.find(({ id }) => id.startsWith(start));

  it('go off for what is measured alone', () => {
    expect(alarms.length).toBeGreaterThan(14);
    for (const { id, Properties } of alarms) expect(Properties.TreatMissingData, id).toBe('notBreaching');
  });

  it('tell when they begin and when they are over, but for those that others tell of', () => {
    const silent = alarms
      .filter(({ Properties }) => !Properties.AlarmActions)
      .map(({ id }) => id.replace(/\w{8}$/, ''));

    expect(silent.sort()).toEqual([
      'RolloutAtWork',
      'RolloutFailed',
      'VisitorsNoHealthyNode',
      'VisitorsServerErrors',
      'VisitorsSlowResponses',
      'VisitorsUnhealthyNodes',
    ]);
    for (const { id, Properties } of alarms) expect(Properties.OKActions, id).toEqual(Properties.AlarmActions);
  });

  it('ask for no more metrics than CloudWatch lets an expression have, all of the same period', () => {
    for (const { id, Properties } of alarms) {
      const metrics = ((Properties.Metrics ?? []) as { MetricStat?: { Period: number } }[]).flatMap(
        ({ MetricStat }) => MetricStat ?? [],
      );
      expect(metrics.length, id).toBeLessThanOrEqual(10);
      expect(new Set(metrics.map(({ Period }) => Period)).size, id).toBeLessThanOrEqual(1);
    }
  });

  it('look back no longer than CloudWatch can: a day, or a week by hours', () => {
    for (const { id, Properties } of alarms) {
      const period: number =
        Properties.Period ??
        Properties.Metrics.find((each: { MetricStat?: object }) => each.MetricStat).MetricStat.Period;
      expect(Number.isInteger(Properties.EvaluationPeriods), id).toBe(true);
      expect(period * Properties.EvaluationPeriods, id).toBeLessThanOrEqual(period >= 3600 ? 604_800 : 86_400);
    }
  });

  it('tell of what visitors suffer from in one message, and not while a rollout is at work', () => {
    const [composite] = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::CompositeAlarm');
    const rule = JSON.stringify(composite?.Properties.AlarmRule);

    expect([...rule.matchAll(/Visitors[A-Za-z]+(?=\w{8}")/g)].map(([name]) => name)).toEqual([
      'VisitorsServerErrors',
      'VisitorsSlowResponses',
      'VisitorsUnhealthyNodes',
      'VisitorsNoHealthyNode',
    ]);
    expect(composite?.Properties.ActionsSuppressor['Fn::GetAtt'][0]).toMatch(/^RolloutAtWork/);
    expect(composite?.Properties.AlarmActions).toHaveLength(1);
  });

  it('know the kind of the database', () => {
    const { databaseEngine, databaseCapacity } = configOf(configuration);
    const cluster = databaseEngine.startsWith('aurora-');

    expect(named('DatabaseCapacity') !== undefined).toBe(cluster && databaseCapacity === 'serverless');
    expect(named('DatabaseStorage') !== undefined).toBe(!cluster);
    for (const id of ['DatabaseCpu', 'DatabaseConnections']) {
      expect(named(id)?.Properties.Dimensions[0].Name, id).toBe(
        cluster ? 'DBClusterIdentifier' : 'DBInstanceIdentifier',
      );
    }
  });

  it('look at each server of a store, and know what a store that is shared does when it is full', () => {
    const { sessionStore, applicationStore, cacheReplicas, sharedCache } = configOf(configuration);
    const servers = (start: string) =>
      ((named(start)?.Properties.Metrics ?? []) as { MetricStat?: object }[]).filter(({ MetricStat }) => MetricStat)
        .length;
    const of = (type: string) => (type === 'memcached' ? 1 : 1 + cacheReplicas);

    expect(servers('CachesSessionStoreBusy')).toBe(of(sessionStore));
    expect(servers('CachesSessionsEvicted')).toBe(sharedCache ? 0 : of(sessionStore));
    expect(servers('CachesApplicationStoreEvictions')).toBe(sharedCache ? 0 : of(applicationStore));
    expect(servers('CachesSessionMemory')).toBe(sessionStore === 'redis' ? of(sessionStore) : 0);
  });

  it('know how fast the files are', () => {
    const { filesThroughput } = configOf(configuration);

    expect(named('FilesThroughput') !== undefined).toBe(filesThroughput === 'provisioned');
    expect(named('FilesBurstCredit') !== undefined).toBe(filesThroughput === 'bursting');
  });

  it('know whether there is an exam day, and CloudFront', () => {
    const { examDayStart, cloudFront } = configOf(configuration);
    const [dashboard] = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Dashboard');

    expect(named('ExamDayNotSet') !== undefined).toBe(examDayStart !== undefined);
    expect(JSON.stringify(dashboard?.Properties.DashboardBody).includes('AWS/CloudFront')).toBe(cloudFront);
  });

  it('count Spot interruptions where there are any', () => {
    const { compute, spotWeight } = configOf(configuration);

    const [counted] = resources.filter(({ Type, id }) => Type === 'AWS::Events::Rule' && /SpotInterruptions/.test(id));

    expect(named('NodesSpotAlarm') !== undefined).toBe(spotWeight > 0);
    expect(counted?.Properties.EventPattern.source).toEqual(
      spotWeight > 0 ? [compute === 'ec2' ? 'aws.autoscaling' : 'aws.ecs'] : undefined,
    );
  });

  it('the dashboard has all of them, and the rollouts', () => {
    const [dashboard] = resources.filter(({ Type }) => Type === 'AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);

    expect(alarms.filter(({ id }) => !body.includes(`"${id}"`)).map(({ id }) => id)).toEqual([]);
    expect(body).toMatch(/\\"type\\":\\"custom\\".*RolloutWidget/);
  });
});

describe('the topic', () => {
  const { platform } = synthesised('dev');
  const statementsOf = (type: string, member: string) =>
    Object.values<Resource>(platform.findResources(type) as Record<string, Resource>).flatMap(
      ({ Properties }) =>
        Properties[member].Statement as { Effect: string; Sid?: string; Principal: unknown; Condition?: object }[],
    );
  const forAccount = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };

  it('takes messages from services of this account and from EventBridge, and nobody without TLS', () => {
    const statements = statementsOf('AWS::SNS::TopicPolicy', 'PolicyDocument');

    expect(statements.map(({ Effect, Principal, Condition }) => ({ Effect, Principal, Condition }))).toEqual([
      { Effect: 'Deny', Principal: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      {
        Effect: 'Allow',
        Principal: { Service: ['cloudwatch.amazonaws.com', 'events.rds.amazonaws.com'] },
        Condition: forAccount,
      },
      { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Condition: undefined },
    ]);
  });

  it('has a key that the same services may use, and CloudWatch Logs for groups of this account', () => {
    const [account, ...services] = statementsOf('AWS::KMS::Key', 'KeyPolicy');

    expect(JSON.stringify(account?.Principal)).toContain(':root');
    expect(services.map(({ Sid }) => Sid)).toEqual(['Publishers', 'Rules', 'Logs']);
    expect(services[0]?.Condition).toEqual(forAccount);
    expect(JSON.stringify(services[2]?.Condition)).toContain('kms:EncryptionContext:aws:logs:arn');
  });
});

describe('messages about rollouts', () => {
  const { resources } = synthesised('dev');
  const rules = resources.filter(({ Type, id }) => Type === 'AWS::Events::Rule' && id.startsWith('RolloutNotices'));

  it('are for the ends that the rollout itself does not tell', () => {
    const ends = rules.map(({ Properties }) => Properties.EventPattern.detail);

    expect(ends.map(({ status, error }) => ({ status, error }))).toEqual([
      { status: ['ABORTED'], error: undefined },
      { status: ['TIMED_OUT'], error: undefined },
      { status: ['FAILED'], error: untoldErrors },
    ]);
    for (const { stateMachineArn } of ends) expect(JSON.stringify(stateMachineArn)).toMatch(/InstallStateMachine/);
  });

  it('never repeat what the rollout has told', () => {
    for (const name of [...waitNames, ...refusalNames, ...failureNames]) expect(untoldErrors).not.toContain(name);
    // Every state that can fail with anything else has a catcher, so that nothing else ends an execution.
    const rollouts = stateMachineFiles()
      .map(readDefinition)
      .filter(({ States }) => JSON.stringify(States).includes('sns:publish'));
    expect(rollouts.length).toBeGreaterThan(0);
    for (const { States } of rollouts) {
      for (const [title, state] of Object.entries(States)) {
        if (state.Type !== 'Task') continue;
        expect(state.Catch?.at(-1)?.ErrorEquals, title).toEqual(['States.ALL']);
      }
    }
  });

  it('say what happened, why, what to type next, and where to look', () => {
    for (const { Properties } of rules) {
      const [{ InputTransformer, RoleArn }] = Properties.Targets;
      const template = JSON.stringify(InputTransformer.InputTemplate);

      expect(RoleArn).toBeUndefined();
      for (const word of ['Cause: ', 'Next: ', 'start-execution', 'Console: https://', 'Runbook: docs/runbook.md#']) {
        expect(template).toContain(word);
      }
      // EventBridge drops the message when one of these is not in the event: all of them always are.
      expect(Object.values(InputTransformer.InputPathsMap).sort()).toEqual([
        '$.detail.executionArn',
        '$.detail.name',
        '$.detail.stateMachineArn',
      ]);
    }
  });
});

it('the function of the dashboard reads executions of the site, and can do nothing else', () => {
  const { watching } = synthesised('dev');
  const policies = Object.entries<Resource>(watching.findResources('AWS::IAM::Policy') as Record<string, Resource>);
  const statements = policies
    .filter(([id]) => id.startsWith('RolloutWidget'))
    .flatMap(
      ([, { Properties }]) => Properties.PolicyDocument.Statement as { Action: string | string[]; Resource: unknown }[],
    );
  const ofStates = statements.filter(({ Action }) => [Action].flat().every((action) => action.startsWith('states:')));

  expect(ofStates.flatMap(({ Action }) => Action).sort()).toEqual([
    'states:DescribeExecution',
    'states:DescribeStateMachineForExecution',
    'states:GetExecutionHistory',
    'states:ListExecutions',
  ]);
  for (const { Resource } of ofStates) expect(JSON.stringify(Resource)).toMatch(/InstallStateMachine/);
  const others = statements.filter((statement) => !ofStates.includes(statement)).flatMap(({ Action }) => Action);
  expect(others.filter((action) => !/^(logs|xray):/.test(action))).toEqual([]);
});

describe('logs', () => {
  const { resources } = synthesisedFrom({
    accessLogs: 'true',
    cloudTrail: 'true',
    encryptLogs: 'true',
    containerInsights: 'enhanced',
    logRetentionDays: '30',
  });
  const ofType = (type: string) => resources.filter(({ Type }) => Type === type);

  it('of every function have a group of their own, also of those that CDK brings along', () => {
    const ofCdk = ofType('AWS::Lambda::Function').filter(({ id }) => id.startsWith('Custom'));

    expect(ofCdk.length).toBeGreaterThan(0);
    for (const { id, Properties } of ofType('AWS::Lambda::Function')) {
      expect(Properties.LoggingConfig, id).toHaveProperty('LogGroup');
    }
  });

  it('have one also where CDK carries values between regions', () => {
    const functions = synthesised('CloudFront and a zone').resources.filter(
      ({ Type }) => Type === 'AWS::Lambda::Function',
    );

    expect(functions.filter(({ id }) => id.includes('CrossRegion')).map(({ stack }) => stack)).toContain('platform');
    for (const { id, Properties } of functions) expect(Properties.LoggingConfig, id).toHaveProperty('LogGroup');
  });

  it("expire, go with their stack, and are encrypted with the site's key", () => {
    for (const { id, Properties, DeletionPolicy } of ofType('AWS::Logs::LogGroup')) {
      expect(Properties.RetentionInDays, id).toBe(30);
      expect(JSON.stringify(Properties.KmsKeyId), id).toMatch(/WatchingKey/);
      expect(DeletionPolicy, id).toBe('Delete');
    }
  });

  it('of Container Insights expire too, which ECS makes by itself', () => {
    const [cluster] = ofType('AWS::ECS::Cluster');
    const [schedule] = ofType('AWS::Scheduler::Schedule');

    expect(cluster?.Properties.ClusterSettings).toEqual([{ Name: 'containerInsights', Value: 'enhanced' }]);
    expect(schedule?.Properties.Target.Arn).toBe('arn:aws:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy');
    expect(JSON.stringify(schedule?.Properties.Target.Input)).toMatch(
      /aws\/ecs\/containerinsights\/.*\/performance.*RetentionInDays[^\d]+30/,
    );
  });

  it('in buckets are never public, encrypted, over TLS alone, and expire', () => {
    const buckets = ofType('AWS::S3::Bucket').filter(({ id }) => /^(AccessLogs|Trail)/.test(id));

    expect(buckets).toHaveLength(2);
    for (const { id, Properties } of buckets) {
      expect(Object.values(Properties.PublicAccessBlockConfiguration), id).toEqual([true, true, true, true]);
      expect(Properties.BucketEncryption, id).toBeDefined();
      expect(Properties.LifecycleConfiguration.Rules[0].ExpirationInDays, id).toBe(30);
      const policy = ofType('AWS::S3::BucketPolicy').find((each) => each.Properties.Bucket.Ref === id);
      expect(policy?.Properties.PolicyDocument.Statement[0]).toMatchObject({
        Effect: 'Deny',
        Action: 's3:*',
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      });
    }
  });

  it('of the load balancer are written to one', () => {
    const [balancer] = ofType('AWS::ElasticLoadBalancingV2::LoadBalancer');

    expect(balancer?.Properties.LoadBalancerAttributes).toContainEqual({
      Key: 'access_logs.s3.enabled',
      Value: 'true',
    });
  });

  it('of the trail cannot be altered unseen', () => {
    const [trail] = ofType('AWS::CloudTrail::Trail');

    expect(trail?.Properties).toMatchObject({
      EnableLogFileValidation: true,
      IsMultiRegionTrail: true,
      IncludeGlobalServiceEvents: true,
      IsLogging: true,
    });
    expect(JSON.stringify(trail?.Properties.KMSKeyId)).toMatch(/WatchingKey/);
  });

  it('of a site that keeps its data outlive it', () => {
    const kept = synthesisedFrom({ accessLogs: 'true', keepData: 'true' }).resources.filter(
      ({ Type, id }) => (Type === 'AWS::S3::Bucket' && id.startsWith('AccessLogs')) || Type === 'AWS::KMS::Key',
    );

    expect(kept).toHaveLength(2);
    for (const { id, DeletionPolicy } of kept) expect(DeletionPolicy, id).toBe('Retain');
  });
});

it('counts the attempts of phases in the log of a state machine', () => {
  // As Step Functions writes them (its guide, "Logging in CloudWatch Logs"), without the data.
  const line = (type: string, details: object) =>
    JSON.stringify({
      id: '7',
      type,
      details,
      previous_event_id: '6',
      event_timestamp: '1795276632000',
      execution_arn: 'arn:aws:states:eu-west-1:123456789012:execution:Install:1',
      redrive_count: '0',
    });
  const lines = [
    line('TaskStateEntered', { name: 'Check the site' }),
    line('LambdaFunctionScheduled', { resource: 'arn:aws:lambda:eu-west-1:123456789012:function:CheckSite' }),
    line('LambdaFunctionStarted', {}),
    line('LambdaFunctionFailed', { error: 'DatabaseResuming' }),
    line('TaskScheduled', { resourceType: 'sns', resource: 'publish', region: 'eu-west-1' }),
    line('ExecutionFailed', {}),
  ];

  expect(lines.map(filterPattern(rolloutStepPattern))).toEqual([false, true, false, false, true, false]);
});

describe('the connections that a database allows', () => {
  // From the tables of the guides of Aurora and RDS; a tenth off is what RDS keeps for itself.
  it.each([
    ['aurora-postgresql', 'db.r6g.large', 1600],
    ['aurora-postgresql', 'db.t4g.medium', 400],
    ['aurora-postgresql', 'db.r6g.8xlarge', 5000],
    ['aurora-mysql', 'db.r6g.large', 1000],
    ['aurora-mysql', 'db.r6g.xlarge', 2000],
    ['mysql', 'db.m6g.large', 650],
    ['mariadb', 'db.m6g.large', 320],
    ['postgresql', 'db.m6g.large', 810],
  ] as const)('%s on %s: about %i', (databaseEngine, databaseInstanceType, most) => {
    const config = { databaseCapacity: 'provisioned', databaseMinCapacity: 0.5, databaseMaxCapacity: 4 } as const;
    const computed = mostConnections({ ...config, databaseEngine, databaseInstanceType });

    expect(Math.abs(computed - most) / most).toBeLessThan(0.12);
  });

  it('are those of the most capacity where it follows the load, and at most 2000 where it may pause', () => {
    const config = {
      databaseEngine: 'aurora-postgresql',
      databaseCapacity: 'serverless',
      databaseInstanceType: '',
    } as const;

    expect(mostConnections({ ...config, databaseMinCapacity: 1, databaseMaxCapacity: 16 })).toBeGreaterThan(3000);
    expect(mostConnections({ ...config, databaseMinCapacity: 0, databaseMaxCapacity: 16 })).toBe(2000);
  });

  it.each([
    ['db.t4g.micro', 1],
    ['db.t4g.medium', 4],
    ['db.m7g.2xlarge', 32],
    ['db.r7g.large', 16],
    ['db.r7g.16xlarge', 512],
    ['db.x2g.large', 32],
  ])('%s has %i GiB', (type, gibibytes) => {
    expect(memoryOf(type)).toBe(gibibytes);
  });
});
