// biome-ignore-all lint/suspicious/noTemplateCurlyInString: definitions have them.
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawRollouts } from '../../lambdas/rollout-view/html.ts';
import { seenPhases } from '../../lambdas/rollout-view/phases.ts';
import { readRollouts } from '../../lambdas/rollout-view/read-rollouts.ts';
import type { Account } from '../../rehearsal/account.ts';
import { ruleProvider } from '../../rehearsal/services/events/provider.ts';
import { messagesOf } from '../../rehearsal/services/sns/topics.ts';
import type { TemplateResource } from '../../rehearsal/template/assembly.ts';
import { recorded } from '../console/recorded.ts';
import { synthesised } from '../infra/synthesised.ts';
import { eventually } from '../support/eventually.ts';
import { deploy } from './support/account.ts';
import { writeAssembly } from './support/assembly.ts';
import { lambdaFunction, role, stateMachine } from './support/resources.ts';

/** The rules as they are deployed, on the state machine of this test. */
const rules = Object.fromEntries(
  synthesised('dev')
    .resources.filter(({ Type, id }) => Type === 'AWS::Events::Rule' && id.startsWith('RolloutNotices'))
    .map(({ id, Type, Properties }) => [id, { Type, Properties: onThisStack(Properties) } as TemplateResource]),
);

function onThisStack(properties: object): Record<string, unknown> {
  const text = JSON.stringify(properties)
    .replaceAll(/\{"Fn::ImportValue":"[^"]*StateMachine[^"]*"\}/g, '{"Ref":"Rollout"},{"Ref":"Impatient"}')
    .replaceAll(/\{"Fn::ImportValue":"[^"]*Topic[^"]*"\}/g, '{"Ref":"Topic"}');
  return JSON.parse(text) as Record<string, unknown>;
}

const phase = `
const calls = {};
export const handler = async ({ input, execution }) => {
  calls[execution] = (calls[execution] ?? 0) + 1;
  if (input.waits) throw Object.assign(new Error('<b>' + calls[execution] + ' of 9</b> tables'), { name: 'InstallStillRunning' });
  if (input.fail) throw Object.assign(new Error('said "no"'), { name: 'InstallFailed' });
  return { done: true };
};`;

const caught = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Notify the operator' }];

/** What the input asks for: to wait, to fail and tell, to break off without telling, to take too long. */
const definition = {
  StartAt: 'Check the site',
  States: {
    'Check the site': {
      Type: 'Task',
      Resource: '${Phase}',
      Parameters: { 'input.$': '$', 'execution.$': '$$.Execution.Id' },
      ResultPath: '$.checked',
      Retry: [{ ErrorEquals: ['InstallStillRunning'], IntervalSeconds: 10, MaxAttempts: 9, BackoffRate: 1 }],
      Catch: caught,
      Next: 'Which way',
    },
    'Which way': {
      Type: 'Choice',
      Choices: [
        { Variable: '$.way', StringEquals: 'slow', Next: 'Wait for install' },
        { Variable: '$.way', StringEquals: 'straight', Next: 'Verify the site' },
        { Variable: '$.way', StringEquals: 'broken', Next: 'Break off' },
      ],
    },
    'Break off': { Type: 'Pass', InputPath: '$.absent', Next: 'Verify the site' },
    'Wait for install': { Type: 'Wait', Seconds: 3600, Next: 'Verify the site' },
    'Verify the site': { Type: 'Task', Resource: '${Phase}', Parameters: { input: {} }, Catch: caught, End: true },
    'Notify the operator': {
      Type: 'Task',
      Resource: 'arn:aws:states:::sns:publish',
      Parameters: { TopicArn: '${Topic}', Subject: 'It failed', 'Message.$': '$.failure.Cause' },
      ResultPath: null,
      Next: 'Install failed',
    },
    'Install failed': { Type: 'Fail', ErrorPath: '$.failure.Error', CausePath: '$.failure.Cause' },
  },
};

