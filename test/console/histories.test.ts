import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import type { Recording } from '../../console/api/recording.ts';
import { runbookSection } from '../../console/cli/runbook.ts';
import { formatHistory, NotAHistory, parseHistory } from '../../console/model/history-file.ts';
import { openTokenOf, type Progress, readProgress } from '../../console/progress.ts';
import { phaseFaults, updateFaults } from '../rollout/faults.ts';
import { asking, token } from './asking.ts';
import { cutShort, recorded, recordedNames } from './recorded.ts';

const read = ({ definition, execution, events }: Recording) => readProgress(definition, execution, events);
const valid = new Ajv({ allErrors: true }).compile(
  JSON.parse(readFileSync(new URL('../../console/progress.schema.json', import.meta.url), 'utf8')),
);

function expectValid(progress: Progress): void {
  valid(JSON.parse(JSON.stringify(progress)));
  expect(valid.errors).toBeNull();
}

interface Failed {
  readonly phase: string | undefined;
  readonly error: string;
  readonly cause: RegExp;
  readonly outcome: Progress['outcome'];
  readonly next?: RegExp;
}

/** Phases of both rollouts that change nothing of the site. */
const changeNothing = ['Check the site', 'Find updates', 'Build image', 'Take snapshot', 'Wait for approval'];
const outcomeIn = (phase: string) => (changeNothing.includes(phase) ? 'nothing changed' : 'put back');

/** Every failure that the tests of rollouts produce, by the name of its recording. */
const failures: Readonly<Record<string, Failed>> = {
  ...Object.fromEntries(
    phaseFaults.map(({ phase, action }) => [
      `failed-${phase.toLowerCase().replaceAll(' ', '-')}`,
      { phase, error: 'UnexpectedError', cause: new RegExp(action), outcome: outcomeIn(phase) },
    ]),
  ),
  'application-store-unreachable': {
    phase: 'Configure cache stores',
    error: 'CacheStoreUnreachable',
    cause: /No cache store was configured/,
    outcome: 'put back',
  },
  'session-store-unreachable': {
    phase: 'Enable session caching',
    error: 'SessionStoreUnreachable',
    cause: /No session was moved/,
    outcome: 'put back',
  },
  'not-all-put-back': { phase: 'Scale out', error: 'UnexpectedError', cause: /ecs:UpdateService/, outcome: 'failed' },
  'not-put-back': { phase: 'Scale out', error: 'UnexpectedError', cause: /ecs:UpdateService/, outcome: 'failed' },
  'input-refused': {
    phase: 'Check the site',
    error: 'InputInvalid',
    cause: /nodes is 10000, but .* at most 10/,
    outcome: 'refused',
    next: /^npx lifecycle start install$/,
  },
  'site-held': { phase: 'Check the site', error: 'SiteHeld', cause: /held by the operator ada/, outcome: 'refused' },
  'unfinished-install': {
    phase: 'Check the site',
    error: 'UnfinishedInstall',
    cause: /no marker says that it is ours/,
    outcome: 'refused',
  },
  'database-login-refused': {
    phase: 'Check the site',
    error: 'DatabaseLoginRefused',
    cause: /password/,
    outcome: 'nothing changed',
  },
  ...Object.fromEntries(
    updateFaults.map(({ phase, action }) => [
      `update-failed-${phase.toLowerCase().replaceAll(' ', '-')}`,
      { phase, error: 'UnexpectedError', cause: new RegExp(action), outcome: outcomeIn(phase) },
    ]),
  ),
  'update-input-refused': {
    phase: 'Check the site',
    error: 'InputInvalid',
    cause: /what\.0 is "everything", not plugins or core or image/,
    outcome: 'refused',
    next: /^npx lifecycle start plugin-update$/,
  },
  'update-site-held': {
    phase: 'Check the site',
    error: 'SiteHeld',
    cause: /held by the operator ada/,
    outcome: 'refused',
  },
  'update-archive-wrong': {
    phase: 'Find updates',
    error: 'PluginArchiveWrong',
    cause: /local_codeonly/,
    outcome: 'nothing changed',
  },
  'update-build-failed': {
    phase: 'Build image',
    error: 'ImageBuildFailed',
    cause: /local_codeonly: its archive holds version 2026010109/,
    outcome: 'nothing changed',
  },
  'update-refused': {
    phase: 'Wait for approval',
    error: 'ApprovalRefused',
    cause: /^Refused by ada: exams this week$/,
    outcome: 'refused',
  },
  'update-expired': {
    phase: 'Wait for approval',
    error: 'ApprovalExpired',
    cause: /^Nobody approved or refused within 24 hours\.$/,
    outcome: 'nothing changed',
  },
  'update-half-applied': {
    phase: 'Upgrade',
    error: 'UpgradeFailed',
    cause: /local_halfway.*column "needed"/,
    outcome: 'put back',
  },
  'update-stopped': {
    phase: 'Upgrade',
    error: 'StoppedByHand',
    cause: /Stopped by ada@desk: wrong plugin/,
    outcome: 'stopped',
  },
  'update-not-put-back': {
    phase: 'Find updates',
    error: 'UnexpectedError',
    cause: /ssm:GetParameters/,
    outcome: 'failed',
  },
  stopped: {
    phase: 'Scale out',
    error: 'StoppedByHand',
    cause: /Stopped by ada@desk: wrong number/,
    outcome: 'stopped',
  },
};

