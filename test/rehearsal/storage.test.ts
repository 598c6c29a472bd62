// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates have them.
import { appendFileSync, chmodSync, createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import {
  BackupClient,
  DeleteRecoveryPointCommand,
  DescribeBackupJobCommand,
  ListRecoveryPointsByBackupVaultCommand,
  StartBackupJobCommand,
} from '@aws-sdk/client-backup';
import { BatchDeleteImageCommand, DescribeImageScanFindingsCommand, ECRClient } from '@aws-sdk/client-ecr';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../rehearsal/account.ts';
import { roleCredentials } from '../../rehearsal/iam/credentials.ts';
import { backupJobsOf } from '../../rehearsal/machines/backup-jobs.ts';
import { imagesOf } from '../../rehearsal/machines/ecr-state.ts';
import { sharedFolder } from '../../rehearsal/machines/files.ts';
import { objectFile } from '../../rehearsal/machines/objects.ts';
import { backupProviders } from '../../rehearsal/machines/providers/backup.ts';
import { ecrProviders } from '../../rehearsal/machines/providers/ecr.ts';
import { efsProviders } from '../../rehearsal/machines/providers/efs.ts';
import { backupService } from '../../rehearsal/services/backup.ts';
import { eventually } from '../support/eventually.ts';
import { deploy } from './support/account.ts';
import { writeAssembly } from './support/assembly.ts';
import { lambdaFunction, role } from './support/resources.ts';

const objects = { 'Fn::Sub': '${Bucket.Arn}/manifests/*' };

const cdkOut = writeAssembly(
  {
    Demo: {
      template: {
        Resources: {
          Bucket: { Type: 'AWS::S3::Bucket', Properties: { VersioningConfiguration: { Status: 'Enabled' } } },
          Reader: role('lambda.amazonaws.com', { Effect: 'Allow', Action: 's3:GetObject', Resource: objects }),
          Lister: role(
            'lambda.amazonaws.com',
            { Effect: 'Allow', Action: 's3:GetObject', Resource: objects },
            { Effect: 'Allow', Action: 's3:ListBucket', Resource: { 'Fn::GetAtt': ['Bucket', 'Arn'] } },
          ),
          Files: { Type: 'AWS::EFS::FileSystem' },
          Vault: { Type: 'AWS::Backup::BackupVault', Properties: { BackupVaultName: 'vault' } },
          BackupRole: role('backup.amazonaws.com', {
            Effect: 'Allow',
            Action: 'elasticfilesystem:Backup',
            Resource: { 'Fn::GetAtt': ['Files', 'Arn'] },
          }),
          Images: {
            Type: 'AWS::ECR::Repository',
            Properties: { RepositoryName: 'images', ImageScanningConfiguration: { ScanOnPush: true } },
          },
          Function: lambdaFunction('Reader', 'function', {
            FunctionName: 'phase',
            LoggingConfig: { LogGroup: 'phases' },
          }),
        },
        Outputs: {
          Bucket: { Value: { Ref: 'Bucket' } },
          ReaderArn: { Value: { 'Fn::GetAtt': ['Reader', 'Arn'] } },
          ListerArn: { Value: { 'Fn::GetAtt': ['Lister', 'Arn'] } },
          FilesId: { Value: { Ref: 'Files' } },
          FilesArn: { Value: { 'Fn::GetAtt': ['Files', 'Arn'] } },
          BackupRoleArn: { Value: { 'Fn::GetAtt': ['BackupRole', 'Arn'] } },
        },
      },
    },
  },
  { function: { 'index.mjs': 'export const handler = () => {};' } },
);

let account: Account;
beforeAll(async () => {
  account = await deploy(cdkOut, {
    pace: 200,
    providers: [...efsProviders, ...backupProviders, ...ecrProviders],
    services: (world) => [backupService(world)],
  });
});
afterAll(() => account?.close());

const as = (output: string) => ({
  ...account.clientConfiguration,
  credentials: roleCredentials(account.world, account.output(output)),
});

describe('S3', () => {
  it('keeps objects with their type and metadata, by path and by host', async () => {
    const Bucket = account.output('Bucket');
    const s3 = new S3Client(account.clientConfiguration);
    const Key = 'manifests/a tag+ü.json';
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: '{"plugins":[]}',
        ContentType: 'application/json',
        Metadata: { by: 'me' },
      }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe('{"plugins":[]}');
    expect(got).toMatchObject({ ETag: put.ETag, ContentType: 'application/json', Metadata: { by: 'me' } });
    expect(readFileSync(objectFile(account.world, Bucket, Key), 'utf8')).toBe('{"plugins":[]}');
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject({ ContentLength: 14, ETag: put.ETag });
    await expect(s3.send(new PutObjectCommand({ Bucket, Key, Body: '-', IfNoneMatch: '*' }))).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    const byHost = await new Promise<string>((resolve, reject) => {
      const { host, hostname, port } = new URL(account.endpoint);
      const headers = { ...signedFor('s3'), host: `${Bucket}.${host}` };
      get({ hostname, port, path: `/${encodeURIComponent(Key)}`, headers }, (answer) => {
        answer.setEncoding('utf8').on('data', resolve);
      }).on('error', reject);
    });
    expect(byHost).toBe('{"plugins":[]}');
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await expect(s3.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('takes a body in parts, as the SDK sends a stream', async () => {
    const Bucket = account.output('Bucket');
    const s3 = new S3Client(account.clientConfiguration);
    const bytes = Buffer.alloc(200_000, 'moodle ');
    const file = join(account.world.directory, 'to-be-sent');
    writeFileSync(file, bytes);
    const Body = createReadStream(file);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: bytes.length }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'stream' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
  });

  it('lists in pages and by folders', async () => {
    const Bucket = account.output('Bucket');
    const s3 = new S3Client(account.clientConfiguration);
    for (const Key of ['list/a/1', 'list/a/2', 'list/b/1', 'list/c']) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    }
    const folders = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', Delimiter: '/' }));
    expect(folders.Contents?.map(({ Key }) => Key)).toEqual(['list/c']);
    expect(folders.CommonPrefixes).toEqual([{ Prefix: 'list/a/' }, { Prefix: 'list/b/' }]);
    const first = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', MaxKeys: 3 }));
    expect(first).toMatchObject({ KeyCount: 3, IsTruncated: true });
    const next = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'list/', ContinuationToken: first.NextContinuationToken }),
    );
    expect(next.Contents).toMatchObject([{ Key: 'list/c', Size: 6, ETag: expect.any(String) }]);
    expect((await s3.send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: Bucket }]);
    await s3.send(new HeadBucketCommand({ Bucket }));
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'another' }))).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('asks IAM, and tells nobody who may not list that an object is missing', async () => {
    const Bucket = account.output('Bucket');
    const [reader, lister] = [new S3Client(as('ReaderArn')), new S3Client(as('ListerArn'))];
    const missing = { Bucket, Key: 'manifests/none.json' };
    await expect(lister.send(new GetObjectCommand(missing))).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(reader.send(new GetObjectCommand(missing))).rejects.toThrow(/s3:ListBucket/);
    await expect(reader.send(new GetObjectCommand({ ...missing, Key: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('s3:GetObject'),
    });
    await expect(reader.send(new PutObjectCommand({ ...missing, Body: '-' }))).rejects.toThrow(/s3:PutObject/);
  });

  it('refuses what it does not know', async () => {
    const Bucket = account.output('Bucket');
    const s3 = new S3Client(account.clientConfiguration);
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'x', Range: 'bytes=0-1' }))).rejects.toThrow('range');
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'x', VersionId: 'v' }))).rejects.toThrow('versionId');
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: 'x', Body: '-', Tagging: 'a=b' }))).rejects.toThrow(
      'tagging',
    );
  });
});

