import { describe, expect, it } from 'vitest';
import { retriesOf } from '../support/state-machine-checks.ts';
import { failing, type Handler, LocalMachine, phaseError } from './local-run.ts';

const plan = { install: true, nodes: 3 };
const putBack = { error: 'PhaseError', cause: 'in plain words', subject: 'a subject' };

const machine = new LocalMachine('install.asl.json', {
  'Check the site': () => ({ plan, site: 'absent' }),
  'Put back': () => putBack,
});
const { execution } = machine;

const phases = [
  'Check the site',
  'Build image',
  'Start one node',
  'Wait for install',
  'Fix lastip',
  'Configure cache stores',
  'Enable session caching',
  'Scale out',
  'Verify the site',
  'Release the site',
];

describe('install', () => {
  it('goes through its phases in order, each with the plan, and keeps their evidence', async () => {
    const { called, given, output } = await machine.run({}, { nodes: 3 });
    expect(called).toEqual(phases);
    expect(given.get('Check the site')).toEqual({ site: 'campus', execution, input: { nodes: 3 } });
    for (const phase of phases.slice(1, -1)) expect(given.get(phase)).toEqual({ site: 'campus', execution, plan });
    expect(given.get('Release the site')).toEqual({ site: 'campus', execution });
    expect(Object.keys(output ?? {})).toEqual([
      'checked',
      'image',
      'node',
      'install',
      'lastip',
      'cacheStores',
      'sessions',
      'scale',
      'verified',
      'released',
    ]);
  });

  it.each([[{}], [[]], ['text'], [null], [{ nodes: 'two' }]])(
    'hands the input %j to the first phase whatever it is, and fails in order when that refuses it',
    async (input) => {
      const { called, given, error } = await machine.run({ 'Check the site': failing('InputInvalid') }, input);
      expect(given.get('Check the site')?.input).toEqual(input);
      expect(called).toEqual(['Check the site', 'Put back', 'Notify the operator']);
      expect(given.get('Put back')?.rollout).toMatchObject({ Error: 'InputInvalid' });
      expect(error).toMatchObject({ name: 'PhaseError' });
    },
  );

  it.each(phases)('goes back when “%s” fails, says so, and fails with the phase’s own cause', async (phase) => {
    const { called, given, error } = await machine.run({ [phase]: failing('SomethingElse') });
    expect(called).toEqual([...phases.slice(0, phases.indexOf(phase) + 1), 'Put back', 'Notify the operator']);
    const state = given.get('Put back')?.rollout as Record<string, unknown>;
    expect(state.failure ?? state).toMatchObject({ Error: 'SomethingElse' });
    expect(given.get('Notify the operator')).toMatchObject({ Subject: 'a subject', Message: 'in plain words' });
    expect(error).toEqual({ name: 'PhaseError', cause: 'in plain words' });
  });

  const waits = Object.entries(machine.states).flatMap(([state, { Retry = [] }]) =>
    Retry.flatMap(({ ErrorEquals, MaxAttempts }) =>
      ErrorEquals.filter((name) => name !== 'States.ALL').map((error) => ({ state, error, MaxAttempts })),
    ),
  );
  it.each(waits)('“$state” is called again after $error', async ({ state, error }) => {
    let calls = 0;
    const once: Handler = (parameters) => {
      calls += 1;
      if (calls === 1) throw phaseError(error);
      return machine.well(state)(parameters);
    };
    const reached = state === 'Put back' ? { 'Verify the site': failing('VerificationFailed') } : {};
    const { called } = await machine.run({ ...reached, [state]: once });
    expect(called.filter((name) => name === state)).toHaveLength(2);
  });

  it.each(waits.filter(({ state }) => phases.includes(state)))(
    '“$state” gives up on $error after $MaxAttempts more attempts, and goes back',
    async ({ state, error, MaxAttempts }) => {
      const { called, error: failed } = await machine.run({ [state]: failing(error) });
      expect(called.filter((name) => name === state)).toHaveLength(MaxAttempts + 1);
      expect(called.at(-1)).toBe('Notify the operator');
      expect(failed).toMatchObject({ name: 'PhaseError' });
    },
  );

  it('does not hide the cause behind a notification that fails', async () => {
    const { called, error } = await machine.run({
      'Scale out': failing('NodesNotHealthy'),
      'Notify the operator': failing('SNS.AuthorizationErrorException'),
    });
    expect(called.filter((name) => name === 'Notify the operator').length).toBeGreaterThan(1);
    expect(error).toEqual({ name: 'PhaseError', cause: 'in plain words' });
  });

  it('says that the site is held when putting back itself fails', async () => {
    const { called, given, error } = await machine.run({
      'Scale out': failing('NodesNotHealthy'),
      'Put back': failing('UnexpectedError', 'the way back broke'),
    });
    const words =
      /execution:install:first failed.*UnexpectedError: the way back broke.*stays held.*lifecycle retry arn.*start the rollout again.* https:\/\/eu-central-1\.console\.aws\.amazon\.com\/states\/home\?region=eu-central-1#\/v2\/executions\/details\/arn/s;
    expect(called.slice(-2)).toEqual(['Put back', 'Notify that the site is held']);
    expect(given.get('Notify that the site is held')).toMatchObject({
      Subject: 'Moodle site campus: install failed and was not put back',
      Message: expect.stringMatching(words),
    });
    expect(error).toEqual({ name: 'SiteNotPutBack', cause: expect.stringMatching(words) });
  });

  it('fails all the same when nobody can be told of that', async () => {
    const { error } = await machine.run({
      'Scale out': failing('NodesNotHealthy'),
      'Put back': failing('UnexpectedError'),
      'Notify that the site is held': failing('SNS.AuthorizationErrorException'),
    });
    expect(error).toMatchObject({ name: 'SiteNotPutBack' });
  });

  it('retries nothing that a phase refuses or fails with', () => {
    for (const state of Object.values(machine.states)) {
      expect(retriesOf(state).filter((name) => /Refused|Failed$|Invalid|Lost/.test(name))).toEqual([]);
    }
  });
});
