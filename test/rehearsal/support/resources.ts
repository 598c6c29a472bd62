import type { TemplateResource } from '../../../rehearsal/template/assembly.ts';

/** Pieces of hand-written templates. */

export function role(service: string, ...statements: object[]): TemplateResource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
      },
      Policies: [{ PolicyName: 'own', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

export function lambdaFunction(
  roleId: string,
  asset: string,
  properties: Readonly<Record<string, unknown>> = {},
): TemplateResource {
  return {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Bucket: 'assets', S3Key: `${asset}.zip` },
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Role: { 'Fn::GetAtt': [roleId, 'Arn'] },
      Timeout: 20,
      MemorySize: 256,
      ...properties,
    },
  };
}

export function stateMachine(
  roleId: string,
  definition: object,
  substitutions: Readonly<Record<string, unknown>> = {},
): TemplateResource {
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      DefinitionString: JSON.stringify(definition),
      DefinitionSubstitutions: substitutions,
      RoleArn: { 'Fn::GetAtt': [roleId, 'Arn'] },
    },
  };
}