describe('AWS Backup', () => {
  it('makes a recovery point that later writes do not reach', async () => {
    const client = new BackupClient(account.clientConfiguration);
    const folder = sharedFolder(account.world, account.output('FilesId'), '/moodledata');
    const file = join(folder, 'filedir/da/39');
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, 'before');
    chmodSync(file, 0o640);
    const request = {
      BackupVaultName: 'vault',
      ResourceArn: account.output('FilesArn'),
      IamRoleArn: account.output('BackupRoleArn'),
      IdempotencyToken: 'one',
      Lifecycle: { DeleteAfterDays: 7 },
    };
    const { BackupJobId = '', RecoveryPointArn } = await client.send(new StartBackupJobCommand(request));
    expect((await client.send(new StartBackupJobCommand(request))).BackupJobId).toBe(BackupJobId);
    await eventually(async () => {
      const { State } = await client.send(new DescribeBackupJobCommand({ BackupJobId }));
      expect(State).toBe('COMPLETED');
    });
    appendFileSync(file, ' and after');
    const copy = join(backupJobsOf(account.world).get(BackupJobId)?.folder ?? '', 'moodledata/filedir/da/39');
    expect(readFileSync(copy, 'utf8')).toBe('before');
    expect(statSync(copy).mode & 0o777).toBe(0o640);
    const points = { BackupVaultName: 'vault', ByResourceArn: request.ResourceArn };
    const { RecoveryPoints } = await client.send(new ListRecoveryPointsByBackupVaultCommand(points));
    expect(RecoveryPoints).toMatchObject([{ RecoveryPointArn, CalculatedLifecycle: { DeleteAt: expect.any(Date) } }]);
    await client.send(new DeleteRecoveryPointCommand({ BackupVaultName: 'vault', RecoveryPointArn }));
    expect((await client.send(new ListRecoveryPointsByBackupVaultCommand(points))).RecoveryPoints).toEqual([]);
    await expect(
      client.send(
        new StartBackupJobCommand({ ...request, IamRoleArn: account.output('ReaderArn'), IdempotencyToken: 'two' }),
      ),
    ).rejects.toThrow(/does not trust backup.amazonaws.com/);
    await expect(
      client.send(
        new StartBackupJobCommand({ ...request, ResourceArn: 'arn:aws:rds:::db:x', IdempotencyToken: 'three' }),
      ),
    ).rejects.toThrow();
  });
});

