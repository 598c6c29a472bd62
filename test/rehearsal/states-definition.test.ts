// biome-ignore-all lint/suspicious/noTemplateCurlyInString: definitions have them.
import { describe, expect, it } from 'vitest';
import { parseDefinition, substitute } from '../../rehearsal/states/definition.ts';
import { forInterpreter } from '../../rehearsal/states/interpreter.ts';

const arn = 'arn:aws:states:::sns:publish';

function oneTask(more: object): string {
  return JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Task', Resource: arn, End: true, ...more } } });
}

describe('substitutions', () => {
  it('are made everywhere, and must all be there', () => {
    expect(substitute('{"a":"${A}${B}","c":"${A}"}', { A: 'x', B: 1, Unused: 2 })).toBe('{"a":"x1","c":"x"}');
    expect(() => substitute('${C}', {})).toThrow('${C}');
  });
});

describe('a definition', () => {
  it.each<[string, object, RegExp]>([
    ['a field', { HeartbeatSeconds: 5 }, /field HeartbeatSeconds/],
    ['a path to write to', { ResultPath: '$.a[0]' }, /\$\.a\[0\]/],
    [
      'a path to write to in a catcher',
      { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: "$['a']", Next: 'A' }] },
      /\$\['a'\]/,
    ],
    [
      'a member of the context',
      { Parameters: { x: { 'a.$': '$$.Execution.RedriveCount' } } },
      /\$\$\.Execution\.RedriveCount/,
    ],
    [
      'a member of the context in a function',
      { Parameters: { 'a.$': "States.Format('{}', $$.Task.Token)" } },
      /\$\$\.Task\.Token/,
    ],
    ['JSONata', { QueryLanguage: 'JSONata' }, /QueryLanguage/],
  ])('with %s that the rehearsal does not know is refused', (_, more, expected) => {
    expect(() => parseDefinition(oneTask(more))).toThrow(expected);
  });

  it('is given to the interpreter with waits scaled, patience with work as it was, and everything else as it is', () => {
    const definition = parseDefinition(
      oneTask({
        TimeoutSeconds: 900,
        ResultPath: '$',
        Retry: [
          { ErrorEquals: ['A'], IntervalSeconds: 20, MaxDelaySeconds: 60, BackoffRate: 1.5, JitterStrategy: 'FULL' },
          { ErrorEquals: ['B'] },
          { ErrorEquals: ['InstallStillRunning'], IntervalSeconds: 10, MaxDelaySeconds: 30, MaxAttempts: 160 },
        ],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$', Next: 'A' }],
      }),
    );
    expect(forInterpreter(definition, 10).States.A).toEqual({
      Type: 'Task',
      Resource: arn,
      End: true,
      TimeoutSeconds: 900,
      Retry: [
        {
          ...{ ErrorEquals: ['A'], IntervalSeconds: 2, MaxDelaySeconds: 6, MaxAttempts: 3 },
          ...{ BackoffRate: 1.5, JitterStrategy: 'FULL' },
        },
        { ErrorEquals: ['B'], IntervalSeconds: 0.1, MaxAttempts: 3 },
        { ErrorEquals: ['InstallStillRunning'], IntervalSeconds: 1, MaxDelaySeconds: 3, MaxAttempts: 1600 },
      ],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'A' }],
    });
    expect(definition.States.A?.ResultPath).toBe('$');
  });

  it('has no time limit where it states none', () => {
    expect(forInterpreter(parseDefinition(oneTask({})), 1).States.A).toMatchObject({ TimeoutSeconds: 2_147_483 });
  });
});
