import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deny } from './faults.ts';
import { Site } from './site.ts';

/** For every phase, an AWS API that its function cannot do without. */
const faults = [
  { phase: 'Check the site', function: 'CheckSite', action: 'elasticache:DescribeReplicationGroups' },
  { phase: 'Build image', function: 'BuildImage', action: 'codebuild:StartBuild' },
  { phase: 'Start one node', function: 'StartOneNode', action: 'ecs:UpdateService' },
  { phase: 'Wait for install', function: 'WaitForInstall', action: 'rds-data:ExecuteStatement' },
  { phase: 'Fix lastip', function: 'FixLastip', action: 'rds-data:ExecuteStatement' },
  { phase: 'Configure cache stores', function: 'ConfigureCacheStores', action: 'ecs:RunTask' },
  { phase: 'Enable session caching', function: 'EnableSessionCaching', action: 'ssm:PutParameter' },
  { phase: 'Scale out', function: 'ScaleOut', action: 'application-autoscaling:RegisterScalableTarget' },
  { phase: 'Verify the site', function: 'VerifySite', action: 'secretsmanager:GetSecretValue' },
  { phase: 'Release the site', function: 'ReleaseSite', action: 'rds-data:ExecuteStatement' },
];

describe('a failure in a phase', () => {
  let site: Site;
  let settingsBefore: Record<string, string>;

  const settings = async () => {
    const { Parameters = [] } = await new SSMClient(site.account.clientConfiguration).send(
      new GetParametersByPathCommand({ Path: '/moodle/demo' }),
    );
    // The image stays in the repository: it is nothing that a visitor of the site would notice, and is needed again.
    return Object.fromEntries(
      Parameters.map(({ Name = '', Value = '' }) => [Name, Value]).filter(([name]) => !name?.endsWith('image-tag')),
    );
  };
  const webNodes = async () => (await site.webService()).desiredCount;

  beforeAll(async () => {
    site = await Site.open();
    settingsBefore = await settings();
  });
  afterAll(() => site?.close());

  // One site after another fault: each run also shows that the one before left nothing in its way.
  it.each(faults)('“$phase”: named, put back, released, told', async ({ phase, function: name, action }) => {
    const mend = deny(site, name, action);
    const progress = await site.install({ nodes: 2, reason: `fault in ${phase}` });
    mend();

    expect(progress.status).toBe('failed');
    const told = String((progress.wayBack[0]?.evidence as { cause?: string } | undefined)?.cause);
    expect(told).toContain(`“${phase}” failed`);
    expect(told).toContain(action);
    expect(told).toMatch(/start-execution/);
    expect(await settings()).toEqual(settingsBefore);
    expect(await webNodes()).toBe(0);
    const holds = await site.query("SELECT 1 FROM information_schema.tables WHERE table_schema = 'moodle_lifecycle'");
    if (holds.length > 0) expect(await site.query('SELECT * FROM moodle_lifecycle.rollout_hold')).toEqual([]);
    const wayBack = progress.wayBack.filter(({ status }) => status !== 'skipped');
    expect(wayBack.map(({ title, status }) => [title, status])).toEqual([
      ['Put back', 'succeeded'],
      ['Notify the operator', 'succeeded'],
    ]);
  });

  it('is in no way of an install afterwards', async () => {
    const progress = await site.install({ nodes: 2 });
    expect(progress.failure).toBeUndefined();
    expect(progress.status).toBe('succeeded');
  });
});
