import { describe, expect, it } from 'vitest';
import { configOf, contexts, synthesised } from './synthesised.ts';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Calls for which IAM has no resource to name (AWS's service authorization reference). */
const withoutResource: readonly string[] = [
  'application-autoscaling:DescribeScalableTargets',
  'backup:DescribeBackupJob',
  'ecr:GetAuthorizationToken',
  'ecs:DescribeTaskDefinition',
  'ecs:DiscoverPollEndpoint',
  'elasticloadbalancing:DescribeTargetGroupAttributes',
  'elasticloadbalancing:DescribeTargetHealth',
  'tag:GetResources',
  // What Step Functions needs to write its log, and Lambda and Step Functions for their traces.
  'logs:CreateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies',
  'logs:GetLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
  // The channels of ECS Exec.
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
];

/** Narrowed by the condition that names the cluster. */
const inCluster: readonly string[] = ['ecs:ListTasks', 'ecs:Poll', 'ecs:StartTelemetrySession'];

/** What Lambda needs to bring a function into a network. */
const networkInterfaces: readonly string[] = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

describe.each(Object.keys(contexts) as (keyof typeof contexts)[])('permissions, %s', (configuration) => {
  const { resources } = synthesised(configuration);
  const { site, databaseAccess } = configOf(configuration);
  const policies = resources.filter(({ Type }) => Type === 'AWS::IAM::Policy');
  const statements = policies.flatMap(({ id, Properties }) =>
    (Properties.PolicyDocument.Statement as Statement[]).map((statement) => ({ id, statement })),
  );

  it('gives every role its permissions in the open: inline, nothing managed by AWS', () => {
    // The CDK's own functions, which empty a bucket when its stack goes and bring values from one region to another, have
    // roles of the CDK's making.
    const roles = resources.filter(({ Type, id }) => Type === 'AWS::IAM::Role' && !/^Custom(S3|CrossRegion)/.test(id));

    expect(roles.length).toBeGreaterThan(10);
    for (const { id, Properties } of roles) {
      const { Tags, ...rest } = Properties;
      expect(Object.keys(rest), id).toEqual(['AssumeRolePolicyDocument']);
    }
  });

  it('never allows every action of a service', () => {
    expect(statements.length).toBeGreaterThan(30);
    for (const { id, statement } of statements) {
      expect(statement.Effect, id).toBe('Allow');
      for (const action of actionsOf(statement)) expect(action, id).toMatch(/^[a-z0-9-]+:[A-Z][A-Za-z]+\*?$/);
    }
  });

  it('never allows every resource where IAM can name one', () => {
    for (const { id, statement } of statements.filter((each) => onEverything(each.statement))) {
      for (const action of actionsOf(statement)) {
        if (inCluster.includes(action)) expect(statement.Condition, id).toHaveProperty(['ArnEquals', 'ecs:cluster']);
        // CDK grants an instance what its ECS agent may need for a log driver of tasks without an execution role.
        else if (/^logs:(CreateLogStream|PutLogEvents)$/.test(action)) expect(id).toMatch(/^NodesCapacityRole/);
        else if (networkInterfaces.includes(action)) expect(databaseAccess, id).toBe('network');
        else expect(withoutResource, id).toContain(action);
      }
    }
  });

  it("passes only the nodes' roles, to ECS, and the backups' role, to AWS Backup", () => {
    const passing = statements.filter(({ statement }) => actionsOf(statement).includes('iam:PassRole'));

    expect(passing.length).toBeGreaterThan(0);
    for (const { statement } of passing) {
      const resource = JSON.stringify(statement.Resource);
      const service = resource.includes('BackupsRole') ? 'backup.amazonaws.com' : 'ecs-tasks.amazonaws.com';
      expect(statement.Condition).toEqual({ StringEquals: { 'iam:PassedToService': service } });
      expect(resource).toMatch(/Task.*Role|BackupsRole/);
    }
  });

  it('lets one-off tasks run in the cluster of the site alone', () => {
    for (const { statement } of statements.filter((each) => actionsOf(each.statement).includes('ecs:RunTask'))) {
      expect(statement.Condition).toHaveProperty(['ArnEquals', 'ecs:cluster']);
    }
  });

  it('lets nobody make or remove a database, or a snapshot, but those that are named after the site', () => {
    const removing = statements.filter(({ statement }) =>
      actionsOf(statement).some((action) => /^rds:Delete|^rds:CreateDB\w*Snapshot/.test(action)),
    );

    expect(removing.length).toBeGreaterThan(2);
    for (const { id, statement } of removing.filter((each) => /^(Phases|Leftovers)/.test(each.id))) {
      const resources = [statement.Resource].flat().map((resource) => JSON.stringify(resource));
      const others = resources.filter((resource) => !resource.includes(`:moodle-${site}-*`));
      // A snapshot is taken of the site's own database.
      const takes = actionsOf(statement).some((action) => action.startsWith('rds:CreateDB'));
      expect(others.length, id).toBe(takes ? 1 : 0);
    }
  });

  it("lets a phase reach the administrator's password only to log in, and the site's settings only under its name", () => {
    const phases = statements.filter(({ id }) => id.startsWith('Phases'));
    const readsPassword = phases.filter(({ statement }) => JSON.stringify(statement).includes('SecretsAdministrator'));
    expect(readsPassword.map(({ id }) => id)).toEqual([expect.stringContaining('PhasesVerifySite')]);

    for (const { statement } of phases) {
      if (actionsOf(statement).some((action) => action.startsWith('ssm:'))) {
        expect(JSON.stringify(statement.Resource)).toContain(`:parameter/moodle/${site}/*`);
      }
    }
  });
});

function actionsOf({ Action }: Statement): readonly string[] {
  return typeof Action === 'string' ? [Action] : Action;
}

function onEverything({ Resource }: Statement): boolean {
  return Resource === '*' || (Array.isArray(Resource) && Resource.includes('*'));
}
