// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates and definitions have them.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { DescribeReplicationGroupsCommand, ElastiCacheClient } from '@aws-sdk/client-elasticache';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import {
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  GetParametersCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import type { Service } from '../../rehearsal/endpoint/service.ts';
import { roleCredentials } from '../../rehearsal/iam/credentials.ts';
import { deploy } from './support/account.ts';
import { temporaryFolder, writeAssembly } from './support/assembly.ts';
import { lambdaFunction, role, stateMachine } from './support/resources.ts';

const echo = `
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
export const handler = async (event) => {
  if (event.parameter) {
    const { Parameter } = await new SSMClient().send(new GetParameterCommand({ Name: event.parameter }));
    return Parameter.Value;
  }
  return { event, environment: process.env };
};`;

/** As the functions are bundled, so that the AWS SDK is in it. */
async function bundle(text: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: process.cwd() },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return outputFiles[0]?.text ?? '';
}

const readDemo = {
  Effect: 'Allow',
  Action: 'ssm:GetParameter',
  Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/moodle/demo/*' },
};

async function assembly(): Promise<string> {
  return writeAssembly(
    {
      Demo: {
        template: {
          Resources: {
            Topic: { Type: 'AWS::SNS::Topic' },
            Password: {
              Type: 'AWS::SecretsManager::Secret',
              Properties: {
                GenerateSecretString: {
                  SecretStringTemplate: '{"username":"admin"}',
                  GenerateStringKey: 'password',
                  ExcludePunctuation: true,
                  PasswordLength: 40,
                },
              },
            },
            Store: {
              Type: 'AWS::SSM::Parameter',
              Properties: { Name: '/moodle/demo/session-store', Type: 'String', Value: 'database' },
            },
            MachineRole: role('states.amazonaws.com'),
            Pass: stateMachine('MachineRole', { StartAt: 'One', States: { One: { Type: 'Pass', End: true } } }),
            EchoRole: role('lambda.amazonaws.com', readDemo),
            Echo: lambdaFunction('EchoRole', 'echo', {
              Environment: { Variables: { SITE: 'demo', NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' } },
            }),
          },
          Outputs: Object.fromEntries(
            ['Topic', 'Password', 'Echo', 'Pass'].map((name) => [name, { Value: { Ref: name } }]),
          ),
        },
      },
    },
    { echo: { 'index.mjs': await bundle(echo) } },
  );
}

/** A service that answers what it is asked, to look at the query protocol with. */
const mirror: Service = {
  signingName: 'elasticache',
  protocol: 'query',
  xmlNamespace: 'http://elasticache.amazonaws.com/doc/2015-02-02/',
  listElements: { ReplicationGroups: 'ReplicationGroup', MemberClusters: 'ClusterId' },
  operations: {
    DescribeReplicationGroups: {
      members: ['ReplicationGroupId'],
      permissions: () => [{ action: 'elasticache:DescribeReplicationGroups', resource: '*' }],
      run: ({ ReplicationGroupId }) => ({
        ReplicationGroups: [
          {
            ReplicationGroupId,
            Description: 'a & b <c>',
            MemberClusters: ['one', 'two'],
            AuthTokenEnabled: true,
            ReplicationGroupCreateTime: new Date('2026-01-02T03:04:05Z'),
          },
        ],
      }),
    },
  },
};

describe('the endpoint', () => {
  const directory = temporaryFolder();
  let account: Account;
  let cdkOut: string;
  let ssm: SSMClient;

  beforeAll(async () => {
    cdkOut = await assembly();
    account = await deploy(cdkOut, { directory, services: () => [mirror] });
    ssm = new SSMClient(account.clientConfiguration);
  });
  afterAll(() => account.close());

  const asRole = () => {
    const roleArn = [...account.stacks.values()][0]?.resources.get('EchoRole')?.attributes.Arn ?? '';
    return { ...account.clientConfiguration, credentials: roleCredentials(account.world, roleArn, 'tester') };
  };

  it('keeps parameters with their versions', async () => {
    const Name = '/moodle/demo/image-tag';
    await expect(ssm.send(new GetParameterCommand({ Name }))).rejects.toMatchObject({ name: 'ParameterNotFound' });
    expect(await ssm.send(new PutParameterCommand({ Name, Value: 'none', Type: 'String' }))).toMatchObject({
      Version: 1,
    });
    await expect(ssm.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String' }))).rejects.toMatchObject({
      name: 'ParameterAlreadyExists',
    });
    expect(await ssm.send(new PutParameterCommand({ Name, Value: 'x', Overwrite: true }))).toMatchObject({
      Version: 2,
    });
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name }));
    expect(Parameter).toMatchObject({ Name, Value: 'x', Version: 2, Type: 'String' });
    expect(Parameter?.LastModifiedDate).toBeInstanceOf(Date);
    const found = await ssm.send(new GetParametersCommand({ Names: [Name, '/none'] }));
    expect(found.Parameters?.length).toBe(1);
    expect(found.InvalidParameters).toEqual(['/none']);
    const byPath = await ssm.send(new GetParametersByPathCommand({ Path: '/moodle', Recursive: true, MaxResults: 1 }));
    expect(byPath.Parameters?.map((parameter) => parameter.Name)).toEqual([Name]);
    expect(byPath.NextToken).toBeDefined();
    await expect(
      ssm.send(new PutParameterCommand({ Name, Value: 'x'.repeat(4097), Overwrite: true })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('refuses what it does not know, by name', async () => {
    await expect(ssm.send(new GetParameterHistoryCommand({ Name: '/x' }))).rejects.toMatchObject({
      name: 'UnsupportedOperation',
      message: expect.stringContaining('ssm:GetParameterHistory'),
      $metadata: { httpStatusCode: 400 },
    });
    await expect(
      ssm.send(new PutParameterCommand({ Name: '/x', Value: 'y', Type: 'String', Policies: '[]' })),
    ).rejects.toMatchObject({ name: 'UnsupportedParameter', message: expect.stringContaining('Policies') });
    await expect(ssm.send(new GetParameterCommand({ Name: undefined }))).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("Value null at 'Name'"),
    });
    await expect(
      new ECRClient(account.clientConfiguration).send(new DescribeImagesCommand({ repositoryName: 'x' })),
    ).rejects.toMatchObject({ name: 'RepositoryNotFoundException' });
  });

  it('reads secrets, and denies them to a role that may not', async () => {
    const SecretId = account.output('Password');
    const client = new SecretsManagerClient(account.clientConfiguration);
    const { SecretString = '', ARN } = await client.send(new GetSecretValueCommand({ SecretId }));
    expect(ARN).toBe(SecretId);
    expect(JSON.parse(SecretString)).toMatchObject({
      username: 'admin',
      password: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
    });
    expect((await client.send(new DescribeSecretCommand({ SecretId }))).CreatedDate).toBeInstanceOf(Date);
    await expect(
      new SecretsManagerClient(asRole()).send(new GetSecretValueCommand({ SecretId })),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringMatching(
        /^User: arn:aws:sts::\d+:assumed-role\/Demo-EchoRole-\w+\/tester is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:.* because no identity-based policy allows the secretsmanager:GetSecretValue action$/,
      ),
    });
  });

  it('lets a role do what its policy says, and no more', async () => {
    const client = new SSMClient(asRole());
    const { Parameter } = await client.send(new GetParameterCommand({ Name: '/moodle/demo/session-store' }));
    expect(Parameter?.Value).toBe('database');
    await expect(client.send(new GetParameterCommand({ Name: '/moodle/other' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await expect(
      client.send(new PutParameterCommand({ Name: '/moodle/demo/session-store', Value: 'redis', Overwrite: true })),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('runs a function with its own environment and its own role', async () => {
    const client = new LambdaClient(account.clientConfiguration);
    const invoke = async (payload: object) => {
      const answer = await client.send(
        new InvokeCommand({ FunctionName: account.output('Echo'), Payload: JSON.stringify(payload) }),
      );
      return { error: answer.FunctionError, value: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) };
    };
    const { value } = await invoke({ hello: 'wörld' });
    expect(value.event).toEqual({ hello: 'wörld' });
    expect(value.environment).toMatchObject({
      SITE: 'demo',
      AWS_LAMBDA_FUNCTION_NAME: account.output('Echo'),
      AWS_REGION: 'eu-west-1',
      NODE_EXTRA_CA_CERTS: account.world.certificateAuthorityFile,
    });
    expect(Object.keys(value.environment)).not.toContain('npm_config_cache');
    expect(value.environment.VITEST).toBeUndefined();
    expect((await invoke({ parameter: '/moodle/demo/session-store' })).value).toBe('database');
    const denied = await invoke({ parameter: '/other' });
    expect(denied).toMatchObject({ error: 'Unhandled', value: { errorType: 'AccessDeniedException' } });
    await expect(client.send(new InvokeCommand({ FunctionName: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('speaks the query protocol', async () => {
    const sns = new SNSClient(account.clientConfiguration);
    const TopicArn = account.output('Topic');
    expect((await sns.send(new ListTopicsCommand({}))).Topics).toEqual([{ TopicArn }]);
    expect((await sns.send(new PublishCommand({ TopicArn, Message: 'a & b\n=c' }))).MessageId).toMatch(
      /^[0-9a-f-]{36}$/,
    );
    await expect(sns.send(new PublishCommand({ TopicArn: `${TopicArn}x`, Message: 'x' }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
    await expect(new SNSClient(asRole()).send(new PublishCommand({ TopicArn, Message: 'x' }))).rejects.toMatchObject({
      name: 'AuthorizationErrorException',
    });
    const caches = new ElastiCacheClient(account.clientConfiguration);
    const { ReplicationGroups } = await caches.send(
      new DescribeReplicationGroupsCommand({ ReplicationGroupId: 'one' }),
    );
    expect(ReplicationGroups).toEqual([
      {
        ReplicationGroupId: 'one',
        Description: 'a & b <c>',
        MemberClusters: ['one', 'two'],
        AuthTokenEnabled: true,
        ReplicationGroupCreateTime: new Date('2026-01-02T03:04:05Z'),
      },
    ]);
    await expect(caches.send(new DescribeReplicationGroupsCommand({ Marker: 'x' }))).rejects.toMatchObject({
      name: 'UnsupportedParameter',
    });
  });

  it('refuses what is not signed', async () => {
    const answer = await fetch(account.endpoint, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-amzn-requestid')).toBeTruthy();
    expect(await answer.json()).toMatchObject({ __type: 'MissingAuthenticationToken' });
  });

  it('keeps what a rollout set when it is opened again', async () => {
    const Name = '/moodle/demo/session-store';
    const secret = account.output('Password');
    const secrets = () =>
      new SecretsManagerClient(account.clientConfiguration).send(new GetSecretValueCommand({ SecretId: secret }));
    await ssm.send(new PutParameterCommand({ Name, Value: 'redis', Overwrite: true }));
    const before = await secrets();
    await account.close();
    account = await deploy(cdkOut, { directory, services: () => [mirror] });
    ssm = new SSMClient(account.clientConfiguration);
    expect((await ssm.send(new GetParameterCommand({ Name }))).Parameter?.Value).toBe('redis');
    expect(account.output('Password')).toBe(secret);
    expect((await secrets()).SecretString).toBe(before.SecretString);
  });
});

const cli = await promisify(execFile)('aws', ['--version']).then(
  () => true,
  () => false,
);

describe.skipIf(!cli)('the AWS CLI', () => {
  let account: Account;

  beforeAll(async () => {
    account = await deploy(await assembly(), { services: () => [mirror] });
  });
  afterAll(() => account.close());

  async function aws(...words: string[]) {
    const { stdout } = await promisify(execFile)(
      'aws',
      ['--endpoint-url', account.endpoint, '--output', 'json', ...words],
      {
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          AWS_DEFAULT_REGION: account.world.region,
          AWS_ACCESS_KEY_ID: 'any',
          AWS_SECRET_ACCESS_KEY: 'any',
        },
      },
    );
    return JSON.parse(stdout);
  }

  it('starts an execution and looks at it', async () => {
    const { executionArn } = await aws(
      ...['stepfunctions', 'start-execution', '--state-machine-arn', account.output('Pass')],
      ...['--name', 'by-hand', '--input', '{"nodes":2}'],
    );
    expect(executionArn).toMatch(/:execution:.*:by-hand$/);
    const [execution, history, list] = await Promise.all([
      aws('stepfunctions', 'describe-execution', '--execution-arn', executionArn),
      aws('stepfunctions', 'get-execution-history', '--execution-arn', executionArn, '--reverse-order'),
      aws('stepfunctions', 'list-executions', '--state-machine-arn', account.output('Pass')),
    ]);
    expect(execution).toMatchObject({ status: 'SUCCEEDED', output: '{"nodes":2}' });
    expect(history.events.map(({ type }: { type: string }) => type)).toEqual([
      'ExecutionSucceeded',
      'PassStateExited',
      'PassStateEntered',
      'ExecutionStarted',
    ]);
    expect(list.executions).toMatchObject([{ name: 'by-hand', status: 'SUCCEEDED' }]);
  });

  it('works against the endpoint in every protocol', async () => {
    const [parameter, stacks, groups] = await Promise.all([
      aws('ssm', 'get-parameter', '--name', '/moodle/demo/session-store'),
      aws('cloudformation', 'describe-stacks', '--stack-name', 'Demo'),
      aws('elasticache', 'describe-replication-groups', '--replication-group-id', 'x'),
    ]);
    expect(parameter).toMatchObject({ Parameter: { Value: 'database' } });
    expect(stacks).toMatchObject({ Stacks: [{ StackName: 'Demo', StackStatus: 'CREATE_COMPLETE' }] });
    expect(groups).toMatchObject({ ReplicationGroups: [{ MemberClusters: ['one', 'two'] }] });
    await Promise.all([
      expect(aws('ssm', 'describe-parameters')).rejects.toThrow(/UnsupportedOperation/),
      expect(aws('s3api', 'list-buckets')).resolves.toMatchObject({ Buckets: [] }),
      expect(aws('s3api', 'get-bucket-acl', '--bucket', 'any')).rejects.toThrow(/S3 does not have “GET/),
      expect(aws('sqs', 'list-queues')).rejects.toThrow(/does not have the AWS service/),
      expect(
        aws(
          ...['rds-data', 'execute-statement', '--sql', 'SELECT 1'],
          ...['--resource-arn', 'x'.repeat(20), '--secret-arn', 'y'.repeat(20)],
        ),
      ).rejects.toThrow(/DatabaseNotFoundException/),
    ]);
  });
});