describe('ECR', () => {
  it('says that nothing was scanned, or what a scan is made to have found; and removes images', async () => {
    const client = new ECRClient(account.clientConfiguration);
    const image = { repositoryName: 'images', imagePushedAt: new Date().toISOString(), imageSizeInBytes: 0 };
    imagesOf(account.world).set('images:one', { ...image, imageTag: 'one', imageDigest: 'sha256:1' });
    imagesOf(account.world).set('images:two', {
      ...image,
      imageTag: 'two',
      imageDigest: 'sha256:2',
      scan: { HIGH: 2 },
    });
    const scanOf = (imageTag: string) =>
      client.send(new DescribeImageScanFindingsCommand({ repositoryName: 'images', imageId: { imageTag } }));
    expect((await scanOf('one')).imageScanStatus).toMatchObject({ status: 'UNSUPPORTED_IMAGE' });
    expect((await scanOf('two')).imageScanFindings?.findingSeverityCounts).toEqual({ HIGH: 2 });
    const imageIds = [{ imageTag: 'one' }, { imageTag: 'none' }];
    const removed = await client.send(new BatchDeleteImageCommand({ repositoryName: 'images', imageIds }));
    expect(removed.imageIds).toEqual([{ imageTag: 'one', imageDigest: 'sha256:1' }]);
    expect(removed.failures).toMatchObject([{ failureCode: 'ImageNotFound' }]);
    await expect(scanOf('one')).rejects.toMatchObject({ name: 'ImageNotFoundException' });
  });
});

describe('CloudWatch Logs', () => {
  it('reads what a function has written, the end first, with its moments', async () => {
    const file = join(account.world.directory, 'logs/functions/phase.log');
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, ['2026-11-20T10:00:00.000Z one', 'still one', '2026-11-20T10:00:01.000Z two', ''].join('\n'));
    const read = async (input: object) => {
      const answer = await fetch(account.endpoint, {
        method: 'POST',
        headers: { ...signedFor('logs'), 'x-amz-target': 'Logs_20140328.GetLogEvents' },
        body: JSON.stringify({ logGroupName: 'phases', logStreamName: 'rehearsal/phase', ...input }),
      });
      return (await answer.json()) as { events: { timestamp: number; message: string }[]; nextBackwardToken: string };
    };
    const last = await read({ limit: 2 });
    const first = Date.parse('2026-11-20T10:00:00Z');
    expect(last.events).toMatchObject([
      { message: 'still one', timestamp: first },
      { message: expect.stringMatching(/two$/), timestamp: first + 1_000 },
    ]);
    const before = await read({ limit: 2, nextToken: last.nextBackwardToken });
    expect(before.events).toMatchObject([{ message: expect.stringMatching(/one$/), timestamp: first }]);
  });
});

/** The endpoint reads who calls which service, and verifies no signature. */
function signedFor(service: string): Record<string, string> {
  const scope = `rehearsal/20260101/eu-west-1/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` };
}
