import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixLastip } from '../../lambdas/fix-lastip.ts';
import { startOneNode } from '../../lambdas/start-one-node.ts';
import { Bench, held, untilDone } from './bench.ts';
import { makeMoodleTables, setConfig, setMarker } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const adminIp = '203.0.113.7';

async function pending() {
  const account = await bench.account();
  const input = await held(account, { finish: 'browser', adminIp });
  await untilDone(account, () => startOneNode(account.clients, input));
  await makeMoodleTables(account.database, {
    config: { adminsetuppending: '1', siteadmins: '2,3' },
    adminPassword: 'adminsetuppending',
  });
  await setMarker(account.database, { started: true, finished: true, finish: 'browser' });
  const lastips = async () => {
    const rows = await account.database.query('SELECT lastip FROM mdl_user ORDER BY id');
    return rows.map((row) => row.lastip);
  };
  const complete = async () => {
    await setConfig(account.database, { adminsetuppending: null });
    await account.database.execute(`UPDATE mdl_user SET password = '$6$chosen' WHERE id = 2`);
  };
  return { account, input, lastips, complete };
}

describe('fixLastip', () => {
  it('is not needed after an unattended install, nor on an installed site', async () => {
    const account = await bench.account();
    const input = await held(account);
    expect(await fixLastip(account.clients, input)).toMatchObject({ lastip: 'not needed' });
    const installed = { ...input, plan: { ...input.plan, install: false, finish: 'browser' as const } };
    expect(await fixLastip(account.clients, installed)).toMatchObject({ why: 'the site was installed already' });
    expect(account.calls).toEqual([]);
  });

  it('changes the pending administrator’s row alone, proves the wizard, waits, and purges the caches', async () => {
    const { account, input, lastips, complete } = await pending();
    const commands: string[] = [];
    account.report = (command) => {
      commands.push(command.join(' '));
      return { ok: true, allowedStatus: 200, refusedStatus: 404 };
    };
    let waited = 0;
    const { evidence, waits } = await untilDone(
      account,
      () => fixLastip(account.clients, input),
      async () => {
        await account.settle();
        waited += 1;
        if (waited === 3) await complete();
      },
    );
    expect(await lastips()).toEqual(['', adminIp, '198.51.100.9']);
    expect(evidence).toEqual({ lastip: adminIp, wizard: 'completed in the browser' });
    expect(commands).toEqual([`check-wizard ${adminIp}`, 'purge-caches']);
    expect(waits[1]).toMatch(
      /^AdministratorStillPending: .*http:\/\/127\.0\.0\.1:9\/admin\/index\.php from 203\.0\.113\.7.*about 60 minutes/,
    );
  });

  it('has nothing to do where the administrator was set up before it came', async () => {
    const { account, input, complete } = await pending();
    await complete();
    account.calls.length = 0;
    expect(await fixLastip(account.clients, input)).toMatchObject({ why: 'the administrator was set up already' });
    expect(account.calls).toEqual([]);
  });

  it('leaves an administrator alone who is set up, also while the flag is still there', async () => {
    const { account, input, lastips } = await pending();
    await account.database.execute(`UPDATE mdl_user SET password = '$6$chosen' WHERE id = 2`);
    await expect(fixLastip(account.clients, input)).rejects.toMatchObject({ name: 'TaskStillRunning' });
    expect(await lastips()).toEqual(['', '0.0.0.0', '198.51.100.9']);
  });

  it('says which address was let in and which was not when the wizard does not go on', async () => {
    const { account, input } = await pending();
    account.report = () => ({ ok: false, problem: 'Moodle saw 10.0.1.4', allowedStatus: 404, refusedStatus: 404 });
    await expect(untilDone(account, () => fixLastip(account.clients, input))).rejects.toMatchObject({
      name: 'WizardRefused',
      message: expect.stringMatching(/Moodle saw 10\.0\.1\.4 \(allowed 404, another address 404\)/),
    });
  });

  it('writes no row once the site was taken over', async () => {
    const { account, input, lastips } = await pending();
    await account.database.execute(`UPDATE moodle_lifecycle.rollout_hold SET execution = 'arn:other'`);
    await expect(fixLastip(account.clients, input)).rejects.toMatchObject({ name: 'HoldLost' });
    expect(await lastips()).toEqual(['', '0.0.0.0', '198.51.100.9']);
  });
});
