import { describe, expect, it } from 'vitest';
import { failing, type Handlers, LocalMachine, phaseError, type Run } from './local-run.ts';

const request = { what: ['plugins'], dryRun: false };
const found = {
  outcome: 'update',
  summary: 'mod_x 1 → 2.',
  approval: false,
  approvalSeconds: 3600,
  image: 'content-2',
  headline: 'updated',
  stopped: false,
};
const putBack = { error: 'PhaseError', cause: 'in plain words', subject: 'a subject' };

const machine = new LocalMachine('plugin-update.asl.json', {
  'Check the site': () => ({ request, unfinished: 'none', origin: machine.execution }),
  'Find updates': () => found,
  'Roll nodes': () => ({ nodes: 3, cronSince: 1_700_000_000 }),
  'Put back': () => putBack,
});

/** Answers that lead to each way out of the choices. */
const outcome = (name: string, more: object = {}): Handlers => ({
  'Find updates': () => ({ ...found, outcome: name, ...more }),
});
const unfinished = (what: 'put back' | 'finish'): Handlers => ({
  'Check the site': () => ({ request, unfinished: what, origin: 'arn:earlier' }),
});
/** The first build refuses a plugin. */
const refusedOnce = (): Handlers => {
  const answers: object[] = [{ leftOut: [{}], builds: 1 }];
  return { 'Build image': () => answers.shift() ?? { image: 'content-2' } };
};
const approval = outcome('update', { approval: true });

const [check, backFirst, find, build, snapshot, approve, upgrade, roll, verify, cleanUp, release, tell] = [
  'Check the site',
  'Put back the unfinished update',
  'Find updates',
  'Build image',
  'Take snapshot',
  'Wait for approval',
  'Upgrade',
  'Roll nodes',
  'Verify the site',
  'Clean up',
  'Release the site',
  'Tell the operator',
] as const;
const tellLeftOut = 'Tell what was left out';
const usual = [check, find, build, snapshot, upgrade, roll, verify, cleanUp, release, tell];
/** Every phase, with what makes a run come to it. */
const reached: readonly [phase: string, before: readonly string[], how: Handlers][] = [
  [check, [], {}],
  [backFirst, [check], unfinished('put back')],
  [find, [check], {}],
  [build, [check, find], {}],
  [snapshot, [check, find, build], {}],
  [approve, [check, find, build, snapshot], approval],
  [upgrade, [check, find, build, snapshot], {}],
  [roll, [check, find, build, snapshot, upgrade], {}],
  [verify, [check, find, build, snapshot, upgrade, roll], {}],
  [release, [check, find, build, snapshot, upgrade, roll, verify, cleanUp], {}],
];
const ended = ({ steps }: Run) => steps.at(-1)?.split(' ').slice(-2).join(' ');