test('every failure of the tests of rollouts is recorded', () => {
  const others = [
    ...['fresh-install', 'converged', 'resumed', 'held', 'released'],
    ...['update-asking', 'update-nothing', 'update-after-unfinished', 'update-left-out'],
  ];
  expect(recordedNames).toEqual([...Object.keys(failures), ...others].sort());
});

describe.each(Object.entries(failures))('%s', (name, { phase, error, cause, outcome, next }) => {
  const recording = recorded(name);
  const progress = read(recording);

  test('shows phase, cause, what was seen last, and a next command', () => {
    expect(progress.outcome).toBe(outcome);
    expect(progress.failure).toMatchObject({ phase, error, cause: expect.stringMatching(cause) });
    const first = progress.phases[0]?.title;
    // Before the first phase has ended, nothing was seen.
    if (phase !== first) expect(progress.failure?.lastEvidence?.evidence).toBeTruthy();
    expect(progress.next?.command).toMatch(next ?? /^npx lifecycle retry arn:aws:states:/);
    expect(progress.next?.why).toMatch(/\.$/);
    expectValid(progress);
  });

  test('has a section in the runbook that explains it', () => {
    expect([...runbookSection(error).keys()]).toEqual(['Means', 'Left', 'Look', 'Next']);
  });

  test('blames one phase; those after it were skipped, those before it stand or were put back', () => {
    const titles = progress.phases.map(({ title }) => title);
    const at = titles.indexOf(phase ?? '');
    const statuses = progress.phases.map(({ status }) => status);
    expect(statuses[at]).toMatch(/failed|aborted/);
    // A choice may have led past one.
    for (const status of statuses.slice(0, at)) expect(status).toMatch(/succeeded|put back|skipped/);
    for (const status of statuses.slice(at + 1)) expect(status).toBe('skipped');
  });
});

/** Phases that a rollout came to twice: it planned again without what the first build refused. */
const again: Readonly<Record<string, readonly string[]>> = { 'update-left-out': ['Find updates', 'Build image'] };

describe.each(recordedNames)('%s', (name) => {
  const recording = recorded(name);

  test('can be read after each of its events, in an order that makes sense', () => {
    const ended = new Set<string>();
    for (let length = 0; length <= recording.events.length; length += 1) {
      const progress = read(cutShort(recording, length));
      expect(progress.status).toBe('running');
      for (const { title, status, startedAt, endedAt, timeline } of [...progress.phases, ...progress.wayBack]) {
        // What has succeeded stays so, unless the way back undoes it.
        if (ended.has(title)) expect(status).toMatch(/succeeded|put back/);
        if (status === 'succeeded' && !again[name]?.includes(title)) ended.add(title);
        if (startedAt && endedAt) expect(endedAt.getTime()).toBeGreaterThanOrEqual(startedAt.getTime());
        expect(timeline.filter((attempt) => attempt.status === 'running').length).toBeLessThanOrEqual(1);
      }
      const open = progress.phases.filter(({ status }) => status === 'running' || status === 'waiting');
      expect(open.length).toBeLessThanOrEqual(1);
    }
  });

  test('tells by when the next attempt comes, at most', () => {
    for (let length = 1; length < recording.events.length; length += 1) {
      const { definition, execution, events } = cutShort(recording, length);
      // As it was recorded.
      const { phases } = readProgress(definition, execution, events, { rehearsal: { pace: 60 } });
      const waiting = phases.find(({ status }) => status === 'waiting');
      const event = recording.events[length];
      if (!waiting || event?.type !== 'LambdaFunctionScheduled') continue;
      expect(waiting.nextAttempt?.exact).toBe(false);
      // This computer took its own time beside, half a second at most.
      expect(event.timestamp?.getTime()).toBeLessThanOrEqual((waiting.nextAttempt?.at.getTime() ?? 0) + 1_000);
      expect(waiting.nextAttempt?.attemptsLeft).toBeGreaterThan(0);
    }
  });

  test('is the same after it was saved and opened', () => {
    expect(read(parseHistory(formatHistory(recording)))).toEqual(read(recording));
  });
});

