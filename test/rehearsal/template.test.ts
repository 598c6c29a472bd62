// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates and definitions have them.
import { afterEach, describe, expect, it } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import type { Template } from '../../rehearsal/template/assembly.ts';
import { sortByDependencies } from '../../rehearsal/template/order.ts';
import { deploy } from './support/account.ts';
import { type HandWrittenStack, temporaryFolder, writeAssembly } from './support/assembly.ts';

const parameter = (value: unknown, more: object = {}) => ({
  Type: 'AWS::SSM::Parameter',
  Properties: { Type: 'String', Value: value, ...more },
});

let account: Account | undefined;
afterEach(() => account?.close());

async function outputs(stacks: Readonly<Record<string, HandWrittenStack>>, directory = temporaryFolder()) {
  account = await deploy(writeAssembly(stacks), { directory });
  return account.outputs;
}

/** What a value of a template resolves to. */
async function resolved(value: unknown, template: Partial<Template> = {}): Promise<string | undefined> {
  const made = await outputs({
    Demo: { template: { Resources: {}, ...template, Outputs: { Value: { Value: value } } } },
  });
  return made.Demo?.Value;
}

const conditions = {
  Yes: { 'Fn::Equals': ['a', 'a'] },
  No: { 'Fn::Not': [{ Condition: 'Yes' }] },
  Both: { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] },
  Either: { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] },
};

