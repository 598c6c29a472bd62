import type { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putBack } from '../../lambdas/put-back.ts';
import { scaleOut } from '../../lambdas/scale-out.ts';
import { scheduleNodes } from '../../lambdas/schedule-nodes.ts';
import { setCapacity } from '../../lambdas/shared/scaling.ts';
import type { Account } from './account.ts';
import { Bench, execution, held, untilDone } from './bench.ts';
import { makeMoodleTables } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

async function served(): Promise<Account> {
  const account = await bench.account({ MAXIMUM_NODES: '12' });
  await makeMoodleTables(account.database);
  await account.serve(2);
  account.scalable = { ...account.scalable, MaxCapacity: 12 };
  account.parameters.set('maximum-nodes', '12');
  return account;
}

const schedule = (account: Account, nodes: number) =>
  scheduleNodes(account.clients, { site: 'campus', execution: 'exam day', nodes });

const range = ({ scalable, web }: Account) => [scalable.MinCapacity, scalable.MaxCapacity, web.desiredCount];

describe('an exam day', () => {
  it('has its nodes from beginning to end, and leaves the range of the last rollout', async () => {
    const account = await served();
    expect(await schedule(account, 8)).toEqual({ scheduled: 8, autoscaling: '8 to 12, active' });
    expect(range(account)).toEqual([8, 12, 8]);
    // Delivered at least once.
    await schedule(account, 8);
    expect(range(account)).toEqual([8, 12, 8]);
    // Whoever deploys now brings the same.
    expect(account.parameters.get('scheduled-nodes')).toBe('8');

    expect(await schedule(account, 0)).toEqual({ scheduled: 0, autoscaling: '2 to 12, active' });
    // Automatic scaling takes the nodes away, as load allows.
    expect(range(account)).toEqual([2, 12, 8]);
    expect(account.parameters.get('scheduled-nodes')).toBe('0');
  });

  it('leaves alone what a rollout holds; the rollout brings the nodes when it lets go', async () => {
    const account = await served();
    const input = await held(account, { nodes: 3 });
    await setCapacity(account.clients.scaling, account.settings, { minimum: 0, maximum: 2, suspended: true });
    expect((await schedule(account, 8)).autoscaling).toMatch(/^left as it is: a rollout holds it/);
    expect(range(account)).toEqual([0, 2, 2]);

    const { evidence } = await untilDone(account, () => scaleOut(account.clients, input));
    expect(evidence).toMatchObject({ nodes: '8 of 8 healthy', autoscaling: '8 to 12, active' });
    expect(account.parameters.get('minimum-nodes')).toBe('3');
    await schedule(account, 0);
    expect(range(account)).toEqual([3, 12, 8]);
  });

  it('outlives a rollout that is put back, though that began before it', async () => {
    const account = await served();
    await held(account, { nodes: 3 });
    await schedule(account, 8);
    await putBack(account.clients, { site: 'campus', execution, rollout: { failure: {} } });
    expect(range(account)).toEqual([8, 12, 8]);
    expect(account.parameters.get('scheduled-nodes')).toBe('8');
  });

  it('is over for a rollout that is put back, though that began in it', async () => {
    const account = await served();
    await schedule(account, 8);
    await held(account, { nodes: 3 });
    await schedule(account, 0);
    await putBack(account.clients, { site: 'campus', execution, rollout: { failure: {} } });
    expect(range(account).slice(0, 2)).toEqual([2, 12]);
    expect(account.parameters.get('scheduled-nodes')).toBe('0');
  });

  it('is not lost when it begins in the moment in which a rollout lets go', async () => {
    const account = await served();
    const input = await held(account, { nodes: 3 });
    await setCapacity(account.clients.scaling, account.settings, { minimum: 0, maximum: 2, suspended: true });
    const { scaling } = account.clients;
    let begun = false;
    const letsGo = {
      async send(command: never) {
        if ((command as object).constructor.name === 'RegisterScalableTargetCommand' && !begun) {
          begun = true;
          expect((await schedule(account, 8)).autoscaling).toMatch(/a rollout holds it/);
        }
        return scaling.send(command);
      },
    } as unknown as ApplicationAutoScalingClient;
    await untilDone(account, () => scaleOut({ ...account.clients, scaling: letsGo }, input));
    expect(range(account)).toEqual([8, 12, 8]);
  });

  it('starts nothing on a site that no rollout has scaled out', async () => {
    const account = await bench.account();
    expect((await schedule(account, 8)).autoscaling).toMatch(/no rollout has scaled the site out yet/);
    expect(range(account)).toEqual([0, 1, 0]);
    await held(account);
    await putBack(account.clients, { site: 'campus', execution, rollout: { failure: {} } });
    expect(range(account)).toEqual([0, 1, 0]);
  });

  it('refuses what is no number of nodes', async () => {
    const account = await bench.account();
    await expect(schedule(account, -1)).rejects.toMatchObject({ name: 'InputInvalid' });
    await expect(schedule(account, '8' as never)).rejects.toMatchObject({ name: 'InputInvalid' });
    expect(account.calls).toEqual([]);
  });
});
