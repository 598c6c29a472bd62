import type { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operatorHold } from '../../lambdas/operator-hold.ts';
import { releaseSite } from '../../lambdas/release-site.ts';
import { type BeforeRollout, inheritedBefore } from '../../lambdas/shared/before-rollout.ts';
import { assertHeld, readHold, releaseHold, takeHold, write } from '../../lambdas/shared/hold.ts';
import { createLifecycleSchema } from '../../lambdas/shared/lifecycle-schema.ts';
import type { MoodleDatabase } from '../../lambdas/shared/moodle-database.ts';
import { kinds, LifecycleServer } from '../support/lifecycle-database.ts';

const before: BeforeRollout = {
  installed: false,
  sessionStore: 'database',
  parameters: {
    'session-store': 'database',
    'image-tag': 'none',
    'desired-nodes': '0',
    'minimum-nodes': '0',
    'maximum-nodes': '1',
    'scheduled-nodes': '0',
    'cron-nodes': '0',
  },
  desired: 0,
  cronDesired: 0,
  capacity: { minimum: 0, maximum: 1, suspended: false },
  healthGraceSeconds: 60,
  taskDefinition: 'web:1',
  cronTaskDefinition: 'cron:1',
  cacheConfiguration: { stores: [], mappings: {} },
};

/** Stands for Step Functions: it knows these executions in this status, and no other. */
function executions(statuses: Readonly<Record<string, string>>): SFNClient {
  return {
    send: async ({ input }: { input: { executionArn: string } }) => {
      const status = statuses[input.executionArn];
      if (status) return { status };
      throw Object.assign(new Error('no such execution'), { name: 'ExecutionDoesNotExist' });
    },
  } as unknown as SFNClient;
}