test('a rollout that succeeded: evidence, figures, nodes and session store', () => {
  const progress = read(recorded('fresh-install'));
  expect(progress).toMatchObject({
    site: 'demo',
    rollout: 'install',
    outcome: 'succeeded',
    wantedNodes: 3,
    actualNodes: 3,
    sessionStore: 'redis',
    input: { nodes: 3, reason: 'first install' },
    next: undefined,
    retry: undefined,
  });
  expectValid(progress);
  for (const { evidence, log } of progress.phases) {
    expect(evidence).toBeTypeOf('object');
    expect(log).toMatch(
      /^https:\/\/eu-west-1\.console\.aws\.amazon\.com\/cloudwatch\/home\?region=eu-west-1#logsV2:log-groups\$3FlogGroupNameFilter\$3DDemoLifecycle-Phases\w+$/,
    );
  }
  const figures = progress.phases.flatMap((phase) =>
    phase.figures.map((figure) => ({ phase: phase.title, ...figure })),
  );
  expect(figures).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ phase: 'Check the site', name: 'database, per Data API call', unit: 'ms' }),
      expect.objectContaining({ phase: 'Configure cache stores', name: 'server, from a node', unit: 'ms' }),
      expect.objectContaining({ phase: 'Wait for install', name: 'tables', value: 483, unit: 'count' }),
      expect.objectContaining({ phase: 'Scale out', name: 'nodes, healthy', value: 3, of: 3 }),
    ]),
  );
});

test('a rollout that was stopped and resumed goes on in its phase', () => {
  const recording = recorded('resumed');
  const progress = read(recording);
  expect(progress).toMatchObject({ outcome: 'succeeded', redrivenAt: [expect.any(Date)], failure: undefined });
  const phase = progress.phases.find(({ title }) => title === 'Scale out');
  expect(phase?.timeline.map(({ status }) => status)).toEqual(expect.arrayContaining(['failed', 'succeeded']));
  const redriven = recording.events.findIndex(({ type }) => type === 'ExecutionRedriven');
  const before = cutShort(recording, redriven);
  const stopped = read({
    ...before,
    execution: { ...before.execution, status: 'ABORTED', redriveStatus: 'REDRIVABLE' },
  });
  expect(stopped).toMatchObject({
    outcome: 'stopped',
    retry: { how: 'redrive', why: expect.stringContaining('“Scale out”') },
  });
  expect(
    read(cutShort(recording, redriven + 1))
      .phases.map(({ status }) => status)
      .slice(7),
  ).toEqual(['running', 'pending', 'pending']);
  expectValid(progress);
});

test('while it runs, nodes and session store follow the phases', () => {
  const recording = recorded('fresh-install');
  const seen = new Set<string>();
  for (let length = 0; length <= recording.events.length; length += 1) {
    const { actualNodes, wantedNodes, sessionStore } = read(cutShort(recording, length));
    seen.add(`${actualNodes} of ${wantedNodes}, ${sessionStore}`);
  }
  expect([...seen][0]).toBe('undefined of undefined, undefined');
  expect([...seen]).toEqual(expect.arrayContaining(['undefined of 3, undefined', '1 of 3, database', '1 of 3, redis']));
  expect([...seen].at(-1)).toBe('3 of 3, redis');
});

test('the way back says what it undid', () => {
  const { phases, actualNodes, sessionStore } = read(recorded('failed-verify-the-site'));
  const undone = phases.filter(({ status }) => status === 'put back').map(({ title }) => title);
  expect(undone).toEqual(['Start one node', 'Configure cache stores', 'Enable session caching', 'Scale out']);
  expect(actualNodes).toBe(0);
  expect(sessionStore).toBeDefined();
});

test('the way back of an update says what it undid: of a finished upgrade too', () => {
  const undone = (name: string) =>
    read(recorded(name))
      .phases.filter(({ status }) => status === 'put back')
      .map(({ title }) => title);
  expect(undone('update-failed-verify-the-site')).toEqual(['Upgrade', 'Roll nodes']);
  expect(undone('update-failed-roll-nodes')).toEqual(['Upgrade']);
  expect(undone('update-refused')).toEqual([]);
});

