import { describe, expect, it } from 'vitest';
import { type Resource, synthesisedFrom } from './synthesised.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

const statementsOf = (resources: readonly Resource[], action: string): Statement[] =>
  resources
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
    .filter(({ Action }) => [Action].flat().includes(action));

const policiesWith = (resources: readonly (Resource & { id: string })[], action: string): string[] =>
  resources
    .filter((resource) => resource.Type === 'AWS::IAM::Policy' && statementsOf([resource], action).length > 0)
    .map(({ id }) => id);

/** What one service asks another with the rights of whoever calls it, or of the role that it is given. */
describe('rights that a call needs beside its own', () => {
  // Spot and on-demand instances, an exam day, a serverless cache, in one zone.
  const { resources } = synthesisedFrom({
    compute: 'ec2',
    backups: 'true',
    cacheKind: 'serverless',
    examDayStart: 'cron(0 7 1 6 ? 2027)',
    examDayEnd: 'cron(0 18 1 6 ? 2027)',
    examDayNodes: '4',
    containerInsights: 'on',
  });

  it('RegisterScalableTarget comes with those of ECS that Application Auto Scaling asks of its caller', () => {
    const registering = policiesWith(resources, 'application-autoscaling:RegisterScalableTarget');
    expect(registering.length).toBeGreaterThan(3);
    for (const action of ['ecs:DescribeServices', 'ecs:UpdateService']) {
      expect(policiesWith(resources, action), action).toEqual(expect.arrayContaining(registering));
    }
  });

  it('AWS Backup may tag its recovery points, as its managed policy for the service lets it', () => {
    expect(statementsOf(resources, 'backup:TagResource')).toEqual([
      expect.objectContaining({
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of IAM.
        Condition: { StringEquals: { 'aws:PrincipalAccount': '${aws:ResourceAccount}' } },
      }),
    ]);
  });

  it('the agent of ECS may drain its instance on the notice of Spot', () => {
    expect(statementsOf(resources, 'ecs:UpdateContainerInstancesState')).toHaveLength(1);
  });

  // The service authorization reference: log-group:NAME:* for all actions on a group but those of tags.
  it('a log group is named as CloudWatch Logs matches it', () => {
    const named = resources
      .filter(({ Type }) => Type === 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => Properties.PolicyDocument.Statement as Statement[])
      .filter(({ Action }) => [Action].flat().every((action) => /^logs:(?!Describe|.*Tag)/.test(action)))
      .map(({ Resource }) => [Resource].flat().map((resource) => JSON.stringify(resource)))
      .filter((names) => names.some((name) => name.includes('log-group:')));
    expect(named.length).toBeGreaterThan(0);
    // CDK names a group of CodeBuild in both forms.
    expect(named.filter((names) => !names.some((name) => /\*"(?:\]\]\})?$/.test(name)))).toEqual([]);
  });

  it('a serverless cache has subnets of two zones, though nodes are in one', () => {
    const caches = resources.filter(({ Type }) => Type === 'AWS::ElastiCache::ServerlessCache');
    expect(caches.length).toBeGreaterThan(0);
    for (const { Properties } of caches) expect(Properties.SubnetIds.length).toBeGreaterThanOrEqual(2);
  });

  // CodeBuild runs each command by itself: what `set` says in one is gone in the next.
  it('every command of a build that pipes fails when its first part does', () => {
    const [project] = resources.filter(({ Type }) => Type === 'AWS::CodeBuild::Project');
    const { phases } = JSON.parse(project?.Properties.Source.BuildSpec) as {
      phases: Record<string, { commands: readonly string[] }>;
    };
    const piping = Object.values(phases)
      .flatMap(({ commands }) => commands)
      .filter((command) => / \| /.test(command));
    expect(piping.length).toBeGreaterThan(1);
    for (const command of piping) expect(command).toMatch(/^set -o pipefail; /);
  });
});
