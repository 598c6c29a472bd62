import { setTimeout as wait } from 'node:timers/promises';
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
    [progress] = await Promise.all([site.follow(execution), killInTheMiddle()]);
  });
  afterAll(() => site?.close());

  /** Looks at the tables themselves: who asks for the progress might be told when the install is over. */
  async function killInTheMiddle(): Promise<void> {
    while (tablesWhenKilled < 100) {
      await wait(20);
      tablesWhenKilled = await countTables();
    }
    const { taskArns: [node = ''] = [] } = await new ECSClient(site.account.clientConfiguration).send(
      new ListTasksCommand({
        cluster: site.account.output('ClusterName'),
        serviceName: site.account.output('WebServiceName'),
      }),
    );
    expect(killNode(node.split('/').at(-1) ?? '')).toBeGreaterThan(0);
  }

  async function countTables(): Promise<number> {
    const [{ tables = 0 } = {}] = await site
      .query<{ tables: number | string }>(
        "SELECT count(*) AS tables FROM information_schema.tables WHERE table_name LIKE 'mdl!_%' ESCAPE '!'",
      )
      .catch(() => []);
    return Number(tables);
  }

  it('is done again from the beginning and ends well', () => {
    expect(tablesWhenKilled).toBeLessThan(450);
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