test('an update that comes upon an unfinished one says what it put back, and is not failed by what is left to clean up', () => {
  const progress = read(recorded('update-after-unfinished'));
  expect(progress).toMatchObject({ outcome: 'succeeded', failure: undefined, next: undefined });
  const phase = (title: string) => progress.phases.find((each) => each.title === title);
  expect(phase('Put back the unfinished update')?.evidence).toMatchObject({
    putBack: expect.stringContaining('nodes with the image'),
  });
  expect(phase('Clean up')).toMatchObject({ status: 'failed', problem: { cause: expect.stringContaining('rds:') } });
  expectValid(progress);
});

test('a rehearsal has its logs in files, and waits that pass faster', () => {
  const { definition, execution, events } = recorded('stopped');
  const options = { rehearsal: { directory: '/data', pace: 60, endpointUrl: 'http://127.0.0.1:1' } };
  const progress = readProgress(definition, execution, events, options);
  expect(progress.console).toBeUndefined();
  expect(progress.phases[0]?.log).toMatch(/^\/data\/logs\/functions\/DemoLifecycle-PhasesCheckSite.*\.log$/);
  expect(progress.next?.command).toMatch(/ --endpoint-url http:\/\/127\.0\.0\.1:1$/);
  const at = events.findIndex(({ type }) => type === 'LambdaFunctionFailed') + 1;
  const cut = cutShort(recorded('stopped'), at);
  const nextOn = (pace: number) =>
    readProgress(cut.definition, cut.execution, cut.events, { rehearsal: { pace } })
      .phases.find(({ status }) => status === 'waiting')
      ?.nextAttempt?.at.getTime() ?? 0;
  const failedAt = cut.events.at(-1)?.timestamp?.getTime() ?? 0;
  expect((nextOn(1) - failedAt) / (nextOn(60) - failedAt)).toBeCloseTo(60);
});

describe('the hold of a person', () => {
  test.each([
    ['held', { operator: 'ada', reason: 'exam week' }],
    ['released', { operator: 'ada' }],
  ])('%s', (name, evidence) => {
    const progress = read(recorded(name));
    expect(progress).toMatchObject({ rollout: 'hold', outcome: 'succeeded', wayBack: [] });
    expect(progress.phases).toMatchObject([{ title: 'Hold or release the site', evidence }]);
    expectValid(progress);
  });
});

