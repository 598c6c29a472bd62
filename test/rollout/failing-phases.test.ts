import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deny, phaseFaults } from './faults.ts';
import { Site } from './site.ts';

const main = fileURLToPath(new URL('../../console/cli/main.ts', import.meta.url));

describe('a failure in a phase', () => {
  let site: Site;
  let settingsBefore: Record<string, string>;
  /** What the operator is told to type. */
  let told = '';

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
  it.each(phaseFaults)('“$phase”: named, put back, released, told', async ({ phase, function: name, action }) => {
    const mend = deny(site, name, action);
    const progress = await site.install({ nodes: 2, reason: `fault in ${phase}` });
    mend();

    expect(progress.status).toBe('failed');
    expect(progress.outcome).toBe('put back');
    told = progress.next?.command ?? '';
    const cause = String((progress.wayBack[0]?.evidence as { cause?: string } | undefined)?.cause);
    expect(cause).toContain(`“${phase}” failed`);
    expect(cause).toContain(action);
    expect(cause).toMatch(/lifecycle retry .*start-execution/s);
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

  it('is recovered by the command that the last one told', async () => {
    const [npx, name, ...words] = told.split(' ');
    expect([npx, name]).toEqual(['npx', 'lifecycle']);
    const child = spawn(process.execPath, [main, ...words], {
      env: { ...process.env, AWS_ENDPOINT_URL: site.account.endpoint },
    });
    let shown = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        shown += chunk;
      });
    }
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(shown).toMatch(/starts again with the same input.*Release the site: succeeded/s);
    expect(code).toBe(0);
    expect(await webNodes()).toBe(2);
  });
});