const allow = (Action: string | string[], Resource: unknown) => ({ Effect: 'Allow', Action, Resource });
const substitutions = { Phase: { 'Fn::GetAtt': ['Phase', 'Arn'] }, Topic: { Ref: 'Topic' } };
const key = { 'Fn::GetAtt': ['Key', 'Arn'] };

const cdkOut = writeAssembly(
  {
    Demo: {
      template: {
        Resources: {
          Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: {} } },
          Topic: { Type: 'AWS::SNS::Topic', Properties: { KmsMasterKeyId: key } },
          PhaseRole: role('lambda.amazonaws.com'),
          Phase: lambdaFunction('PhaseRole', 'phase'),
          RolloutRole: role(
            'states.amazonaws.com',
            allow('lambda:InvokeFunction', '*'),
            allow('sns:Publish', { Ref: 'Topic' }),
            allow(['kms:Decrypt', 'kms:GenerateDataKey*'], key),
          ),
          Rollout: stateMachine('RolloutRole', definition, substitutions),
          Impatient: stateMachine('RolloutRole', { ...definition, TimeoutSeconds: 1 }, substitutions),
          WithoutKeyRole: role(
            'states.amazonaws.com',
            allow('lambda:InvokeFunction', '*'),
            allow('sns:Publish', { Ref: 'Topic' }),
          ),
          WithoutKey: stateMachine('WithoutKeyRole', definition, substitutions),
          ...rules,
        },
        Outputs: Object.fromEntries(
          ['Rollout', 'Impatient', 'WithoutKey'].map((name) => [name, { Value: { Ref: name } }]),
        ),
      },
    },
  },
  { phase: { 'index.mjs': phase } },
);