describe('a question to a person', () => {
  test('of a plugin update has its plan', () => {
    const progress = read(recorded('update-asking'));
    expect(progress).toMatchObject({ site: 'demo', rollout: 'plugin-update', outcome: 'asking' });
    const phase = progress.phases.find(({ title }) => title === 'Wait for approval');
    const { since, expiresAt, about } = phase?.question ?? {};
    expect((expiresAt?.getTime() ?? 0) - (since?.getTime() ?? 0)).toBe(86_400_000);
    expect(about).toMatchObject({ changes: [{ component: 'local_codeonly', risk: 'minor' }] });
    expect(progress.phases.find(({ title }) => title === 'Put back the unfinished update')?.status).toBe('skipped');
    expectValid(progress);
  });

  test('has an expiry and a plan, and no token in any form', () => {
    const recording = asking();
    const progress = read(recording);
    expect(progress.outcome).toBe('asking');
    expect(progress.phases[1]).toMatchObject({
      title: 'Wait for approval',
      status: 'asking',
      question: {
        since: recording.events[9]?.timestamp,
        expiresAt: new Date((recording.events[9]?.timestamp?.getTime() ?? 0) + 86_400_000),
        about: { changes: [{ component: 'mod_attendance', risk: 'minor' }] },
      },
    });
    expect(progress.next?.command).toMatch(/^npx lifecycle approve arn:/);
    expectValid(progress);
    expect(JSON.stringify(progress)).not.toContain('Secret');
    expect(formatHistory(recording)).not.toContain('Secret');
    expect(openTokenOf(recording.definition, recording.events)).toBe(token);
  });

  test.each([
    [
      'TaskSucceeded',
      {
        taskSucceededEventDetails: {
          resourceType: 'lambda',
          resource: 'invoke.waitForTaskToken',
          output: `{"by":"ada","echo":"${token}"}`,
        },
      },
      'running',
    ],
    [
      'TaskFailed',
      {
        taskFailedEventDetails: {
          resourceType: 'lambda',
          resource: 'invoke.waitForTaskToken',
          error: 'ApprovalRefused',
          cause: 'Refused by ada.',
        },
      },
      'failed',
    ],
    [
      'TaskTimedOut',
      {
        taskTimedOutEventDetails: {
          resourceType: 'lambda',
          resource: 'invoke.waitForTaskToken',
          error: 'States.Timeout',
        },
      },
      'failed',
    ],
  ] as const)('is over with %s', (type, details, status) => {
    const { definition, execution, events } = asking();
    const after = [...events, { id: 13, previousEventId: 12, type, timestamp: new Date(), ...details }];
    const progress = readProgress(definition, execution, after);
    expect(progress.phases[1]).toMatchObject({ status, question: undefined });
    expect(openTokenOf(definition, after)).toBeUndefined();
    expect(JSON.stringify(progress)).not.toContain('Secret');
  });

  test('that was answered no is refused, not failed', () => {
    const { definition, execution, events } = asking();
    const refused = { error: 'ApprovalRefused', cause: 'Refused by ada.' };
    const after = [
      ...events,
      {
        type: 'TaskFailed' as const,
        taskFailedEventDetails: { resourceType: 'lambda', resource: 'invoke.waitForTaskToken', ...refused },
      },
      { type: 'TaskStateExited' as const, stateExitedEventDetails: { name: 'Wait for approval' } },
      { type: 'TaskStateEntered' as const, stateEnteredEventDetails: { name: 'Put back' } },
      { type: 'LambdaFunctionScheduled' as const },
      {
        type: 'LambdaFunctionSucceeded' as const,
        lambdaFunctionSucceededEventDetails: { output: '{"outcome":"put back"}' },
      },
      { type: 'TaskStateExited' as const, stateExitedEventDetails: { name: 'Put back' } },
      { type: 'FailStateEntered' as const, stateEnteredEventDetails: { name: 'Failed' } },
    ].map((event, index) => ({ timestamp: new Date(), ...event, id: index + 1, previousEventId: index }));
    const progress = readProgress(definition, { ...execution, status: 'FAILED', ...refused }, after);
    expect(progress).toMatchObject({
      outcome: 'refused',
      failure: { phase: 'Wait for approval', cause: 'Refused by ada.' },
    });
  });
});

describe('a file that is no saved history', () => {
  test.each([
    ['{', /not JSON/],
    ['[]', /no member “definition”/],
    ['null', /not a JSON object/],
    ['{"definition": {"StartAt": "a", "States": {}}}', /no member “execution”/],
    ['{"definition": {"StartAt": "a", "States": {}}, "execution": {}}', /no member “events”/],
    ['{"definition": {}, "execution": {}, "events": []}', /no StartAt/],
  ])('%s', (text, words) => {
    expect(() => parseHistory(text)).toThrow(NotAHistory);
    expect(() => parseHistory(text)).toThrow(words);
  });

  test('but one with the answers of the AWS CLI, whose moments are seconds or text, is', () => {
    const { definition, execution, events } = recorded('converged');
    const written = JSON.stringify({ definition, execution, events }, (key, value) =>
      key === 'timestamp' ? new Date(value).getTime() / 1000 : value,
    );
    expect(read(parseHistory(written)).phases[0]?.startedAt).toEqual(read(recorded('converged')).phases[0]?.startedAt);
  });
});

test('twenty-four thousand events are read in the blink of an eye', () => {
  const { definition, execution, events } = recorded('failed-wait-for-install');
  const many = [...events];
  const [scheduled, started, failed] = events.filter(({ type }) =>
    /^LambdaFunction(Scheduled|Started|Failed)$/.test(type ?? ''),
  );
  if (!scheduled || !started || !failed) throw new Error('The recording has no attempt.');
  const entered = events.findIndex(({ stateEnteredEventDetails: details }) => details?.name === 'Wait for install');
  const attempts = Array.from({ length: 8_000 }, () => [scheduled, started, failed]).flat();
  many.splice(entered + 1, 0, ...attempts);
  const numbered = many.map((event, index) => ({ ...event, id: index + 1, previousEventId: index }));
  const began = performance.now();
  const progress = readProgress(definition, execution, numbered);
  const took = performance.now() - began;
  expect(progress.phases.find(({ title }) => title === 'Wait for install')?.attempts).toBeGreaterThanOrEqual(8_000);
  expect(took).toBeLessThan(1_000);
});
