import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureCacheStores } from '../../lambdas/configure-cache-stores.ts';
import { enableSessionCaching } from '../../lambdas/enable-session-caching.ts';
import { putBack } from '../../lambdas/put-back.ts';
import { scaleOut } from '../../lambdas/scale-out.ts';
import { readCacheConfiguration } from '../../lambdas/shared/cache-configuration.ts';
import { DatabaseUnreachable } from '../../lambdas/shared/errors.ts';
import type { FailedRollout } from '../../lambdas/shared/failure-report.ts';
import { readHold } from '../../lambdas/shared/hold.ts';
import { readOpenMigration } from '../../lambdas/shared/session-switch.ts';
import { readInstallMarker } from '../../lambdas/shared/site-state.ts';
import { startOneNode } from '../../lambdas/start-one-node.ts';
import type { Account } from './account.ts';
import { Bench, execution, held, untilDone } from './bench.ts';
import { makeMoodleTables } from './moodle-tables.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const failedIn = (outputs: readonly string[], error: string, message: string): FailedRollout => ({
  ...Object.fromEntries(outputs.map((output) => [output, {}])),
  failure: { Error: error, Cause: JSON.stringify({ errorType: error, errorMessage: message, trace: [''] }) },
});

const back = (account: Account, rollout: FailedRollout) => () =>
  putBack(account.clients, { site: 'campus', execution, rollout });

/** All that a rollout may change and its way back has to bring again. */
async function pictureOf(account: Account) {
  return {
    parameters: Object.fromEntries(account.parameters),
    desired: account.web.desiredCount,
    grace: account.web.healthCheckGracePeriodSeconds,
    taskDefinition: account.web.taskDefinition,
    cron: account.cron.desiredCount,
    cronTaskDefinition: account.cron.taskDefinition,
    range: [account.scalable.MinCapacity, account.scalable.MaxCapacity],
    suspended: account.scalable.SuspendedState.DynamicScalingOutSuspended,
    stickiness: Object.fromEntries(account.stickiness),
    cacheStores: await readCacheConfiguration(account.database, 'campus'),
    migration: await readOpenMigration(account.database, 'campus'),
  };
}

/** `stickiness.type` is written with a change and was not there before. */
const withoutType = ({ stickiness, ...rest }: Awaited<ReturnType<typeof pictureOf>>) => ({
  ...rest,
  stickiness: stickiness['stickiness.enabled'],
});