describe('plugin-update', () => {
  it('goes through its phases in order, each with the plan, and keeps their evidence', async () => {
    const run = await machine.run({}, { reason: 'monthly' });
    const { called, given, output } = run;
    expect(called).toEqual(usual);
    const own = { site: 'campus', execution: machine.execution };
    expect(given.get(check)).toEqual({ ...own, input: { reason: 'monthly' } });
    expect(given.get(find)).toEqual({ ...own, request, unfinished: 'none', leftOut: [], retries: 0 });
    for (const phase of [build, snapshot, upgrade, roll, cleanUp])
      expect(given.get(phase)).toEqual({ ...own, plan: found });
    const plan = { install: false, finish: 'unattended', nodes: 3 };
    expect(given.get(verify)).toEqual({ ...own, plan, cronSince: 1_700_000_000, asBefore: true });
    expect(given.get(release)).toEqual(own);
    expect(given.get(tell)).toMatchObject({
      Subject: 'Moodle site campus: updated',
      Message: `mod_x 1 → 2. Execution: ${machine.execution}`,
    });
    expect(Object.keys(output ?? {})).toEqual(
      'checked putBackBefore leftOut found image snapshot upgrade rolled verified cleaned released'.split(' '),
    );
    expect(ended(run)).toBe('Site updated');
  });

  it.each([
    ['nothing', 'to update'],
    ['plan', 'Plan made'],
  ])('builds and touches nothing when the outcome is %s, and ends well', async (name, end) => {
    const run = await machine.run(outcome(name));
    expect(run.called).toEqual([check, find, release]);
    expect(run.error).toBeUndefined();
    expect(ended(run)).toBe(end);
  });

  it('plans again without what the build refused, and tells of it', async () => {
    const refused = [{ component: 'mod_x', why: '2: no', stoppedBy: 'build' }];
    const answers = [{ leftOut: refused, builds: 1 }, { image: 'content-3' }];
    const seen: unknown[] = [];
    const run = await machine.run({
      ...unfinished('put back'),
      [backFirst]: () => ({ putBack: 'nodes' }),
      [find]: (parameters) => {
        seen.push(parameters.leftOut);
        return { ...found, headline: 'updated, 1 plugin left out' };
      },
      [build]: () => answers.shift(),
    });
    expect(run.called).toEqual([check, backFirst, find, build, find, build, ...usual.slice(3)]);
    expect(seen).toEqual([[], refused]);
    expect(run.given.get(tell)).toMatchObject({ Subject: 'Moodle site campus: updated, 1 plugin left out' });
    expect(run.output).toMatchObject({ image: { image: 'content-3' }, putBackBefore: { putBack: 'nodes' } });
  });

  it('ends well where nothing is left to do, and tells a person what was left out', async () => {
    const nothing = { ...found, outcome: 'nothing', stopped: true, headline: 'nothing updated, 1 plugin left out' };
    const plans = [found, nothing];
    const run = await machine.run({ [find]: () => plans.shift(), [build]: () => ({ leftOut: [{}], builds: 1 }) });
    expect(run.called).toEqual([check, find, build, find, release, tellLeftOut]);
    expect(run.given.get(tellLeftOut)).toMatchObject({
      Subject: 'Moodle site campus: nothing updated, 1 plugin left out',
      Message: `mod_x 1 → 2. Execution: ${machine.execution}`,
    });
    expect(ended(run)).toBe('to update');
  });

  it('says which phase failed after the plan was made again', async () => {
    const state = (failing: string) => ({
      [build]: (parameters: Record<string, unknown>) => {
        if (failing === build && String((parameters.plan as { summary: string }).summary) === 'again')
          throw phaseError('ImageBuildFailed');
        return { leftOut: [{}], builds: 1 };
      },
      [find]: ({ leftOut }: Record<string, unknown>) => {
        if (failing === find && (leftOut as unknown[]).length > 0) throw phaseError('UpdateNotPossible');
        return { ...found, summary: (leftOut as unknown[]).length > 0 ? 'again' : found.summary };
      },
    });
    for (const [phase, missing] of [
      [find, 'found image'],
      [build, 'image'],
    ] as const) {
      const { given } = await machine.run(state(phase));
      const rollout = given.get('Put back')?.rollout as Record<string, unknown>;
      for (const output of missing.split(' ')) expect(rollout[output]).toBeUndefined();
      expect(rollout).toMatchObject({ checked: {}, failure: {} });
    }
  });

  it('goes on where the upgrade of another execution was done', async () => {
    const { called, given } = await machine.run({ ...unfinished('finish'), ...outcome('finish') });
    expect(called).toEqual([check, find, roll, verify, cleanUp, release, tell]);
    expect(given.get(find)).toMatchObject({ unfinished: 'finish' });
  });

  it('puts the update of another execution back before it looks for updates', async () => {
    const { called, given } = await machine.run(unfinished('put back'));
    expect(called).toEqual([check, backFirst, ...usual.slice(1)]);
    expect(given.get(backFirst)).toMatchObject({
      site: 'campus',
      execution: machine.execution,
      unfinished: true,
      rollout: { checked: { origin: 'arn:earlier' } },
    });
  });

  it('asks a person where the plan says so, who finds the token in the history', async () => {
    const { called, given } = await machine.run(approval);
    expect(called).toEqual([check, find, build, snapshot, approve, ...usual.slice(4)]);
    const { FunctionName, Payload } = given.get(approve) as { FunctionName: string; Payload: object };
    expect(FunctionName).toMatch(/:RequestApprovalFunction$/);
    expect(Payload).toMatchObject({ site: 'campus', token: 'the-token', plan: { approvalSeconds: 3600 } });
    expect(machine.states[approve]?.TimeoutSecondsPath).toBe('$.found.approvalSeconds');
  });

  it.each(['ApprovalRefused', 'States.Timeout'])('touches nothing after %s', async (error) => {
    const { called, given } = await machine.run({ ...approval, [approve]: failing(error) });
    expect(called).toEqual([check, find, build, snapshot, approve, 'Put back', 'Notify the operator']);
    expect(given.get('Put back')).toMatchObject({ unfinished: false, rollout: { failure: { Error: error } } });
  });

  it.each([[{}], [[]], ['text'], [null], [{ what: 'all' }]])(
    'hands the input %j to the first phase whatever it is, and fails in order when that refuses it',
    async (input) => {
      const { called, given, error } = await machine.run({ [check]: failing('InputInvalid') }, input);
      expect(given.get(check)?.input).toEqual(input);
      expect(called).toEqual([check, 'Put back', 'Notify the operator']);
      expect(given.get('Put back')?.rollout).toMatchObject({ Error: 'InputInvalid' });
      expect(error).toEqual({ name: 'PhaseError', cause: 'in plain words' });
    },
  );

  it.each(reached)('goes back when “%s” fails, says so, and fails with its cause', async (phase, before, how) => {
    const { called, given, error } = await machine.run({ ...how, [phase]: failing('SomethingElse') });
    expect(called).toEqual([...before, phase, 'Put back', 'Notify the operator']);
    const { rollout, unfinished: earlier } = given.get('Put back') as { rollout: object; unfinished: boolean };
    expect('failure' in rollout ? rollout.failure : rollout).toMatchObject({ Error: 'SomethingElse' });
    expect(earlier).toBe(false);
    expect(given.get('Notify the operator')).toMatchObject({ Subject: 'a subject', Message: 'in plain words' });
    expect(error).toEqual({ name: 'PhaseError', cause: 'in plain words' });
  });

  it('is updated, whether or not cleaning up and telling work', async () => {
    const run = await machine.run({ [cleanUp]: failing('UnexpectedError'), [tell]: failing('SNS.Throttled') });
    expect(run.called.filter((name) => name === tell)).toHaveLength(5);
    expect(run.output).toMatchObject({ cleanUpFailure: { Error: 'UnexpectedError' }, released: { evidence: release } });
    expect(ended(run)).toBe('Site updated');
  });

  const waits = Object.entries(machine.states).flatMap(([state, { Retry = [] }]) =>
    Retry.flatMap(({ ErrorEquals, MaxAttempts }) =>
      ErrorEquals.map((name) => ({ state, error: name === 'States.ALL' ? 'SNS.Throttled' : name, MaxAttempts })),
    ),
  );
  /** What brings a run to a state, also of the way back. */
  const comingTo = (state: string): Handlers => {
    if (/^(Put back|Notify the operator)$/.test(state)) return { [verify]: failing('VerificationFailed') };
    if (state === tellLeftOut) return outcome('nothing', { stopped: true });
    if (state === 'Notify that the site is held') return { [verify]: failing('X'), 'Put back': failing('Y') };
    return reached.find(([phase]) => phase === state)?.[2] ?? {};
  };
  it.each(waits)('“$state” is called again after $error', async ({ state, error }) => {
    let calls = 0;
    const way = comingTo(state);
    const { called } = await machine.run({
      ...way,
      [state]: (parameters) => {
        calls += 1;
        if (calls === 1) throw phaseError(error);
        return (way[state] ?? machine.well(state))(parameters);
      },
    });
    expect(called.filter((name) => name === state)).toHaveLength(2);
  });

  it.each(waits.filter(({ state }) => reached.some(([phase]) => phase === state)))(
    '“$state” gives up on $error after $MaxAttempts more attempts, and goes back',
    async ({ state, error, MaxAttempts }) => {
      const { called, error: failed } = await machine.run({ ...comingTo(state), [state]: failing(error) });
      expect(called.filter((name) => name === state)).toHaveLength(MaxAttempts + 1);
      expect(called.at(-1)).toBe('Notify the operator');
      expect(failed).toMatchObject({ name: 'PhaseError' });
    },
  );

  it('says that the site is held, and perhaps in maintenance, when putting back itself fails', async () => {
    const { called, given, error } = await machine.run({
      [upgrade]: failing('UpgradeFailed'),
      'Put back': failing('DatabaseNotRestored', 'nothing reaches back'),
    });
    const words =
      /execution:plugin-update:first failed.*DatabaseNotRestored: nothing reaches back.*stays held.*in maintenance.*lifecycle retry arn.*start the rollout again.* https:\/\/eu-central-1\.console\.aws\.amazon\.com\/states\/home\?region=eu-central-1#\/v2\/executions\/details\/arn/s;
    expect(called.slice(-2)).toEqual(['Put back', 'Notify that the site is held']);
    expect(given.get('Notify that the site is held')).toMatchObject({
      Subject: 'Moodle site campus: plugin update failed and was not put back',
      Message: expect.stringMatching(words),
    });
    expect(error).toEqual({ name: 'SiteNotPutBack', cause: expect.stringMatching(words) });
  });

  it.each([
    ['of the failure', { [verify]: failing('X') }, 'Notify the operator', 'PhaseError'],
    [
      'that the site is held',
      comingTo('Notify that the site is held'),
      'Notify that the site is held',
      'SiteNotPutBack',
    ],
  ])('fails with the same cause when nobody can be told %s', async (_, way, state, name) => {
    const { called, error } = await machine.run({ ...way, [state]: failing('SNS.AuthorizationErrorException') });
    expect(called.filter((one) => one === state)).toHaveLength(5);
    expect(error).toMatchObject({ name });
  });

  it('takes every way out of every state, and every retry', async () => {
    const failures = [
      ...reached,
      [cleanUp, [], {}],
      [tell, [], {}],
      [tellLeftOut, [], {}],
      ['Put back', [], {}],
    ] as const;
    const runs = [
      {},
      outcome('nothing'),
      outcome('nothing', { stopped: true }),
      refusedOnce(),
      outcome('plan'),
      outcome('finish'),
      unfinished('put back'),
      approval,
      comingTo('Notify that the site is held'),
      ...failures.map(([state]) => ({ ...comingTo(state), [state]: failing('SomethingElse') })),
      ...waits.map(({ state, error }) => ({ ...comingTo(state), [state]: failing(error) })),
    ];
    const taken = new Set<string>();
    for (const handlers of runs) for (const step of (await machine.run(handlers)).steps) taken.add(step);
    const ways = machine.ways();
    expect(ways.length).toBeGreaterThan(90);
    expect(ways.filter((way) => !taken.has(way))).toEqual([]);
    expect([...taken].filter((way) => !ways.includes(way))).toEqual([]);
  });

  it('lasts longer as a whole than the longest approval and all that follows', () => {
    const week = 168 * 3600;
    const day = 86_400;
    expect(JSON.stringify(machine.states[approve])).toContain('$.found.approvalSeconds');
    expect(machine.timeout).toBeGreaterThan(week + 2.5 * day);
  });
});
