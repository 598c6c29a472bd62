import { GetParametersByPathCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deny, phaseFaults } from './faults.ts';
import { tryAgain } from './operator.ts';
import { Site } from './site.ts';

describe('a failure in a phase', () => {
  let site: Site;
  let settingsBefore: Record<string, string>;
  /** What the operator was told to type after the failure before. */
  let told: string | undefined;

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
  const begin = () =>
    told === undefined ? site.startInstall({ nodes: 1, reason: 'with faults' }) : tryAgain(site, told);

  beforeAll(async () => {
    site = await Site.open();
    settingsBefore = await settings();
  });
  afterAll(() => site?.close());

  // Each run is begun by the command that the failure before it told, and gets past the phase that failed there.
  it.each(phaseFaults)(
    '“$phase”: named, put back where it changed anything, released, told',
    async ({ phase, function: name, action }) => {
      const mend = deny(site, name, action);
      const progress = await site.follow(await begin());
      mend();

      expect(progress.status).toBe('failed');
      const changes = phase !== 'Check the site' && phase !== 'Build image';
      expect(progress.outcome).toBe(changes ? 'put back' : 'nothing changed');
      expect(progress.failure?.phase).toBe(phase);
      told = progress.next?.command;
      const cause = String((progress.wayBack[0]?.evidence as { cause?: string } | undefined)?.cause);
      expect(cause).toContain(`“${phase}” failed`);
      expect(cause).toContain(action);
      expect(cause).toContain(`Next: once mended, ${told}`);
      expect(cause).toContain('start-execution');
      expect(await settings()).toEqual(settingsBefore);
      expect(await webNodes()).toBe(0);
      const holds = await site.query("SELECT 1 FROM information_schema.tables WHERE table_schema = 'moodle_lifecycle'");
      if (holds.length > 0) expect(await site.query('SELECT * FROM moodle_lifecycle.rollout_hold')).toEqual([]);
      const wayBack = progress.wayBack.filter(({ status }) => status !== 'skipped');
      expect(wayBack.map(({ title, status }) => [title, status])).toEqual([
        ['Put back', changes ? 'succeeded' : 'not needed'],
        ['Notify the operator', 'succeeded'],
      ]);
    },
  );

  it('is recovered by the command that the last one told', async () => {
    const progress = await site.follow(await tryAgain(site, told));
    expect(progress.failure).toBeUndefined();
    expect(await webNodes()).toBe(1);
  });
});
