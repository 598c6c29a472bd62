import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { killNode } from './faults.ts';
import { Site } from './site.ts';

describe('an install whose node is killed in the middle', () => {
  let site: Site;
  let progress: Progress;
  let tablesWhenKilled = 0;

  beforeAll(async () => {
    site = await Site.open();
    const execution = await site.startInstall({ nodes: 2 });
    let killing = false;
    progress = await site.follow(execution, () => {
      if (killing) return;
      void killInTheMiddle().then((done) => {
        killing ||= done;
      });
    });
  });
  afterAll(() => site?.close());

  async function killInTheMiddle(): Promise<boolean> {
    const [{ tables = 0 } = {}] = await site
      .query<{ tables: number }>("SELECT count(*)::int AS tables FROM pg_tables WHERE tablename LIKE 'mdl\\_%'")
      .catch(() => []);
    if (tables < 100 || tables > 450 || tablesWhenKilled > 0) return tablesWhenKilled > 0;
    const { taskArns: [node = ''] = [] } = await new ECSClient(site.account.clientConfiguration).send(
      new ListTasksCommand({
        cluster: site.account.output('ClusterName'),
        serviceName: site.account.output('WebServiceName'),
      }),
    );
    tablesWhenKilled = tables;
    return killNode(node.split('/').at(-1) ?? '') > 0;
  }

  it('is done again from the beginning and ends well', () => {
    expect(tablesWhenKilled).toBeGreaterThan(0);
    expect(progress.failure).toBeUndefined();
    const evidence = progress.phases.find(({ title }) => title === 'Wait for install')?.evidence;
    expect(evidence).toMatchObject({ attempts: 2 });
  });

  it('keeps in its marker how much was cleared', async () => {
    const [marker] = await site.query(
      'SELECT attempt, cleared_tables, finished_at FROM moodle_lifecycle.install_marker',
    );
    expect(marker?.attempt).toBe(2);
    expect(marker?.cleared_tables).toBeGreaterThan(99);
    expect(marker?.finished_at).not.toBeNull();
  });
});
