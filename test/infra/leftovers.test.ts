import { describe, expect, it } from 'vitest';
import { type contexts, synthesised, synthesisedFrom } from './synthesised.ts';

const { resources } = synthesised('dev');

describe('what updates and backups made beside the stacks', () => {
  const [resource] = resources.filter(({ Type }) => Type === 'Custom::Leftovers');

  it('is removed before what it hangs on: the vault, the database, its network', () => {
    const held = resources.filter(({ Type }) =>
      ['AWS::Backup::BackupVault', 'AWS::RDS::DBCluster', 'AWS::RDS::DBSubnetGroup'].includes(Type),
    );

    expect(held).toHaveLength(3);
    expect(resource?.DependsOn).toEqual(expect.arrayContaining(held.map(({ id }) => id)));
    // The role that recovery points were made with is there until they are gone.
    expect(resource?.DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^BackupsRole/)]));
  });

  it('is removed after what adds to it: the backup plan, the cluster that Container Insights measures', () => {
    const { resources: all } = synthesisedFrom({ backups: 'true', containerInsights: 'on' });
    const [own] = all.filter(({ Type }) => Type === 'Custom::Leftovers');
    const adding = all.filter(({ Type }) =>
      ['AWS::Backup::BackupPlan', 'AWS::Backup::BackupSelection', 'AWS::ECS::Cluster'].includes(Type),
    );

    expect(adding).toHaveLength(3);
    for (const { id, DependsOn } of adding) expect(DependsOn, id).toContain(own?.id);
  });

  it('is looked for under the names that CloudFormation and ECS give', () => {
    const [cluster] = resources.filter(({ Type }) => Type === 'AWS::ECS::Cluster');
    const [remove] = resources.filter(
      ({ Type, id }) => Type === 'AWS::Lambda::Function' && /^LeftoversRemove/.test(id),
    );

    expect(cluster?.Properties).not.toHaveProperty('ClusterName');
    expect(remove?.Properties.Environment.Variables.INSIGHTS_LOG_PREFIX).toBe(
      `/aws/ecs/containerinsights/DemoPlatform-${cluster?.id}-`,
    );
  });

  it.each(['prod', 'MariaDB with a standby'] as const satisfies (keyof typeof contexts)[])(
    'stays with keepData=true: %s has nothing that could remove it',
    (configuration) => {
      expect(synthesised(configuration).resources.filter(({ id }) => id.startsWith('Leftovers'))).toEqual([]);
    },
  );
});
