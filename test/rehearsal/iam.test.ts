import { describe, expect, it } from 'vitest';
import { isKnownOperator } from '../../rehearsal/iam/conditions.ts';
import { evaluate } from '../../rehearsal/iam/evaluate.ts';
import { checkDocument, type Statement } from '../../rehearsal/iam/policy.ts';

const cluster = 'arn:aws:ecs:eu-west-1:1:cluster/c';
const service = 'arn:aws:ecs:eu-west-1:1:service/c/web';

function decide(statements: Statement[], action: string, resource: string, conditions: Record<string, string> = {}) {
  return evaluate([{ Statement: statements }], { action, resource, conditions });
}

const allow = (more: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action: 'ecs:UpdateService',
  Resource: service,
  ...more,
});

describe('policies', () => {
  it.each<[string, Statement[], string, string]>([
    ['the very action and resource', [allow()], 'ecs:UpdateService', service],
    ['an action in other letters', [allow({ Action: 'ECS:updateservice' })], 'ecs:UpdateService', service],
    ['a wildcard in the action', [allow({ Action: ['ecs:Upd*'] })], 'ecs:UpdateService', service],
    ['a wildcard in the resource', [allow({ Resource: 'arn:aws:ecs:*:1:service/c/*' })], 'ecs:UpdateService', service],
    ['one character', [allow({ Resource: 'arn:aws:ecs:eu-west-?:1:service/c/web' })], 'ecs:UpdateService', service],
    [
      'another action than that',
      [{ Effect: 'Allow', NotAction: 'iam:*', Resource: service }],
      'ecs:UpdateService',
      service,
    ],
    [
      'another resource than that',
      [{ Effect: 'Allow', Action: 'ecs:UpdateService', NotResource: cluster }],
      'ecs:UpdateService',
      service,
    ],
  ])('allow %s', (_, statements, action, resource) => {
    expect(decide(statements, action, resource)).toBe('allowed');
  });

  it.each<[string, Statement[], string, string]>([
    ['another action', [allow()], 'ecs:DeleteService', service],
    ['another resource', [allow()], 'ecs:UpdateService', `${service}2`],
    ['a resource in other letters', [allow({ Resource: service.toUpperCase() })], 'ecs:UpdateService', service],
    ['what a dot would match', [allow({ Resource: 'arn:aws:s3:::a.b' })], 'ecs:UpdateService', 'arn:aws:s3:::axb'],
    [
      'a statement without a resource',
      [{ Effect: 'Allow', Action: 'ecs:UpdateService' }],
      'ecs:UpdateService',
      service,
    ],
    ['when there is nothing', [], 'ecs:UpdateService', service],
  ])('do not allow %s', (_, statements, action, resource) => {
    expect(decide(statements, action, resource)).toBe('not allowed');
  });

  it('deny before they allow', () => {
    const deny: Statement = { Effect: 'Deny', Action: 'ecs:*', Resource: '*' };
    expect(decide([allow(), deny], 'ecs:UpdateService', service)).toBe('explicitly denied');
  });
});

describe('conditions', () => {
  it.each<[string, Record<string, Record<string, string | string[] | boolean>>, Record<string, string>, boolean]>([
    [
      'StringEquals',
      { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' },
      true,
    ],
    [
      'StringEquals, other letters of the key',
      { StringEquals: { 'IAM:passedtoservice': 'x' } },
      { 'iam:PassedToService': 'x' },
      true,
    ],
    ['StringEquals, absent', { StringEquals: { k: 'x' } }, {}, false],
    ['StringEqualsIfExists, absent', { StringEqualsIfExists: { k: 'x' } }, {}, true],
    ['StringEquals, one of several', { StringEquals: { k: ['x', 'y'] } }, { k: 'y' }, true],
    ['StringNotEquals', { StringNotEquals: { k: ['x', 'y'] } }, { k: 'y' }, false],
    ['StringNotEquals, absent', { StringNotEquals: { k: 'x' } }, {}, true],
    ['StringLike', { StringLike: { k: 'a*z' } }, { k: 'abcz' }, true],
    ['ArnEquals', { ArnEquals: { 'ecs:cluster': cluster } }, { 'ecs:cluster': cluster }, true],
    ['ArnLike', { ArnLike: { 'ecs:cluster': 'arn:aws:ecs:*:*:cluster/*' } }, { 'ecs:cluster': cluster }, true],
    ['ArnLike does not reach past a colon', { ArnLike: { k: 'arn:aws:*:cluster/c' } }, { k: cluster }, false],
    ['Bool', { Bool: { 'aws:SecureTransport': true } }, { 'aws:SecureTransport': 'true' }, true],
    ['Null', { Null: { k: 'true' } }, {}, true],
    ['two operators', { StringEquals: { a: '1' }, Bool: { b: 'true' } }, { a: '1', b: 'false' }, false],
    ['two keys', { StringEquals: { a: '1', b: '2' } }, { a: '1', b: '2' }, true],
    ['NumericLessThan', { NumericLessThan: { n: '10' } }, { n: '9' }, true],
    ['ForAllValues, absent', { 'ForAllValues:StringEquals': { k: 'x' } }, {}, true],
    ['ForAnyValue, absent', { 'ForAnyValue:StringNotEquals': { k: 'x' } }, {}, false],
  ])('%s', (_, Condition, request, holds) => {
    expect(decide([allow({ Condition })], 'ecs:UpdateService', service, request)).toBe(
      holds ? 'allowed' : 'not allowed',
    );
  });

  it.each<[Statement, RegExp]>([
    [allow({ Condition: { DateGreaterThan: { k: 'x' } } }), /DateGreaterThan/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable.
    [allow({ Resource: 'arn:aws:s3:::${aws:username}' }), /policy variables/],
    [{ ...allow(), Principal: '*' } as Statement, /Principal/],
  ])('of a kind that is not known are refused (%#)', (statement, expected) => {
    expect(() => checkDocument({ Statement: [statement] }, isKnownOperator)).toThrow(expected);
  });
});