describe('intrinsic functions', () => {
  it.each<[string, unknown, string]>([
    [
      'pseudo parameters',
      { 'Fn::Sub': '${AWS::Partition} ${AWS::Region} ${AWS::StackName} ${AWS::URLSuffix}' },
      'aws eu-west-1 Demo amazonaws.com',
    ],
    [
      'Sub with its own words',
      { 'Fn::Sub': ['${!Kept} ${Word}', { Word: { Ref: 'AWS::Region' } }] },
      '${Kept} eu-west-1',
    ],
    [
      'Join, Split and Select',
      { 'Fn::Join': ['-', ['x', { 'Fn::Select': ['1', { 'Fn::Split': [':', 'a:b:c'] }] }]] },
      'x-b',
    ],
    ['Base64', { 'Fn::Base64': 'hello' }, 'aGVsbG8='],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'cpu'] }, '512'],
    ['If', { 'Fn::If': ['Yes', 'then', 'else'] }, 'then'],
    ['And', { 'Fn::If': ['Both', 'then', 'else'] }, 'else'],
    ['Or', { 'Fn::If': ['Either', 'then', 'else'] }, 'then'],
    ['NoValue in a list', { 'Fn::Join': [',', ['a', { 'Fn::If': ['No', 'b', { Ref: 'AWS::NoValue' }] }]] }, 'a'],
    ['GetAZs', { 'Fn::Join': [',', { 'Fn::GetAZs': '' }] }, 'eu-west-1a,eu-west-1b,eu-west-1c'],
    ['Cidr', { 'Fn::Join': [',', { 'Fn::Cidr': ['10.0.0.0/16', 3, 8] }] }, '10.0.0.0/24,10.0.1.0/24,10.0.2.0/24'],
    ['a parameter', { Ref: 'Size' }, 'large'],
    ['a list parameter', { 'Fn::Select': [1, { Ref: 'Zones' }] }, 'b'],
    ['GetAtt', { 'Fn::GetAtt': ['Given', 'Value'] }, 'one'],
    ['GetAtt as text in Sub', { 'Fn::Sub': '${Given.Value}/${Given}' }, 'one//demo/given'],
    ['a dynamic reference', '{{resolve:ssm:/demo/given}}!', 'one!'],
    ['the bootstrap version', { 'Fn::Join': ['', [{ Ref: 'BootstrapVersion' }]] }, '30'],
  ])('%s', async (_, value, expected) => {
    const template: Partial<Template> = {
      Conditions: conditions,
      Mappings: { Sizes: { 'eu-west-1': { cpu: '512' } } },
      Parameters: {
        Size: { Type: 'String', Default: 'large' },
        Zones: { Type: 'CommaDelimitedList', Default: 'a, b' },
        BootstrapVersion: {
          Type: 'AWS::SSM::Parameter::Value<String>',
          Default: '/cdk-bootstrap/hnb659fds/version',
        },
      },
      Resources: { Given: parameter('one', { Name: '/demo/given' }) },
    };
    expect(await resolved(value, template)).toBe(expected);
  });

  it('carries values from stack to stack, in the order of their dependencies', async () => {
    const made = await outputs({
      Later: {
        dependencies: ['Earlier'],
        template: {
          Parameters: { Setting: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/demo/setting' } },
          Resources: { Copy: parameter({ 'Fn::ImportValue': 'Earlier:Name' }) },
          Outputs: {
            Imported: { Value: { 'Fn::GetAtt': 'Copy.Value' } },
            Setting: { Value: { Ref: 'Setting' } },
          },
        },
      },
      Earlier: {
        template: {
          Resources: { Setting: parameter('one', { Name: '/demo/setting' }) },
          Outputs: { Name: { Value: { Ref: 'Setting' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Name' } } } },
        },
      },
    });
    expect(made.Later).toEqual({ Imported: '/demo/setting', Setting: 'one' });
  });

  it('leaves out resources and outputs whose condition does not hold', async () => {
    const made = await outputs({
      Demo: {
        template: {
          Conditions: conditions,
          Resources: { Absent: { ...parameter('x'), Type: 'AWS::Unknown::Type', Condition: 'No' } },
          Outputs: { Absent: { Value: 'x', Condition: 'No' }, Present: { Value: 'x', Condition: 'Yes' } },
        },
      },
    });
    expect(made.Demo).toEqual({ Present: 'x' });
  });

  it('gives resources the same names when it is opened again, and others in another folder', async () => {
    const stacks = {
      Demo: { template: { Resources: { Given: parameter('x') }, Outputs: { Name: { Value: { Ref: 'Given' } } } } },
    };
    const directory = temporaryFolder();
    const first = await outputs(stacks, directory);
    await account?.close();
    expect(await outputs(stacks, directory)).toEqual(first);
    await account?.close();
    expect(await outputs(stacks)).not.toEqual(first);
  });
});

describe('what the rehearsal does not know', () => {
  it.each<[string, Partial<Template>, RegExp]>([
    [
      'a resource type',
      { Resources: { Q: { Type: 'AWS::Kinesis::Stream' } } },
      /stack Demo.*\nQ: .* resource type AWS::Kinesis::Stream/,
    ],
    [
      'a property',
      { Resources: { P: parameter('x', { Policies: '[]' }) } },
      /\nP \(AWS::SSM::Parameter\): .* property Policies/,
    ],
    [
      'an attribute',
      { Resources: { P: parameter('x'), R: parameter({ 'Fn::GetAtt': ['P', 'Arn'] }) } },
      /resource R \(AWS::SSM::Parameter\), property Value: .*attribute Arn of P/,
    ],
    [
      'an intrinsic function',
      { Resources: { P: parameter({ 'Fn::Transform': {} }) } },
      /resource P .* property Value: .* Fn::Transform/,
    ],
    ['a reference', { Resources: { P: parameter({ Ref: 'Nowhere' }) } }, /resource P .* no “Nowhere”/],
    ['an export', { Resources: { P: parameter({ 'Fn::ImportValue': 'x' }) } }, /no deployed stack exports “x”/],
    ['a secret', { Resources: { P: parameter('{{resolve:secretsmanager:none:SecretString:a::}}') } }, /no secret none/],
    [
      'a managed policy',
      {
        Resources: {
          R: {
            Type: 'AWS::IAM::Role',
            Properties: {
              AssumeRolePolicyDocument: {},
              ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'],
            },
          },
        },
      },
      /AdministratorAccess/,
    ],
    [
      'a condition operator',
      {
        Resources: {
          R: {
            Type: 'AWS::IAM::Role',
            Properties: {
              AssumeRolePolicyDocument: {},
              Policies: [
                {
                  PolicyName: 'p',
                  PolicyDocument: {
                    Statement: [
                      {
                        Effect: 'Allow',
                        Action: 'x:Y',
                        Resource: '*',
                        Condition: { DateLessThan: { 'aws:CurrentTime': 'x' } },
                      },
                    ],
                  },
                },
              ],
            },
          },
        },
      },
      /DateLessThan/,
    ],
    ['a circle', { Resources: { A: parameter({ Ref: 'B' }), B: parameter({ Ref: 'A' }) } }, /A → B → A/],
    ['a section', { Transform: 'x' } as Partial<Template>, /transform "x"/],
  ])('%s is refused by name', async (_, template, expected) => {
    await expect(resolved('x', { Resources: {}, ...template })).rejects.toThrow(expected);
    account = undefined;
  });
});

describe('sortByDependencies', () => {
  it('puts each after what it depends on, and else keeps the order', () => {
    const needs: Record<string, string[]> = { a: ['c'], b: [], c: ['b'], d: [] };
    expect(sortByDependencies(['a', 'b', 'c', 'd'], (name) => needs[name] ?? [])).toEqual(['b', 'c', 'a', 'd']);
  });
});