describe('putBack', () => {
  it('has nothing to put back where this execution does not hold the site', async () => {
    const account = await bench.account();
    const answer = await back(account, {
      Error: 'InputInvalid',
      Cause: JSON.stringify({ errorType: 'InputInvalid', errorMessage: 'nodes is 9, but …' }),
    })();
    expect(answer).toEqual({
      error: 'InputInvalid',
      cause: expect.stringMatching(
        /^“Check the site” failed \(InputInvalid\): nodes is 9, but …\nNothing was changed: this rollout did not hold the site\.\nNext: once mended, npx lifecycle retry arn:aws:states:eu-central-1:111122223333:execution:install:first\nOr: aws stepfunctions start-execution --region eu-central-1 --state-machine-arn arn:aws:states:eu-central-1:111122223333:stateMachine:install --input '\{\}'\nExecution: https:\/\/eu-central-1\.console\.aws\.amazon\.com\/states\/home\?region=eu-central-1#\/v2\/executions\/details\/arn:\S+$/,
      ),
      subject: 'Moodle site campus: install failed in "Check the site"',
      outcome: 'refused',
      phasesPutBack: [],
    });
    expect(account.calls).toEqual([]);
  });

  it('does not wait for a database that did not answer the first phase either', async () => {
    const account = await bench.account();
    const { dialect } = account.database;
    const unanswered = { dialect, query: async () => Promise.reject(new DatabaseUnreachable('no answer')) };
    const clients = { ...account.clients, database: unanswered as unknown as typeof account.database };
    const failure = {
      Error: 'DatabaseUnreachable',
      Cause: JSON.stringify({ errorMessage: 'The database does not answer.' }),
    };
    const { cause } = await putBack(clients, { site: 'campus', execution, rollout: failure });
    expect(cause).toMatch(/does not answer\.\nNothing was changed.*the next one takes it over\.\nNext: /s);
    const later = { site: 'campus', execution, rollout: { checked: {}, failure } };
    await expect(putBack(clients, later)).rejects.toMatchObject({ name: 'DatabaseUnreachable' });
  });

  it('has nothing to put back where no rollout ever made the schema', async () => {
    const account = await bench.account();
    const cascade = account.database.dialect.name === 'postgresql' ? 'CASCADE' : '';
    await account.database.execute(`DROP SCHEMA moodle_lifecycle ${cascade}`);
    const { cause } = await back(account, { Error: 'CacheNotAvailable', Cause: 'x' })();
    expect(cause).toContain('did not hold the site');
  });

  it('touches nothing of a site that another execution has taken over', async () => {
    const account = await bench.account();
    await held(account);
    await account.database.execute(`UPDATE moodle_lifecycle.rollout_hold SET execution = 'arn:other'`);
    await back(account, failedIn(['checked'], 'HoldLost', 'lost'))();
    expect(account.calls).toEqual([]);
    expect(await readHold(account.database, 'campus')).toMatchObject({ execution: 'arn:other' });
  });

  it('brings a fresh site with half an install back to no nodes, and leaves the database and its marker', async () => {
    const account = await bench.account();
    const before = await pictureOf(account);
    const input = await held(account);
    await untilDone(account, () => startOneNode(account.clients, input));
    await makeMoodleTables(account.database, { config: { rolesactive: '0' } });
    const { evidence } = await untilDone(
      account,
      back(account, failedIn(['checked', 'image', 'node'], 'InstallFailed', 'the node keeps stopping')),
    );
    await account.settle();
    expect(withoutType(await pictureOf(account))).toEqual(withoutType(before));
    expect(account.running()).toEqual([]);
    expect(await readHold(account.database, 'campus')).toBeUndefined();
    expect(await readInstallMarker(account.database, 'campus')).toBeDefined();
    expect(await account.database.query('SELECT count(*) AS users FROM mdl_user')).toEqual([{ users: 3 }]);
    expect(evidence.cause).toMatch(
      /^“Wait for install” failed \(InstallFailed\): the node keeps stopping\nPut back: .*0 web nodes.*\nThe site is released\.\nNext/s,
    );
  });

  it('brings everything back that a whole rollout changed', async () => {
    const account = await bench.account();
    const before = await pictureOf(account);
    const input = await held(account, { nodes: 3 });
    await untilDone(account, () => startOneNode(account.clients, input));
    await makeMoodleTables(account.database);
    await untilDone(account, () => configureCacheStores(account.clients, input));
    await untilDone(account, () => enableSessionCaching(account.clients, input));
    await untilDone(account, () => scaleOut(account.clients, input));
    expect(account.running()).toHaveLength(3);
    const { evidence } = await untilDone(
      account,
      back(account, failedIn(['checked', 'image'], 'VerificationFailed', 'x')),
    );
    expect(evidence).toMatchObject({
      outcome: 'put back',
      phasesPutBack: ['Configure cache stores', 'Start one node', 'Enable session caching', 'Scale out'],
    });
    await account.settle();
    expect(withoutType(await pictureOf(account))).toEqual(withoutType(before));
    expect(account.running()).toEqual([]);
    expect(account.running('cron')).toEqual([]);
  });

  /** A site that serves on the database's sessions, as before this rollout; with a switch that stopped half way. */
  async function servingOnDatabase(): Promise<{ account: Account; before: Awaited<ReturnType<typeof pictureOf>> }> {
    const account = await bench.account();
    await makeMoodleTables(account.database);
    await account.serve(2);
    account.parameters.set('session-store', 'database');
    for (const task of account.running()) account.stop(task, 'ServiceSchedulerInitiated');
    await account.settle();
    return { account, before: await pictureOf(account) };
  }

  it('copies sessions back before it replaces nodes that serve people', async () => {
    const { account, before } = await servingOnDatabase();
    const input = await held(account);
    await untilDone(account, () => enableSessionCaching(account.clients, input));
    const commands: string[] = [];
    account.report = (command) => {
      commands.push(`${command.join(' ')} (setting ${account.parameters.get('session-store')})`);
      return { ok: true, copied: 1 };
    };
    const { evidence } = await untilDone(
      account,
      back(account, failedIn(['checked', 'image', 'node', 'install', 'lastip', 'cacheStores', 'sessions'], 'X', 'y')),
    );
    expect(commands).toEqual([
      'copy-sessions redis database (setting redis)',
      'copy-sessions redis database --move (setting database)',
    ]);
    expect(withoutType(await pictureOf(account))).toEqual(withoutType(before));
    expect(account.running()).toHaveLength(2);
    expect(evidence.cause).toContain('Put back: nodes as before, sessions in database');
    expect(evidence.cause).not.toContain('NOT put back');
  });

  it('puts the setting back alone when no node had taken it up', async () => {
    const { account, before } = await servingOnDatabase();
    const nodes = account.running();
    const input = await held(account);
    account.report = ([role]) => (role === 'probe' ? { ok: true } : { ok: false, problem: 'full' });
    await expect(untilDone(account, () => enableSessionCaching(account.clients, input))).rejects.toMatchObject({
      name: 'SessionsNotCopied',
    });
    await untilDone(account, back(account, failedIn(['checked'], 'SessionsNotCopied', 'full')));
    expect(withoutType(await pictureOf(account))).toEqual(withoutType(before));
    expect(account.running()).toEqual(nodes);
  });

  it('leaves no node on a store that cannot be read any more, and says what is lost', async () => {
    const { account } = await servingOnDatabase();
    const input = await held(account);
    await untilDone(account, () => enableSessionCaching(account.clients, input));
    account.report = () => ({ ok: false, problem: 'connection refused' });
    const { evidence } = await untilDone(account, back(account, failedIn(['checked'], 'X', 'y')));
    expect(account.parameters.get('session-store')).toBe('database');
    expect(account.running()).toHaveLength(2);
    expect(evidence.cause).toMatch(/NOT put back: nodes as before.*connection refused/s);
    expect(await readHold(account.database, 'campus')).toBeUndefined();
  });

  it('tries every step also when one fails', async () => {
    const { account } = await servingOnDatabase();
    const input = await held(account, { nodes: 4 });
    await untilDone(account, () => scaleOut(account.clients, input));
    account.faults.set('PutParameter', Object.assign(new Error('not allowed'), { name: 'AccessDeniedException' }));
    const { evidence } = await untilDone(account, back(account, failedIn(['checked'], 'X', 'y')));
    expect(evidence.cause).toMatch(
      /NOT put back: settings as before, sessions in database \(.*AccessDeniedException: not allowed/,
    );
    expect(evidence.cause).toMatch(/Put back: 2 web nodes, autoscaling 2 to 4/);
    expect(account.web.desiredCount).toBe(2);
  });

  it('is tried again when an API passingly fails, and does all of it then', async () => {
    const { account, before } = await servingOnDatabase();
    const input = await held(account, { nodes: 4 });
    await untilDone(account, () => scaleOut(account.clients, input));
    account.faults.set('PutParameter', Object.assign(new Error('slow down'), { name: 'ThrottlingException' }));
    const { waits } = await untilDone(account, back(account, failedIn(['checked'], 'X', 'y')));
    expect(waits).toEqual([expect.stringContaining('AwsNotAnswering')]);
    expect(withoutType(await pictureOf(account))).toEqual(withoutType(before));
  });

  it('stops waiting for nodes in the end, puts the rest back, and says so', async () => {
    const { account } = await servingOnDatabase();
    const input = await held(account);
    await untilDone(account, () => enableSessionCaching(account.clients, input));
    const late = () =>
      account.database.execute(
        `UPDATE moodle_lifecycle.task_run SET requested_at = ${account.database.dialect.now} - INTERVAL '1260' SECOND`,
      );
    const { evidence } = await untilDone(account, back(account, failedIn(['checked'], 'X', 'y')), async () => {
      await late();
    });
    expect(evidence.cause).toMatch(/NOT put back: nodes as before, sessions in database \(The task “copy-sessions/);
    expect(await readHold(account.database, 'campus')).toBeUndefined();
  });

  it('names a wait that was given up, and an error of Step Functions itself', async () => {
    const account = await bench.account();
    const waited = await back(
      account,
      failedIn(['checked', 'image'], 'NodeStillStarting', 'The first node is asked for.'),
    )();
    expect(waited.cause).toMatch(
      /^“Start one node” failed \(NodeStillStarting\): it was waited for as long as is sensible\. Last: The first node is asked for\./,
    );
    const timedOut = await back(account, { checked: {}, failure: { Error: 'States.Timeout', Cause: '' } })();
    expect(timedOut.cause).toMatch(/^“Build image” failed \(States\.Timeout\): no cause was given\./);
  });

  it('writes a subject that SNS takes', async () => {
    const account = await bench.account();
    const { subject } = await putBack(account.clients, {
      site: 'a-site-with-a-very-long-name-that-goes-on-and-on-and-on-until-it-does-not-fit-any-more',
      execution,
      rollout: failedIn(['checked'], 'X', 'y'),
    });
    expect(subject).toMatch(/^[\x20-\x7e]{1,100}$/);
  });
});
