import { readFileSync } from 'node:fs';
import { StateMachine } from 'aws-local-stepfunctions';
import { describe, expect, it } from 'vitest';
import { readDefinition, retriesOf } from '../support/state-machine-checks.ts';

const execution = 'arn:aws:states:eu-central-1:111122223333:execution:install:first';
const definition = readDefinition('install.asl.json');
const deployed = JSON.parse(
  readFileSync(new URL('../../statemachines/install.asl.json', import.meta.url), 'utf8')
    .replaceAll(/\$\{(\w+)Arn\}/g, 'arn:aws:lambda:eu-central-1:111122223333:function:$1')
    .replaceAll(/\$\{Site\}/g, 'campus'),
);

type Handler = (input: Record<string, unknown>) => unknown;

const plan = { install: true, nodes: 3 };
const putBack = { error: 'PhaseError', cause: 'in plain words', subject: 'a subject' };

/** What each state's task answers when all goes well. */
const well: Readonly<Record<string, Handler>> = {
  ...Object.fromEntries(Object.keys(definition.States).map((name) => [name, () => ({ evidence: name })])),
  'Check the site': () => ({ plan, site: 'absent' }),
  'Put back': () => putBack,
};

interface Run {
  readonly visited: string[];
  readonly given: Map<string, Record<string, unknown>>;
  readonly output?: Record<string, unknown>;
  readonly error?: { name: string; cause: string };
}

/** Runs the deployed definition with these tasks in the functions' places; retries come at once. */
async function run(changes: Readonly<Record<string, Handler>> = {}, input: unknown = { nodes: 3 }): Promise<Run> {
  const visited: string[] = [];
  const given = new Map<string, Record<string, unknown>>();
  const handlers = Object.fromEntries(
    Object.entries({ ...well, ...changes }).map(([name, handler]) => [
      name,
      (parameters: Record<string, unknown>) => {
        visited.push(name);
        given.set(name, parameters);
        return handler(parameters);
      },
    ]),
  );
  const machine = new StateMachine(deployed, { validationOptions: { noValidate: true } });
  const { result } = machine.run(input as never, {
    overrides: {
      taskResourceLocalHandlers: handlers as never,
      retryIntervalOverrides: Object.fromEntries(Object.keys(definition.States).map((name) => [name, 0])),
    },
    context: { Execution: { Id: execution, Input: input } } as never,
  });
  try {
    return { visited, given, output: (await result) as Record<string, unknown> };
  } catch (error) {
    // The package's ExecutionError has what the Fail state says as its cause.
    const { cause } = error as { cause: Error };
    return { visited, given, error: { name: cause.name, cause: cause.message } };
  }
}

function phaseError(name: string, message = 'what happened'): Error {
  return Object.assign(new Error(message), { name });
}

const failing = (name: string) => () => {
  throw phaseError(name);
};

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
    const { visited, given, output } = await run();
    expect(visited).toEqual(phases);
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
      const { visited, given, error } = await run({ 'Check the site': failing('InputInvalid') }, input);
      expect(given.get('Check the site')?.input).toEqual(input);
      expect(visited).toEqual(['Check the site', 'Put back', 'Notify the operator']);
      expect(given.get('Put back')?.rollout).toMatchObject({ Error: 'InputInvalid' });
      expect(error).toMatchObject({ name: 'PhaseError' });
    },
  );

  it.each(phases)('goes back when “%s” fails, says so, and fails with the phase’s own cause', async (phase) => {
    const { visited, given, error } = await run({ [phase]: failing('SomethingElse') });
    expect(visited).toEqual([...phases.slice(0, phases.indexOf(phase) + 1), 'Put back', 'Notify the operator']);
    const state = given.get('Put back')?.rollout as Record<string, unknown>;
    expect(state.failure ?? state).toMatchObject({ Error: 'SomethingElse' });
    expect(given.get('Notify the operator')).toMatchObject({ Subject: 'a subject', Message: 'in plain words' });
    expect(error).toEqual({ name: 'PhaseError', cause: 'in plain words' });
  });

  const waits = Object.entries(definition.States).flatMap(([state, { Retry = [] }]) =>
    Retry.flatMap(({ ErrorEquals, MaxAttempts }) =>
      ErrorEquals.filter((name) => name !== 'States.ALL').map((error) => ({ state, error, MaxAttempts })),
    ),
  );
  it.each(waits)('“$state” is called again after $error', async ({ state, error }) => {
    let calls = 0;
    const once: Handler = (parameters) => {
      calls += 1;
      if (calls === 1) throw phaseError(error);
      return well[state]?.(parameters);
    };
    const reached = state === 'Put back' ? { 'Verify the site': failing('VerificationFailed') } : {};
    const { visited } = await run({ ...reached, [state]: once });
    expect(visited.filter((name) => name === state)).toHaveLength(2);
  });

  it.each(waits.filter(({ state }) => phases.includes(state)))(
    '“$state” gives up on $error after $MaxAttempts more attempts, and goes back',
    async ({ state, error, MaxAttempts }) => {
      const { visited, error: failed } = await run({ [state]: failing(error) });
      expect(visited.filter((name) => name === state)).toHaveLength(MaxAttempts + 1);
      expect(visited.at(-1)).toBe('Notify the operator');
      expect(failed).toMatchObject({ name: 'PhaseError' });
    },
  );

  it('does not hide the cause behind a notification that fails', async () => {
    const { visited, error } = await run({
      'Scale out': failing('NodesNotHealthy'),
      'Notify the operator': failing('SNS.AuthorizationErrorException'),
    });
    expect(visited.filter((name) => name === 'Notify the operator').length).toBeGreaterThan(1);
    expect(error).toEqual({ name: 'PhaseError', cause: 'in plain words' });
  });

  it('says that the site is held when putting back itself fails', async () => {
    const { visited, given, error } = await run({
      'Scale out': failing('NodesNotHealthy'),
      'Put back': () => {
        throw phaseError('UnexpectedError', 'the way back broke');
      },
    });
    const words =
      /execution:install:first failed.*UnexpectedError: the way back broke.*stays held.*lifecycle retry arn.*start the rollout again.* https:\/\/eu-central-1\.console\.aws\.amazon\.com\/states\/home\?region=eu-central-1#\/v2\/executions\/details\/arn/s;
    expect(visited.slice(-2)).toEqual(['Put back', 'Notify that the site is held']);
    expect(given.get('Notify that the site is held')).toMatchObject({
      Subject: 'Moodle site campus: install failed and was not put back',
      Message: expect.stringMatching(words),
    });
    expect(error).toEqual({ name: 'SiteNotPutBack', cause: expect.stringMatching(words) });
  });

  it('fails all the same when nobody can be told of that', async () => {
    const { error } = await run({
      'Scale out': failing('NodesNotHealthy'),
      'Put back': failing('UnexpectedError'),
      'Notify that the site is held': failing('SNS.AuthorizationErrorException'),
    });
    expect(error).toMatchObject({ name: 'SiteNotPutBack' });
  });

  it('retries nothing that a phase refuses or fails with', () => {
    for (const state of Object.values(definition.States)) {
      expect(retriesOf(state).filter((name) => /Refused|Failed$|Invalid|Lost/.test(name))).toEqual([]);
    }
  });
});