describe.each(kinds)('on %s', (kind) => {
  let server: LifecycleServer;
  let database: MoodleDatabase;
  beforeAll(async () => {
    server = await LifecycleServer.start(kind);
  });
  beforeEach(async () => {
    database = await server.database();
  });
  afterAll(() => server.close());

  const rollout = (execution: string) => ({ site: 'campus', execution });
  const take = (execution: string, statuses: Readonly<Record<string, string>> = {}, found = before) =>
    takeHold(database, executions(statuses), rollout(execution), `why ${execution}`, found);

  describe('takeHold', () => {
    it('takes a free site, and the same execution again without change', async () => {
      const first = await take('one');
      const again = await take('one', {}, { ...before, desired: 9 });
      expect(first).toMatchObject({
        isNew: true,
        takenOverFrom: undefined,
        hold: { execution: 'one', reason: 'why one' },
      });
      expect(again).toMatchObject({ isNew: false, hold: { since: first.hold.since, before: { desired: 0 } } });
    });

    it.each(['RUNNING', 'PENDING_REDRIVE'])('leaves the site to an execution that is %s', async (status) => {
      await take('one');
      await expect(take('two', { one: status })).rejects.toMatchObject({
        name: 'SiteHeld',
        message: expect.stringMatching(/held by one since .*why one.*still running.*Nothing was changed/s),
      });
      expect(await readHold(database, 'campus')).toMatchObject({ execution: 'one' });
    });

    it.each([
      ['ABORTED', { one: 'ABORTED' }],
      ['FAILED', { one: 'FAILED' }],
      ['not known any more', {}],
    ])('takes over from an execution that is %s, with what it found', async (_, statuses) => {
      await take('one', {}, { ...before, desired: 3 });
      const taken = await take('two', statuses, { ...before, desired: 1 });
      expect(taken).toMatchObject({ takenOverFrom: 'one', isNew: false });
      expect(await readHold(database, 'campus')).toMatchObject({ execution: 'two', before: { desired: 3 } });
    });

    it('does not take the site when it cannot be told whether the holder runs', async () => {
      await take('one');
      const broken = { send: async () => Promise.reject(new Error('throttled')) } as unknown as SFNClient;
      await expect(takeHold(database, broken, rollout('two'), '', before)).rejects.toThrow('throttled');
      expect(await readHold(database, 'campus')).toMatchObject({ execution: 'one' });
    });

    /** One connection per rollout, as every function has its own. */
    async function compete(names: readonly string[], holder?: string): Promise<PromiseSettledResult<unknown>[]> {
      const { name, database: first } = await server.emptyDatabase();
      await createLifecycleSchema(first);
      const running = executions(Object.fromEntries(names.map((one) => [one, 'RUNNING'])));
      if (holder) await takeHold(first, running, rollout(holder), '', before);
      return Promise.allSettled(
        names.map((one) => takeHold(server.open(server.connection(name)), running, rollout(one), '', before)),
      );
    }

    it.each([undefined, 'a dead one'])('lets exactly one of several have a site held by %s', async (holder) => {
      const outcomes = await compete(['a', 'b', 'c', 'd', 'e'], holder);
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'SiteHeld' });
      }
    });
  });

  describe('a person', () => {
    const ask = (execution: string, input: object, statuses: Readonly<Record<string, string>> = {}) =>
      operatorHold({ database, executions: executions(statuses) }, { ...rollout(execution), input });
    const hold = { action: 'hold', operator: 'ada', reason: 'exam week' };
    const release = { action: 'release', operator: 'bob' };
    const byAda = {
      name: 'SiteHeld',
      message: expect.stringMatching(
        /held by the operator ada since 20.*exam week.*Nothing was changed.*lifecycle release/s,
      ),
    };

    it('keeps the site though the execution that took it is over; rollouts are told who, since when and why', async () => {
      const taken = await ask('hold-1', hold);
      expect(taken).toMatchObject({ operator: 'ada', reason: 'exam week', since: expect.stringMatching(/^20.*Z$/) });
      await expect(take('one', { 'hold-1': 'SUCCEEDED' })).rejects.toMatchObject(byAda);
      await expect(take('one')).rejects.toMatchObject(byAda);
      await expect(ask('hold-2', { ...hold, operator: 'bob' })).rejects.toMatchObject(byAda);
      expect(await ask('hold-1', hold)).toEqual(taken);
    });

    it('lets go, also of another’s hold, and once is enough', async () => {
      await ask('hold-1', hold);
      expect(await ask('release-1', release)).toMatchObject({ site: 'released', operator: 'ada' });
      expect(await ask('release-2', release)).toEqual({ site: 'no operator held it, so there was nothing to release' });
      expect(await take('one')).toMatchObject({ isNew: true });
    });

    it('takes nothing from a rollout that runs, and ends no rollout’s hold', async () => {
      await take('one');
      await expect(ask('hold-1', hold, { one: 'RUNNING' })).rejects.toMatchObject({ name: 'SiteHeld' });
      expect(await ask('release-1', release)).toMatchObject({ rollout: 'one' });
      expect(await readHold(database, 'campus')).toMatchObject({ execution: 'one' });
    });

    it('gives the site back to an unfinished rollout, so that what there is to put back is not lost', async () => {
      await take('one', {}, { ...before, desired: 3 });
      expect(await ask('hold-1', hold, { one: 'ABORTED' })).toMatchObject({ rollout: 'one' });
      await expect(take('two')).rejects.toMatchObject(byAda);
      expect(await ask('release-1', release)).toMatchObject({
        site: expect.stringContaining('unfinished'),
        rollout: 'one',
      });
      expect(await take('two', { one: 'ABORTED' })).toMatchObject({
        takenOverFrom: 'one',
        hold: { before: { desired: 3 } },
      });
    });

    it.each([
      [{}, /action.*operator/],
      [{ ...hold, action: 'keep' }, /action must be equal to one of the allowed values/],
      [{ ...hold, reason: undefined }, /reason/],
      [{ ...hold, operator: 'two\nlines' }, /operator/],
      [{ ...hold, until: 'monday' }, /additional properties/],
    ])('is told what is wrong with %j', async (input, words) => {
      const given = JSON.parse(JSON.stringify(input));
      await expect(ask('hold-1', given)).rejects.toMatchObject({
        name: 'InputInvalid',
        message: expect.stringMatching(words),
      });
      expect(await readHold(database, 'campus')).toBeUndefined();
    });

    it('can hold a site whose schema is from before that was possible', async () => {
      await database.execute('ALTER TABLE moodle_lifecycle.rollout_hold DROP COLUMN operator, DROP COLUMN beneath');
      expect(await ask('hold-1', hold)).toMatchObject({ operator: 'ada' });
    });
  });

  describe('write', () => {
    const statement = `INSERT INTO moodle_lifecycle.cache_mode_mapping (site, mode, store)
                     SELECT :site, 'application', :store WHERE {held}`;

    it('writes while the site is held by this execution', async () => {
      await take('one');
      expect(await write(database, rollout('one'), statement, { store: 'mine' })).toBe(1);
    });

    it('writes nothing once another execution has taken the site over', async () => {
      await take('one');
      await take('two');
      await expect(write(database, rollout('one'), statement, { store: 'mine' })).rejects.toMatchObject({
        name: 'HoldLost',
        message: expect.stringContaining('by two'),
      });
      expect(await database.query('SELECT * FROM moodle_lifecycle.cache_mode_mapping')).toEqual([]);
    });

    it('refuses a statement without the condition', async () => {
      await expect(write(database, rollout('one'), 'DELETE FROM anything')).rejects.toThrow('{held}');
    });
  });

  describe('releasing', () => {
    it('removes only its own hold', async () => {
      await take('one');
      await take('two');
      expect(await releaseHold(database, rollout('one'))).toBe(false);
      await expect(releaseSite({ database }, rollout('one'))).rejects.toMatchObject({ name: 'HoldLost' });
      await assertHeld(database, rollout('two'));
      expect(await releaseSite({ database }, rollout('two'))).toMatchObject({ heldSeconds: expect.any(Number) });
      expect(await releaseSite({ database }, rollout('two'))).toEqual({ released: 'had been released already' });
    });
  });
});

describe('inheritedBefore', () => {
  const serving = {
    ...before,
    installed: true,
    desired: 3,
    cronDesired: 1,
    taskDefinition: 'web:2',
    parameters: { ...before.parameters, 'image-tag': 'content' },
  };

  it('brings a site without an install back to what the first rollout found', () => {
    expect(inheritedBefore(before, { ...serving, installed: false })).toBe(before);
  });

  it('never takes nodes from an installed site that has them', () => {
    expect(inheritedBefore(before, serving)).toMatchObject({
      desired: 3,
      cronDesired: 1,
      taskDefinition: 'web:2',
      parameters: { 'image-tag': 'content' },
      capacity: { minimum: 0, maximum: 3, suspended: false },
    });
  });

  it('keeps what an earlier rollout found on a site that served before it', () => {
    const earlier = { ...serving, capacity: { minimum: 2, maximum: 6, suspended: false }, taskDefinition: 'web:1' };
    const now = { ...serving, desired: 1, capacity: { minimum: 0, maximum: 1, suspended: true } };
    expect(inheritedBefore(earlier, now)).toEqual(earlier);
  });
});