describe('how the end of a rollout is told', () => {
  let account: Account;
  let client: SFNClient;
  beforeAll(async () => {
    account = await deploy(cdkOut, { pace: 200 });
    client = new SFNClient(account.clientConfiguration);
  });
  afterAll(() => account.close());

  async function start(input: object, machine = 'Rollout'): Promise<string> {
    const stateMachineArn = account.output(machine);
    const { executionArn = '' } = await client.send(
      new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
    );
    return executionArn;
  }

  async function ended(executionArn: string) {
    for (;;) {
      const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
      if (execution.status !== 'RUNNING') return execution;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The messages since this was last asked. */
  let told = 0;
  function messages() {
    const all = messagesOf(account.world)
      .entries()
      .map(([, message]) => message)
      .sort((a, b) => a.published.localeCompare(b.published));
    const news = all.slice(told);
    told = all.length;
    return news;
  }

  it('not at all when it succeeds', async () => {
    expect((await ended(await start({ way: 'straight' }))).status).toBe('SUCCEEDED');
    expect(messages()).toEqual([]);
  });

  it('once, and by the rollout itself, when it fails', async () => {
    expect(await ended(await start({ fail: true }))).toMatchObject({ status: 'FAILED', error: 'InstallFailed' });
    expect(messages()).toEqual([expect.objectContaining({ subject: 'It failed' })]);
  });

  it('once, by a rule, when it is stopped by hand, whatever the person says', async () => {
    const executionArn = await start({ way: 'slow' });
    await client.send(new StopExecutionCommand({ executionArn, cause: 'a "quoted"\nreason' }));
    const [message, ...more] = messages();

    expect(more).toEqual([]);
    expect(message?.message.split('\n').map((line) => line.split(':')[0])).toEqual([
      'Moodle site demo',
      'Cause',
      'In the words of Step Functions',
      'Next',
      'Console',
      'Runbook',
    ]);
    expect(message?.message).toContain('was stopped by hand');
    expect(message?.message).toContain(`--state-machine-arn ${account.output('Rollout')} --input '{}'`);
    expect(message?.message).toContain(`#/v2/executions/details/${executionArn}`);
  });

  it('once, by a rule, when Step Functions breaks it off past its catchers', async () => {
    expect(await ended(await start({ way: 'broken' }))).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(messages()).toEqual([
      expect.objectContaining({ message: expect.stringContaining('failed without putting anything back') }),
    ]);
    expect(await ended(await start({ way: 'nowhere' }))).toMatchObject({ error: 'States.NoChoiceMatched' });
    expect(messages()).toHaveLength(1);
  });

  it('once, by a rule, when it takes too long as a whole', async () => {
    expect((await ended(await start({ way: 'slow' }, 'Impatient'))).status).toBe('TIMED_OUT');
    expect(messages()).toEqual([
      expect.objectContaining({ message: expect.stringContaining('longer than its state machine allows') }),
    ]);
  });

  it('to an encrypted topic only by a role that may use its key', async () => {
    await ended(await start({ fail: true }, 'WithoutKey'));
    expect(messages()).toEqual([]);
  });

  describe('on the dashboard', () => {
    const draw = async () =>
      drawRollouts(
        'demo',
        await readRollouts(client, { install: account.output('Rollout'), other: account.output('Impatient') }),
        new Date(),
        'light',
      );

    it('shows the phases of what runs, why it waits, and nothing as markup that was said', async () => {
      const executionArn = await start({ waits: true });
      const html = await eventually(async () => {
        const drawn = await draw();
        expect(drawn).toMatch(/\d of 9/);
        return drawn;
      });
      await client.send(new StopExecutionCommand({ executionArn }));

      const [running = ''] = html.split('<h4>Last rollouts</h4>');
      const titles = [...running.matchAll(/<\/span> ([^<]+)<\/td>/g)].map(([, title]) => title);
      expect(titles).toEqual(['Check the site']);
      expect(running).toMatch(/at work<\/span> after \d+ s, usually \d+ s/);
      expect(running).toMatch(/&lt;b&gt;\d of 9&lt;\/b&gt; tables/);
      expect(html).not.toMatch(/<b>|<script/);
    });

    it.each([
      ['update-refused', 'left out'],
      ['update-expired', 'left out'],
      ['failed-check-the-site', 'left out'],
      ['update-half-applied', 'done'],
    ])('says of the way back of %s that it was %s', (name, state) => {
      const { definition, execution, events } = recorded(name);
      const phases = seenPhases(definition, execution.status, events);
      expect(phases.find(({ title }) => title === 'Put back')?.state).toBe(state);
    });

    it('lists how the last ones ended, with the cause of those that did not succeed', async () => {
      const html = await draw();
      const [, list = ''] = html.split('<h4>Last rollouts</h4>');
      const ends = [...list.matchAll(/font-weight:bold">([^<]+)</g)].map(([, end]) => end);

      expect(ends).toHaveLength(7);
      expect(new Set(ends)).toEqual(new Set(['✔ succeeded', '✖ failed', '✖ timed out', '■ stopped by hand']));
      expect(list).toContain('said &quot;no&quot;');
    });
  });
});

describe('a rule that the rehearsal does not know', () => {
  const world = { account: '1', region: 'r', partition: 'aws', state: { collection: () => new Map() } } as never;
  const make = (properties: object) => () =>
    ruleProvider.create({ stackName: 'S', logicalId: 'R', type: 'AWS::Events::Rule', properties }, world);
  const pattern = (detail: object) => ({ source: ['aws.states'], detail });

  it.each([
    [{ EventPattern: pattern({ status: [{ prefix: 'FA' }] }) }, 'EventPattern.detail.status: the rehearsal compares'],
    [{ EventPattern: pattern({ $or: [] }) }, 'does not know $or'],
    [{ EventPattern: pattern({}), Targets: [{ Arn: 'arn:aws:sqs:r:1:queue', Id: 'T' }] }, 'sends to topics here'],
  ])('is refused: %j', (properties, words) => {
    expect(make(properties)).toThrow(words);
  });

  it('is made and never matches when its events do not happen here', () => {
    expect(make({ EventPattern: { source: ['aws.ecs'] }, Targets: [{ Arn: 'x', Id: 'T' }] })).not.toThrow();
  });
});
