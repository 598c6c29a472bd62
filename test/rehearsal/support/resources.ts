import type { TemplateResource } from '../../../rehearsal/template/assembly.ts';

type Properties = Readonly<Record<string, unknown>>;

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

export function lambdaFunction(roleId: string, asset: string, properties: Properties = {}): TemplateResource {
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

export function stateMachine(roleId: string, definition: object, substitutions: Properties = {}): TemplateResource {
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      DefinitionString: JSON.stringify(definition),
      DefinitionSubstitutions: substitutions,
      RoleArn: { 'Fn::GetAtt': [roleId, 'Arn'] },
    },
  };
}

/** @param properties its identifier, master user and password among them */
export function auroraPostgreSql(properties: Properties): TemplateResource {
  return {
    Type: 'AWS::RDS::DBCluster',
    Properties: {
      Engine: 'aurora-postgresql',
      EngineVersion: '17.7',
      DatabaseName: 'moodle',
      DeletionProtection: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 },
      ...properties,
    },
  };
}

export function auroraWriter(clusterId: string, identifier: string): TemplateResource {
  return {
    Type: 'AWS::RDS::DBInstance',
    Properties: {
      DBInstanceIdentifier: identifier,
      DBClusterIdentifier: { Ref: clusterId },
      DBInstanceClass: 'db.serverless',
      Engine: 'aurora-postgresql',
    },
  };
}

/** @param properties its identifier, master user and password among them */
export function mariaDb(properties: Properties): TemplateResource {
  return {
    Type: 'AWS::RDS::DBInstance',
    Properties: {
      DBInstanceClass: 'db.t4g.small',
      Engine: 'mariadb',
      EngineVersion: '11.4',
      DBName: 'moodle',
      AllocatedStorage: '20',
      BackupRetentionPeriod: 1,
      ...properties,
    },
  };
}
