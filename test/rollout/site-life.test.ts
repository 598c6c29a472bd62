import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../console/progress.ts';
import { RUN_FOLDER } from '../support/global-setup.ts';
import { Browser } from './browser.ts';
import { Site } from './site.ts';
import { Users, type UsersReport } from './users.ts';

describe('a site in use', () => {
  const directory = mkdtempSync(join(process.env[RUN_FOLDER] ?? '', 'site-life-'));
  let site: Site;

  beforeAll(async () => {
    site = await Site.open({ directory });
  });
  afterAll(async () => {
    await site?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const deploymentIds = async () => (await site.webService()).deployments?.map(({ id }) => id);

  describe('while its sessions move to Redis', () => {
    let progress: Progress;
    let report: UsersReport;

    beforeAll(async () => {
      const { username, password } = site.administrator;
      const users = new Users(site.address, username, () => password);
      progress = await site.install({ nodes: 3 });
      report = await users.stop();
    });

    it('is installed and scaled out, with evidence from every phase', () => {
      expect(progress.failure).toBeUndefined();
      for (const phase of progress.phases) expect(phase.evidence, phase.title).toBeTypeOf('object');
    });

    it('logs nobody out who signed in before, during or after the switch', () => {
      expect(report.signedIn).toBeGreaterThan(3);
      expect(report.requests).toBeGreaterThan(20);
      expect(report.loggedOut).toBe(0);
      expect(report.failed).toBe(0);
    });

    it('needs few transitions and small payloads', () => {
      expect(site.account.transitions(progress.executionArn)).toBeLessThan(150);
      for (const { evidence, title } of progress.phases) {
        expect(JSON.stringify(evidence).length, title).toBeLessThan(2_000);
      }
    });
  });

  describe('when the rollout is run again', () => {
    it('converges: no node is replaced, nobody is logged out', async () => {
      const { username, password } = site.administrator;
      const before = await deploymentIds();
      const people = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const browser = new Browser(site.address);
          expect(await browser.signIn(username, password)).toBe(true);
          return browser;
        }),
      );
      const progress = await site.install({ nodes: 3 });
      expect(progress.failure).toBeUndefined();
      expect(await deploymentIds()).toEqual(before);
      for (const browser of people) expect(await browser.isSignedIn()).toBe(true);
    });
  });

  describe('when it may not be touched', () => {
    it.each([
      [{ node: 3 }, 'node'],
      [{ nodes: 0 }, 'nodes'],
      [{ nodes: 10_000 }, 'nodes'],
      [{ nodes: '3' }, 'nodes'],
      [{ finish: 'by hand' }, 'finish'],
      [{ finish: 'browser' }, 'adminIp'],
      [{ finish: 'browser', adminIp: '999.1.1.1' }, 'adminIp'],
    ])('refuses the input %j and names %s', async (input, member) => {
      const before = await deploymentIds();
      const progress = await site.install(input);
      expect(progress.status).toBe('failed');
      expect(progress.failure?.error).toBe('InputInvalid');
      expect(progress.failure?.cause).toContain(member);
      expect(await deploymentIds()).toEqual(before);
      expect(await site.query('SELECT * FROM moodle_lifecycle.rollout_hold')).toEqual([]);
    });

    it('refuses rollouts while a person holds it, says who and why, and goes on once it is released', async () => {
      const change = async (input: object) => {
        const { executionArn = '' } = await site.rehearsal.stepFunctions.send(
          new StartExecutionCommand({
            stateMachineArn: site.account.output('HoldStateMachineArn'),
            input: JSON.stringify(input),
          }),
        );
        return site.follow(executionArn);
      };
      const held = await change({ action: 'hold', operator: 'ada', reason: 'exam week' });
      expect(held.outcome).toBe('succeeded');
      const refused = await site.install();
      expect(refused).toMatchObject({ outcome: 'refused', failure: { error: 'SiteHeld' } });
      expect(refused.failure?.cause).toMatch(/operator ada since .*exam week/);
      await change({ action: 'release', operator: 'bob' });
      expect(await site.query('SELECT * FROM moodle_lifecycle.rollout_hold')).toEqual([]);
    });

    it('refuses a second rollout while another holds it, and says who', async () => {
      // One more node takes longer to come than the other rollout to be refused.
      const running = await site.startInstall({ nodes: 4, reason: 'the one that runs' });
      const second = await site.install({ nodes: 4, reason: 'the second' });
      const outcome = await site.follow(running);
      expect([outcome.failure?.error, second.failure?.error]).toContain('SiteHeld');
      expect([outcome.status, second.status]).toContain('succeeded');
    });
  });

  describe('when a later deploy brings other nodes', () => {
    it('keeps those that automatic scaling has added, and all that the rollout has set', async () => {
      await new ECSClient(site.account.clientConfiguration).send(
        new UpdateServiceCommand({
          cluster: site.account.output('ClusterName'),
          service: site.account.output('WebServiceName'),
          desiredCount: 5,
        }),
      );
      const before = await site.state();
      await site.close();
      site = await Site.open({
        directory,
        alter: (id, { Type, Properties }) => {
          if (Type === 'AWS::ECS::TaskDefinition' && id.startsWith('Web')) Properties.Cpu = '2048';
        },
      });
      const after = await site.state();
      expect(after).toEqual({ ...before, taskDefinition: expect.not.stringMatching(`^${before.taskDefinition}$`) });
      expect(after.desired).toBe(5);
      expect(after.image).toBe(before.image);
    });
  });
});
